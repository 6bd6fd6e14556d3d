//! Whether exactly the right reminders fired: a pure function of the script and of what was seen.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reminder_contract::Problem;
use reminder_contract::cloud_event::EventData;
use reminder_stack::events::Record;
use serde_json::Value;

use super::script::{Call, Expect, Script};
use crate::ledger::{Event, Ledger, Noted};

/// A reminder that fired.
#[derive(Debug, Clone)]
pub(super) struct Fired {
    /// The short name of the task.
    task: &'static str,
    reminder: String,
    due: DateTime<Utc>,
    at: DateTime<Utc>,
    arrived: DateTime<Utc>,
}

/// All that was seen of one run.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    ledger: Ledger,
    fired: Vec<Fired>,
    /// By topic and task, the highest version that an event told.
    versions: BTreeMap<(String, &'static str), u64>,
    /// What was wrong with an answer.
    answers: Vec<String>,
}

impl Evidence {
    /// Notes an event of a task of the script.
    pub(super) fn event(
        &mut self,
        task: &'static str,
        record: &Record,
        event: &Event,
        arrived: DateTime<Utc>,
    ) -> Noted {
        let noted = self.ledger.note(record, event);
        if noted == Noted::Repeat {
            return noted;
        }
        let version = match &event.data {
            EventData::ReminderTriggered(fired) => {
                self.fired.push(Fired {
                    task,
                    reminder: fired.reminder_id.clone().into_owned(),
                    due: fired.scheduled_for.to_datetime(),
                    at: fired.fired_at.to_datetime(),
                    arrived,
                });
                fired.version
            }
            EventData::ReminderScheduled(data) => data.version,
            EventData::ReminderRemoved(data) => data.version,
            EventData::ReminderSnoozed(data) => data.version,
            EventData::ReminderAcknowledged(data) => data.version,
            EventData::ReminderExpired(data) => data.version,
            EventData::TaskUpdated(data) => data.task.version,
            EventData::TaskSync(data) => data.task.version,
            // Told by services that are not in the demo.
            _ => return noted,
        };
        let highest = self.versions.entry((record.topic.clone(), task)).or_default();
        *highest = version.max(*highest);
        noted
    }

    /// Notes an answer.
    pub(super) fn answer(&mut self, call: &Call, outcome: &Result<Value, Problem>) {
        let found = match outcome {
            Ok(answer) => answer["version"]
                .as_u64()
                .map_or_else(|| format!("an answer without a version: {answer}"), of_version),
            Err(problem) => of_problem(problem.status, problem.field.as_deref()),
        };
        let expected = match call.expect {
            Expect::Version(version) => of_version(version),
            Expect::Refusal { status, field } => of_problem(status, field),
        };
        if found != expected {
            let Call { task, method, .. } = call;
            self.answers.push(format!("{task}: `{method}` got {found} instead of {expected}"));
        }
    }

    /// Whether all has come that must come: every firing, and of every task the events of its last
    /// version on both topics that tell one.
    pub(super) fn is_complete(&self, script: &Script, topics: &[&str]) -> bool {
        let fired = |task: &str, reminder: &str, due: DateTime<Utc>| {
            self.fired.iter().any(|f| f.task == task && f.reminder == reminder && f.due == due)
        };
        let told = |task: &'static str, version: u64| {
            let highest = |topic: &&str| self.versions.get(&((*topic).to_owned(), task));
            topics.iter().all(|topic| highest(topic).is_some_and(|highest| *highest >= version))
        };
        script.firings.iter().all(|firing| fired(firing.task, firing.reminder, firing.due))
            && script.final_versions().all(|(task, version)| told(task, version))
    }
}

fn of_version(version: u64) -> String {
    format!("version {version}")
}

fn of_problem(status: u16, field: Option<&str>) -> String {
    match field {
        Some(field) => format!("problem {status} about {field}"),
        None => format!("problem {status}"),
    }
}

/// One line of the summary.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) task: &'static str,
    pub(super) why: &'static str,
    pub(super) due: Option<DateTime<Utc>>,
    pub(super) fate: Fate,
}

/// What became of a moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It fired, as it should; milliseconds after it was due to the firing, and to a consumer.
    Fired { fired_after: i64, arrived_after: i64 },
    /// It was silent, as it should be.
    Silent,
    /// It should have fired.
    Missing,
    /// It should not have, or not so.
    Wrong(&'static str),
}

/// The outcome.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) rows: Vec<Row>,
    /// What was wrong; empty when all was right.
    pub(super) faults: Vec<String>,
    /// Events that were delivered again, which is allowed.
    pub(super) repeats: usize,
}

pub(super) fn judge(script: &Script, evidence: &Evidence) -> Verdict {
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    let mut fired: Vec<&Fired> = evidence.fired.iter().collect();
    for firing in &script.firings {
        let right = |f: &&Fired| {
            f.task == firing.task && f.reminder == firing.reminder && f.due == firing.due
        };
        let mine: Vec<&Fired> = fired.extract_if(.., |f| right(f)).collect();
        let fate = match mine[..] {
            [] => Fate::Missing,
            [once] if once.at < once.due => Fate::Wrong("fired early"),
            [once] => Fate::Fired {
                fired_after: (once.at - once.due).num_milliseconds(),
                arrived_after: (once.arrived - once.due).num_milliseconds(),
            },
            _ => Fate::Wrong("fired twice"),
        };
        rows.push(Row { task: firing.task, why: firing.why, due: Some(firing.due), fate });
    }
    for silence in &script.silences {
        let broken = fired
            .iter()
            .any(|f| f.task == silence.task && silence.due.is_none_or(|due| due == f.due));
        let fate = if broken { Fate::Wrong("fired") } else { Fate::Silent };
        fired.retain(|f| f.task != silence.task || silence.due.is_some_and(|due| due != f.due));
        rows.push(Row { task: silence.task, why: silence.why, due: silence.due, fate });
    }
    for Row { task, why, fate, .. } in &rows {
        match fate {
            Fate::Missing => faults.push(format!("{task}: has not fired ({why})")),
            Fate::Wrong(how) => faults.push(format!("{task}: {how} ({why})")),
            Fate::Fired { .. } | Fate::Silent => {}
        }
    }
    faults.extend(fired.iter().map(|f| {
        format!("{}: `{}` fired for {}, which nobody asked for", f.task, f.reminder, f.due)
    }));
    faults.extend(evidence.answers.iter().cloned());
    faults.extend(evidence.ledger.faults().iter().cloned());
    // Rows in the order in which the tasks are put.
    let place = |task: &str| script.tasks().position(|other| other == task);
    rows.sort_by_key(|row| place(row.task));
    Verdict { rows, faults, repeats: evidence.ledger.repeats() }
}

#[cfg(test)]
mod tests;
