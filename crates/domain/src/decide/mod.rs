//! The decision of a turn: from a state and a command to the next state and its events.
//!
//! | File | Holds |
//! |---|---|
//! | [`put`], [`lifecycle`], [`reminders`], [`ring`] | what each command makes of a task |
//! | [`ingest`] | what the owner of the task says of it |
//! | [`pause`] | nothing fires for now |
//! | [`owner`] | whether the caller may know of the task at all |
//! | [`place`], [`restore`] | where the alarms stand when a task is made or changed |
//! | [`advance`] | a recurring task moves on |
//! | [`wake`], [`refresh`], [`gone`] | turns that no command asked for |
//! | [`clocks`] | which clocks of an alarm have run out |
//! | [`conclude`], [`idempotency`] | numbering, recording, repeated commands |

mod advance;
mod clocks;
mod conclude;
pub(crate) mod gone;
mod idempotency;
mod ingest;
mod lifecycle;
mod owner;
mod pause;
mod place;
mod put;
mod refresh;
mod reminders;
mod restore;
mod ring;
#[cfg(test)]
mod tests;
mod wake;

use crate::alarm::Alarm;
use crate::command::{Command, CommandKind};
use crate::event::{Event, Fact, RemovalReason};
use crate::explain::Adjusted;
use crate::ids::TaskId;
use crate::preferences::KnownPreferences;
use crate::rejection::Rejection;
use crate::state::{Lifecycle, Live, Snapshot, TaskState};
use crate::task::{Status, Task};
use crate::time::Timestamp;

pub use owner::not_there;
pub use refresh::decide_refresh;
pub use wake::{decide_wake, fence};

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is something to commit; the answer is given once it is.
    Commit(Box<Change>),
    /// Nothing changes; answer at once.
    Answer(Answer),
}

/// A state to commit and what to tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The next state, without the events below among its pending ones.
    pub state: TaskState,
    /// What happened, numbered.
    pub events: Vec<Event>,
    /// The task as the events tell it, where the state cannot say it (it was deleted).
    pub snapshot: Option<Snapshot>,
    /// What to answer after the commit.
    pub answer: Answer,
}

/// What the caller learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The version the command led to.
    pub version: u64,
    /// Where the task stands; `None` when it is deleted.
    pub status: Option<Status>,
    /// When something fires next.
    pub next_reminder_at: Option<Timestamp>,
    /// Whether a `put` or an event that was followed created the task. Other commands do not say, nor
    /// does an event that is known already.
    pub created: Option<bool>,
    /// The moments to come that a rule moved, and how: the first few of them.
    pub adjusted: Vec<Adjusted>,
}

/// Decides a command. A rejection changes nothing; a known command is answered as it was before.
///
/// `preferences` are those of the user whom the command names
/// ([`CommandKind::needs_preferences_of`]); without any, the task's own copy holds.
///
/// # Errors
/// [`Rejection`] says what was wrong, naming the field where there is one.
pub fn decide(
    id: &TaskId,
    state: Option<&TaskState>,
    command: &Command,
    preferences: Option<&KnownPreferences>,
    now: Timestamp,
) -> Result<Turn, Rejection> {
    let known = owner::admit(id, state, command)?;
    if let Some(answer) = idempotency::recorded(known, command, now)? {
        return Ok(Turn::Answer(answer));
    }
    let live = state.and_then(TaskState::live);
    let existing = || live.ok_or_else(|| Rejection::UnknownTask(id.clone()));
    if !matches!(command.kind, CommandKind::Put(_) | CommandKind::Ingest(_)) {
        existing()?;
    }
    check_version(state, command)?;
    let outcome = match &command.kind {
        CommandKind::Put(asked) => put::put(live, asked, preferences, &command.origin, now)?,
        CommandKind::Complete => lifecycle::complete(existing()?, now),
        CommandKind::Reopen => lifecycle::reopen(existing()?, now),
        CommandKind::Delete => lifecycle::delete(existing()?, now),
        CommandKind::Skip { occurrence } => advance::skip(existing()?, *occurrence, now)?,
        CommandKind::PutReminder { reminder, if_past } => {
            reminders::put(existing()?, reminder, *if_past, &command.origin, now)?
        }
        CommandKind::RemoveReminder(reminder) => {
            reminders::remove(existing()?, reminder, &command.origin, now)?
        }
        CommandKind::Snooze { reminder_id, delay } => {
            ring::snooze(existing()?, reminder_id.as_ref(), delay, now)?
        }
        CommandKind::Acknowledge { reminder_id } => {
            ring::acknowledge(existing()?, reminder_id.as_ref(), now)?
        }
        CommandKind::Dismiss { reminder_id } => {
            ring::dismiss(existing()?, reminder_id.as_ref(), now)?
        }
        CommandKind::Pause => pause::pause(existing()?, now),
        CommandKind::Resume { missed } => pause::resume(existing()?, *missed, now),
        CommandKind::Ingest(event) => {
            return ingest::ingest(state, command, event, preferences, now);
        }
    };
    Ok(conclude::conclude(state, command, outcome, now))
}

fn check_version(state: Option<&TaskState>, command: &Command) -> Result<(), Rejection> {
    let Some(expected) = command.if_version else { return Ok(()) };
    // To a caller a deleted task does not exist, so "must not exist" accepts it.
    let actual = state.map_or(0, |state| if state.live().is_some() { state.version } else { 0 });
    if expected == actual { Ok(()) } else { Err(Rejection::VersionConflict { expected, actual }) }
}

/// The result of one command, before it is numbered and recorded.
struct Outcome {
    lifecycle: Lifecycle,
    facts: Vec<Fact>,
    /// Set by a delete, whose lifecycle does not hold the task any more.
    last_words: Option<(Task, Vec<Alarm>)>,
}

impl Outcome {
    fn live(live: Live, facts: Vec<Fact>) -> Self {
        Self { lifecycle: Lifecycle::Live(Box::new(live)), facts, last_words: None }
    }

    /// Whether it leaves a task that is done.
    fn is_done(&self) -> bool {
        matches!(&self.lifecycle, Lifecycle::Live(live) if !live.task.status.is_open())
    }

    fn unchanged(live: &Live) -> Self {
        Self::live(live.clone(), Vec::new())
    }
}

fn removal(alarm: &Alarm, scheduled_for: Timestamp, reason: RemovalReason) -> Fact {
    Fact::ReminderRemoved { reminder_id: alarm.reminder_id.clone(), scheduled_for, reason }
}

fn scheduled(alarm: &Alarm, scheduled_for: Timestamp) -> Fact {
    Fact::ReminderScheduled { reminder_id: alarm.reminder_id.clone(), scheduled_for }
}
