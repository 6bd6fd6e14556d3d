//! After an overload: what was answered is there, what was refused is not, and what nobody can tell is
//! one or the other, wholly, and is answered when it is repeated.

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use reminder_contract::ProblemKind;
use serde_json::Value;
use tokio::task::JoinSet;

use super::calls::{self, CALLERS, Call};
use super::offer::{Fate, Sent};
use super::tally::shown;
use crate::api::{Address, Reply};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Of those without a clear answer, how many had been done and how many had not.
    pub(super) there: usize,
    pub(super) absent: usize,
    pub(super) errors: Vec<String>,
}

/// How much of a command is there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Whole,
    Nothing,
    Other(String),
}

/// When each task must fire, by number; those that were refused must not. What nobody can tell will be
/// repeated until it is answered.
pub(super) fn due(sent: &[Sent]) -> Result<Vec<Option<DateTime<Utc>>>> {
    let count = sent.iter().map(|sent| sent.call.number + 1).max().unwrap_or(0);
    let mut due = vec![None; count];
    for Sent { call, fate, .. } in sent {
        if matches!(fate, Fate::Answered | Fate::Unknown(_)) {
            let text = call.body["task"]["dueDate"].as_str().context("it has a due date")?;
            due[call.number] = Some(text.parse()?);
        }
    }
    Ok(due)
}

/// Looks at every task, and repeats what is in doubt.
pub(super) async fn all(address: &Address, sent: &[Sent]) -> Result<Checked> {
    let mut found = look(address, sent.iter()).await?;
    let mut checked = Checked::default();
    let (mut wrong, mut repeated) = (Vec::new(), Vec::new());
    for Sent { call, fate, .. } in sent {
        let found = found.remove(&call.number).context("every task is looked at")?;
        match (fate, found) {
            (Fate::Wrong(why), _) => wrong.push(format!("{}: {why}", call.task)),
            (_, Found::Other(why)) => wrong.push(format!("{}: {why}", call.task)),
            (Fate::Answered, Found::Whole) | (Fate::Refused, Found::Nothing) => {}
            (Fate::Answered, Found::Nothing) => {
                wrong.push(format!("{}: was answered, and is lost", call.task));
            }
            (Fate::Refused, Found::Whole) => {
                wrong.push(format!("{}: was refused, and is there", call.task));
            }
            (Fate::Unknown(_), found) => {
                let was_there = found == Found::Whole;
                checked.there += usize::from(was_there);
                checked.absent += usize::from(!was_there);
                repeated.push(call.clone());
            }
        }
    }
    let repeats = repeat(address, repeated).await;
    checked.errors = [wrong, repeats].iter().flat_map(|errors| shown(errors)).collect();
    Ok(checked)
}

/// Once everything has fired: each has, by its own state.
pub(super) async fn fired(address: &Address, sent: &[Sent]) -> Result<Vec<String>> {
    let lasting = sent.iter().filter(|sent| matches!(sent.fate, Fate::Answered | Fate::Unknown(_)));
    let gets = lasting.map(|sent| get(&sent.call)).collect();
    let mut errors = Vec::new();
    for (number, reply) in calls::all(address, gets).await? {
        let answer = reply?.outcome.unwrap_or_default();
        if answer["reminders"][0]["state"] != "fired" {
            errors.push(format!("task {number} has not fired: {answer}"));
        }
    }
    Ok(shown(&errors))
}

fn get(call: &Call) -> Call {
    Call { method: "get", body: Value::Null, ..call.clone() }
}

async fn look(
    address: &Address,
    sent: impl Iterator<Item = &Sent>,
) -> Result<HashMap<usize, Found>> {
    let mut bodies = HashMap::new();
    let mut gets = Vec::new();
    for Sent { call, .. } in sent {
        bodies.insert(call.number, &call.body);
        gets.push(get(call));
    }
    let replies = calls::all(address, gets).await?;
    let judged = replies.into_iter().map(|(number, reply)| (number, judge(reply, bodies[&number])));
    Ok(judged.collect())
}

/// Whether all of a command is there, or nothing.
fn judge(reply: Result<Reply>, body: &Value) -> Found {
    let answer = match reply.map(|reply| reply.outcome) {
        Ok(Ok(answer)) => answer,
        Ok(Err(problem)) if problem.type_uri == ProblemKind::UnknownTask.type_uri() => {
            return Found::Nothing;
        }
        Ok(Err(problem)) => return Found::Other(format!("cannot be read: {}", problem.detail)),
        Err(error) => return Found::Other(format!("cannot be read: {error:#}")),
    };
    let wanted = &body["task"];
    let whole = ["title", "description", "dueDate", "tags", "userId"]
        .iter()
        .all(|field| answer["task"][field] == wanted[field])
        && answer["reminders"][0]["scheduledFor"] == wanted["dueDate"];
    if whole { Found::Whole } else { Found::Other(format!("is half done: {answer}")) }
}

/// Sends commands again, under their ids, until they are answered.
async fn repeat(address: &Address, commands: Vec<Call>) -> Vec<String> {
    let mut shares: Vec<Vec<Call>> = vec![Vec::new(); CALLERS];
    for (number, call) in commands.into_iter().enumerate() {
        shares[number % CALLERS].push(call);
    }
    let mut callers = JoinSet::new();
    for share in shares {
        let address = address.clone();
        callers.spawn(async move {
            let mut errors = Vec::new();
            for call in share {
                match calls::until_answered(&address, &call).await {
                    // The first time or known: whichever, it is at its first version or has fired.
                    Ok(answer) if answer["taskId"] == call.task.as_str() => {}
                    Ok(answer) => errors.push(format!("{}: answered {answer}", call.task)),
                    Err(error) => errors.push(format!("{error:#}")),
                }
            }
            errors
        });
    }
    callers.join_all().await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reminder_contract::Problem;
    use serde_json::json;

    use super::*;

    fn body() -> Value {
        json!({"task": {"title": "t", "description": "d", "dueDate": "2027-01-01T00:00:00.000Z",
                        "tags": ["a"], "userId": "u@example.org"}})
    }

    fn judged(outcome: Result<Value, Problem>) -> Found {
        judge(Ok(Reply { took: Duration::ZERO, outcome }), &body())
    }

    #[test]
    fn whole_nothing_and_half_are_told_apart() {
        let scheduled = json!([{"id": "due", "scheduledFor": "2027-01-01T00:00:00.000Z"}]);
        let mut view = json!({"task": body()["task"], "reminders": scheduled});
        assert_eq!(judged(Ok(view.clone())), Found::Whole);
        view["reminders"] = json!([]);
        assert!(matches!(judged(Ok(view)), Found::Other(_)));
        let unknown = Problem::new(ProblemKind::UnknownTask, "none");
        assert_eq!(judged(Err(unknown)), Found::Nothing);
        let busy = Problem::new(ProblemKind::Overloaded, "busy");
        assert!(matches!(judged(Err(busy)), Found::Other(_)));
    }

    #[test]
    fn refused_tasks_must_not_fire_and_doubtful_ones_must() {
        let sent = |number, fate| Sent {
            call: Call { number, task: "t".into(), method: "put", body: body() },
            fate,
            took: Duration::ZERO,
        };
        let sent = [
            sent(2, Fate::Unknown(String::new())),
            sent(0, Fate::Answered),
            sent(1, Fate::Refused),
        ];
        let due = due(&sent).unwrap();
        assert_eq!(due.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    }
}
