//! The decision of a turn: from a state and a command to the next state and its events.

mod apply;
mod idempotency;
#[cfg(test)]
mod tests;
mod wake;

use crate::command::Command;
use crate::event::Event;
use crate::ids::TaskId;
use crate::rejection::Rejection;
use crate::state::{Snapshot, TaskState};
use crate::task::Status;
use crate::time::Timestamp;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The version the command led to.
    pub version: u64,
    /// Where the task stands; `None` when it is deleted.
    pub status: Option<Status>,
    /// When the next reminder is due.
    pub next_reminder_at: Option<Timestamp>,
    /// Whether a `put` created the task; other commands do not say.
    pub created: Option<bool>,
}

/// Decides a command. A rejection changes nothing; a known command is answered as it was before.
///
/// # Errors
/// [`Rejection`] says what was wrong, naming the field where there is one.
pub fn decide(
    id: &TaskId,
    state: Option<&TaskState>,
    command: &Command,
    now: Timestamp,
) -> Result<Turn, Rejection> {
    if let Some(answer) = idempotency::recorded(state, command)? {
        return Ok(Turn::Answer(answer));
    }
    apply::apply(id, state, command, now)
}
