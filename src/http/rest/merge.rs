//! Changes that depend on what is there: read, change, put back if nobody was in between.

use super::Rest;
use super::asked::{Asked, Meta};
use super::body::MethodBody;
use super::call::{Answered, precondition};
use super::precondition::Expected;
use reminder_contract::wire::{CommandAnswer, Method, TaskView};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::TaskId;
use reminder_domain::ids::CorrelationId;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

/// How often a change is begun anew when somebody else was in between.
const ATTEMPTS_MAX: usize = 5;

/// What is to be changed, and how the caller said so.
#[derive(Clone, Copy)]
pub(super) struct Changed<'a> {
    /// The task.
    pub(super) id: &'a TaskId,
    /// The body as it was sent.
    pub(super) sent: &'a [u8],
    /// What to do with reminders that are past.
    pub(super) if_past: Option<&'a str>,
}

/// Puts the task as `change` makes it of the present one.
///
/// The command has the caller's key and what was sent as its name, not the key alone: sent again, the same
/// change leads to another `put`, since it meets its own result. That it is known by then says that it
/// was applied.
pub(super) async fn put_changed(
    rest: &Rest,
    asked: &Asked,
    what: Changed<'_>,
    change: impl Fn(Value) -> Value,
) -> Result<Answered, Problem> {
    let (id, expected) = (what.id, asked.expected()?);
    rest.refuse_weak(id, &asked.meta, expected).await?;
    let command_id = asked.meta.command_id.as_ref().map(|key| name(key, what.sent)).transpose()?;
    let meta = Meta { command_id, ..asked.meta.clone() };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let present = rest.ask(id, "get", MethodBody::question(&meta)).await;
        let present = present.map_err(|problem| absent(problem, expected))?;
        // The version is told as it was asked for: the actor may know the command and answer it as before.
        let version = expected.version().unwrap_or(present.version);
        let mut body = MethodBody::command(&meta, Some(version));
        body.optional("ifPast", what.if_past);
        let body = body.with("task", &change(task(&present.body)?)).into_bytes();
        match rest
            .task(id, Method::Put.as_str(), body)
            .await
            .map_err(|problem| (problem.kind(), problem))
        {
            Err((Some(ProblemKind::CommandIdReused), _)) => return applied(id, &present),
            Err((Some(ProblemKind::VersionConflict), _))
                if expected.version().is_none() && attempt < ATTEMPTS_MAX => {}
            Err((Some(ProblemKind::VersionConflict), _)) if expected.version().is_none() => {
                return Err(Problem::overloaded("too many change this task at the same time"));
            }
            Err((_, problem)) => return Err(precondition(problem, expected)),
            Ok(answered) => return Ok(answered),
        }
    }
}

/// Names a change by the caller's key and what was sent.
fn name(key: &CorrelationId, sent: &[u8]) -> Result<CorrelationId, Problem> {
    let hash = xxh3_128(&[key.as_str().as_bytes(), sent].join(&0));
    CorrelationId::parse(format!("change-{hash:032x}"))
        .map_err(|error| Problem::invalid("idempotency-key", &error.to_string()))
}

/// A task that is not there fails a precondition, if there was one.
fn absent(problem: Problem, expected: Expected) -> Problem {
    if problem.kind() == Some(ProblemKind::UnknownTask) && expected == Expected::Existing {
        return problem.as_failed_precondition();
    }
    problem
}

fn unreadable(error: &serde_json::Error) -> Problem {
    tracing::error!(%error, "an actor answered what is no task");
    Problem::unavailable("the task could not be read")
}

fn task(view: &[u8]) -> Result<Value, Problem> {
    let mut view: Value = serde_json::from_slice(view).map_err(|error| unreadable(&error))?;
    Ok(view["task"].take())
}

/// Answers a change that was applied before with where the task stands now.
fn applied(id: &TaskId, present: &Answered) -> Result<Answered, Problem> {
    let view: TaskView<'_> =
        serde_json::from_slice(&present.body).map_err(|error| unreadable(&error))?;
    let answer = CommandAnswer {
        task_id: id.as_str().into(),
        version: view.version,
        status: Some(view.task.status).into(),
        next_reminder_at: view.next_reminder_at,
        created: Some(false),
        adjusted: Vec::new(),
    };
    Ok(Answered { version: present.version, created: false, body: answer.to_json() })
}

/// Merges a patch into a value: RFC 7396 §2.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(object) = target else { return };
    for (name, change) in fields {
        if change.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn patches_are_merged_as_the_rfc_says() {
        for (mut target, patch, merged) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            merge(&mut target, &patch);
            assert_eq!(target, merged, "{patch}");
        }
    }

    #[test]
    fn a_change_is_named_by_its_key_and_its_words() {
        let key = |text| CorrelationId::parse(text).unwrap();
        let one = name(&key("k"), b"{\"a\":1}").unwrap();
        assert_eq!(one, name(&key("k"), b"{\"a\":1}").unwrap());
        assert_ne!(one, name(&key("k"), b"{\"a\":2}").unwrap());
        assert_ne!(one, name(&key("l"), b"{\"a\":1}").unwrap());
    }
}
