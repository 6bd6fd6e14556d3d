//! What each command makes of a task.

use super::{Answer, Change, Turn};
use crate::alarm::{self, Alarm, AlarmState};
use crate::command::{Command, CommandKind, Origin};
use crate::event::{Event, Fact, RemovalReason, UpdateReason};
use crate::ids::TaskId;
use crate::next_wake::earliest;
use crate::rejection::Rejection;
use crate::state::{CommandRecord, Lifecycle, Live, Sequences, Snapshot, TaskState};
use crate::task::{Status, Task};
use crate::time::{self, Timestamp};

/// The incarnation of a task that was never restored from a backup.
const FIRST_INCARNATION: u32 = 1;

pub(super) fn apply(
    id: &TaskId,
    state: Option<&TaskState>,
    command: &Command,
    now: Timestamp,
) -> Result<Turn, Rejection> {
    let live = state.and_then(TaskState::live);
    let existing = || live.ok_or_else(|| Rejection::UnknownTask(id.clone()));
    if !matches!(command.kind, CommandKind::Put(_)) {
        existing()?;
    }
    check_version(state, command)?;
    let outcome = match &command.kind {
        CommandKind::Put(task) => put(live, task, &command.origin, now)?,
        CommandKind::Complete => complete(existing()?),
        CommandKind::Reopen => reopen(existing()?, now),
        CommandKind::Delete => delete(existing()?, now),
    };
    Ok(conclude(state, command, outcome, now))
}

/// The result of one command, before it is numbered and recorded.
struct Outcome {
    lifecycle: Lifecycle,
    facts: Vec<Fact>,
    /// Set by a delete, whose lifecycle does not hold the task any more.
    last_words: Option<(Task, Vec<Alarm>)>,
}

fn check_version(state: Option<&TaskState>, command: &Command) -> Result<(), Rejection> {
    let Some(expected) = command.if_version else { return Ok(()) };
    // To a caller a deleted task does not exist, so "must not exist" accepts it.
    let actual = state.map_or(0, |state| if state.live().is_some() { state.version } else { 0 });
    if expected == actual { Ok(()) } else { Err(Rejection::VersionConflict { expected, actual }) }
}

fn put(
    live: Option<&Live>,
    task: &Task,
    origin: &Origin,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    let old = live.map_or(&[][..], |live| &live.alarms);
    let mut facts = Vec::new();
    let mut alarms = Vec::new();
    for (reminder_id, at) in alarm::moments(task, now)? {
        let same = old.iter().find(|alarm| alarm.reminder_id == reminder_id && alarm.at == at);
        let state = state_after_put(same.map(|alarm| alarm.state), task.status, at, now);
        let was_scheduled = same.is_some_and(Alarm::is_scheduled);
        if state == AlarmState::Scheduled && !was_scheduled {
            let reminder_id = reminder_id.clone();
            facts.push(Fact::ReminderScheduled { reminder_id, scheduled_for: at });
        }
        alarms.push(Alarm { reminder_id, at, state });
    }
    let removed = old.iter().filter(|alarm| alarm.is_scheduled()).filter_map(|gone| {
        let successor = alarms.iter().find(|alarm| alarm.reminder_id == gone.reminder_id);
        let reason = match successor {
            Some(alarm) if alarm.is_scheduled() => return None,
            _ if !task.status.is_open() => RemovalReason::Completed,
            _ => RemovalReason::Replaced,
        };
        Some(removal(gone, reason))
    });
    let mut all: Vec<Fact> = removed.collect();
    all.append(&mut facts);
    let reason = if live.is_some() { UpdateReason::Replaced } else { UpdateReason::Created };
    all.extend([Fact::TaskUpdated { reason }, Fact::TaskSync]);
    let live = Live {
        task: task.clone(),
        alarms,
        origin: origin.clone(),
        zone_database: time::zone_database().to_owned(),
    };
    Ok(Outcome { lifecycle: Lifecycle::Live(Box::new(live)), facts: all, last_words: None })
}

/// An alarm that keeps its moment keeps what became of it; any other starts anew, in the past too:
/// a reminder that is already due when it is asked for fires at once.
fn state_after_put(
    before: Option<AlarmState>,
    status: Status,
    at: Timestamp,
    now: Timestamp,
) -> AlarmState {
    match before {
        Some(fired @ AlarmState::Fired { .. }) => fired,
        _ if !status.is_open() => AlarmState::Cancelled,
        Some(AlarmState::Cancelled) if at <= now => AlarmState::Cancelled,
        _ => AlarmState::Scheduled,
    }
}

