//! A command that was applied before is answered, not applied again.

use super::Answer;
use crate::command::Command;
use crate::rejection::Rejection;
use crate::state::{CommandRecord, TaskState};

/// The recorded answer to a command that is known by its id, or that repeats the last one applied.
///
/// The second rule needs no help from the caller: the sidecar itself re-sends calls when an actor
/// moves. A new command id says that the caller means it as a new command.
pub(super) fn recorded(
    state: Option<&TaskState>,
    command: &Command,
) -> Result<Option<Answer>, Rejection> {
    let Some(state) = state else { return Ok(None) };
    let record = match command.id {
        Some(id) => state.commands.iter().rev().find(|record| record.id == Some(id)),
        None => state.commands.last().filter(|record| record.fingerprint == command.fingerprint),
    };
    match record {
        Some(record) if record.fingerprint != command.fingerprint => {
            Err(Rejection::CommandIdReused)
        }
        record => Ok(record.map(CommandRecord::answer)),
    }
}

impl CommandRecord {
    /// Records what a command led to.
    pub(super) fn new(command: &Command, answer: Answer) -> Self {
        Self {
            id: command.id,
            fingerprint: command.fingerprint,
            version: answer.version,
            next_reminder_at: answer.next_reminder_at,
            status: answer.status,
            created: answer.created,
            adjusted: answer.adjusted,
        }
    }

    fn answer(&self) -> Answer {
        Answer {
            version: self.version,
            status: self.status,
            next_reminder_at: self.next_reminder_at,
            created: self.created,
            adjusted: self.adjusted.clone(),
        }
    }
}
