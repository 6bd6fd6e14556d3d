//! One decision at a time; `tests/properties` covers their sequences.

mod bench;
mod commands;
mod exceptions;
mod explain;
mod history;
mod ingest;
mod lifecycle;
mod missed;
mod owner;
mod pause;
mod preview;
mod quiet;
mod recurrence;
mod refresh;
mod reminders;
mod ring;
mod wake;

use super::{Change, Turn, decide, decide_wake, fence};
use crate::command::{Command, CommandKind, IfPast, Origin, Put};
use crate::event::{Cause, Event, Fact};
use crate::ids::{ReminderId, TaskId};
use crate::limits;
use crate::rejection::Rejection;
use crate::state::{Lifecycle, TaskState};
use crate::task::{Status, Task};
use crate::time::Timestamp;
use bench::Bench;

/// The time in seconds at which everything happens unless said otherwise.
const NOW: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn id() -> TaskId {
    TaskId::parse("milk").unwrap()
}

fn reminder_id(id: &str) -> ReminderId {
    ReminderId::parse(id).unwrap()
}

/// A pending task with reminders (id, seconds from [`NOW`]).
fn task(reminders: &[(&str, i64)]) -> Task {
    let reminders: Vec<String> = reminders
        .iter()
        .map(|(id, after)| format!(r#"{{"id":"{id}","at":"{}"}}"#, at(NOW + after)))
        .collect();
    parse(&format!(r#"{{"title":"Buy milk","userId":"u","reminders":[{}]}}"#, reminders.join(",")))
}

fn parse(json: &str) -> Task {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn put(task: Task) -> Command {
    let put = Put { task, if_past: IfPast::Fire, restored: Vec::new() };
    command(CommandKind::Put(Box::new(put)))
}

/// A command without an id; each call is another one to the repeat rule.
fn command(kind: CommandKind) -> Command {
    use std::sync::atomic::{AtomicU64, Ordering};
    static FINGERPRINT: AtomicU64 = AtomicU64::new(1);
    let fingerprint = FINGERPRINT.fetch_add(1, Ordering::Relaxed);
    Command {
        kind,
        id: None,
        fingerprint,
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    }
}

fn run(state: Option<&TaskState>, command: &Command, second: i64) -> Change {
    match decide(&id(), state, command, None, at(second)) {
        Ok(Turn::Commit(change)) => *change,
        other => panic!("a commit was expected, not {other:?}"),
    }
}

fn reject(state: Option<&TaskState>, command: &Command) -> Rejection {
    decide(&id(), state, command, None, at(NOW)).expect_err("a rejection was expected")
}

/// A stored task with the given reminders.
fn stored(reminders: &[(&str, i64)]) -> TaskState {
    run(None, &put(task(reminders)), NOW).state
}

/// Events in short: "scheduled a +5" is a reminder's, in seconds from [`NOW`].
fn told(events: &[Event]) -> Vec<String> {
    let offset = |at: Timestamp| format!("{:+}", at.as_millis() / 1000 - NOW);
    events.iter().map(|event| short(&event.fact, offset)).collect()
}

/// A fact in short, its times as `when` tells them.
fn short(fact: &Fact, when: impl Fn(Timestamp) -> String) -> String {
    match fact {
        Fact::ReminderScheduled { reminder_id, scheduled_for } => {
            format!("scheduled {reminder_id} {}", when(*scheduled_for))
        }
        Fact::ReminderTriggered(triggered) => {
            let (which, cause) = (&triggered.reminder_id, triggered.cause);
            let mut text = format!("triggered {which} {} {cause:?}", when(triggered.scheduled_for));
            text.extend(triggered.nag.map(|n| format!(" {n}")));
            if let (count @ 1.., Some(first)) = (triggered.coalesced, triggered.first_missed) {
                text.extend([format!(", missed {count} since {}", when(first))]);
            }
            text.extend(triggered.original.map(|at| format!(", of {}", when(at))));
            text
        }
        Fact::ReminderSnoozed { reminder_id, scheduled_for, until } => {
            format!("snoozed {reminder_id} {} until {}", when(*scheduled_for), when(*until))
        }
        Fact::ReminderAcknowledged { reminder_id, scheduled_for, .. } => {
            format!("acknowledged {reminder_id} {}", when(*scheduled_for))
        }
        Fact::ReminderExpired { reminder_id, scheduled_for, coalesced, .. } => {
            format!("expired {reminder_id} {} missed {coalesced}", when(*scheduled_for))
        }
        Fact::ReminderRemoved { reminder_id, scheduled_for, reason } => {
            format!("removed {reminder_id} {} {reason:?}", when(*scheduled_for))
        }
        Fact::TaskUpdated { reason } => format!("updated {reason:?}"),
        Fact::TaskSync => "sync".into(),
    }
}

fn sequences(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.sequence).collect()
}

fn run_wake(state: &TaskState, second: i64) -> Change {
    match decide_wake(state, at(second)) {
        Turn::Commit(change) => *change,
        Turn::Answer(answer) => panic!("a firing was expected, not {answer:?}"),
    }
}