fn complete(live: &Live) -> Outcome {
    if !live.task.status.is_open() {
        return unchanged(live);
    }
    let mut alarms = live.alarms.clone();
    let mut facts = Vec::new();
    for alarm in alarms.iter_mut().filter(|alarm| alarm.is_scheduled()) {
        alarm.state = AlarmState::Cancelled;
        facts.push(removal(alarm, RemovalReason::Completed));
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Completed }, Fact::TaskSync]);
    with_status(live, Status::Completed, alarms, facts)
}

/// Reopening brings back what is still to come; what fell due while the task was done stays silent.
fn reopen(live: &Live, now: Timestamp) -> Outcome {
    if live.task.status.is_open() {
        return unchanged(live);
    }
    let mut alarms = live.alarms.clone();
    let mut facts = Vec::new();
    for alarm in &mut alarms {
        if alarm.state == AlarmState::Cancelled && alarm.at > now {
            alarm.state = AlarmState::Scheduled;
            facts.push(Fact::ReminderScheduled {
                reminder_id: alarm.reminder_id.clone(),
                scheduled_for: alarm.at,
            });
        }
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Reopened }, Fact::TaskSync]);
    with_status(live, Status::Pending, alarms, facts)
}

fn delete(live: &Live, now: Timestamp) -> Outcome {
    let scheduled = live.alarms.iter().filter(|alarm| alarm.is_scheduled());
    let mut facts: Vec<Fact> =
        scheduled.map(|alarm| removal(alarm, RemovalReason::Deleted)).collect();
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Deleted }, Fact::TaskSync]);
    let user_id = live.task.user_id.clone();
    Outcome {
        lifecycle: Lifecycle::Deleted { deleted_at: now, user_id },
        facts,
        last_words: Some((live.task.clone(), live.alarms.clone())),
    }
}

fn unchanged(live: &Live) -> Outcome {
    let lifecycle = Lifecycle::Live(Box::new(live.clone()));
    Outcome { lifecycle, facts: Vec::new(), last_words: None }
}

fn with_status(live: &Live, status: Status, alarms: Vec<Alarm>, facts: Vec<Fact>) -> Outcome {
    let live = Live { task: live.task.with_status(status), alarms, ..live.clone() };
    Outcome { lifecycle: Lifecycle::Live(Box::new(live)), facts, last_words: None }
}

fn removal(alarm: &Alarm, reason: RemovalReason) -> Fact {
    Fact::ReminderRemoved {
        reminder_id: alarm.reminder_id.clone(),
        scheduled_for: alarm.at,
        reason,
    }
}

/// Numbers the facts, records the command, and decides whether there is anything to commit.
fn conclude(
    state: Option<&TaskState>,
    command: &Command,
    outcome: Outcome,
    now: Timestamp,
) -> Turn {
    let version = state.map_or(0, |state| state.version) + 1;
    let (status, next_reminder_at) = match &outcome.lifecycle {
        Lifecycle::Live(live) => (Some(live.task.status), earliest(&live.alarms)),
        Lifecycle::Deleted { .. } => (None, None),
    };
    let is_new = state.and_then(TaskState::live).is_none();
    let created = matches!(command.kind, CommandKind::Put(_)).then_some(is_new);
    let mut answer = Answer { version, status, next_reminder_at, created };
    if let (true, None, Some(state)) = (outcome.facts.is_empty(), command.id, state) {
        answer.version = state.version;
        return Turn::Answer(answer);
    }
    let mut next = state.map_or_else(|| blank(now), TaskState::clone);
    next.version = version;
    next.updated_at = now;
    next.lifecycle = outcome.lifecycle;
    next.remember(CommandRecord::new(command, answer));
    let events = number(&mut next.sequences, outcome.facts);
    let snapshot =
        outcome.last_words.map(|(task, alarms)| Snapshot { version, task, alarms, deleted: true });
    Turn::Commit(Box::new(Change { state: next, events, snapshot, answer }))
}

/// Gives each fact its place in the order of its topic.
pub(super) fn number(sequences: &mut Sequences, facts: Vec<Fact>) -> Vec<Event> {
    facts.into_iter().map(|fact| Event { sequence: sequences.next(fact.topic()), fact }).collect()
}

/// A state before its first commit; version and lifecycle are overwritten by it.
pub(super) fn blank(now: Timestamp) -> TaskState {
    TaskState {
        version: 0,
        incarnation: FIRST_INCARNATION,
        updated_at: now,
        lifecycle: Lifecycle::Deleted { deleted_at: now, user_id: None },
        sequences: Sequences::default(),
        commands: Vec::new(),
        armed: None,
        pending: Vec::new(),
    }
}
