//! A command that was applied before is answered, not applied again.

use super::Answer;
use crate::command::{Command, CommandKind};
use crate::limits;
use crate::rejection::Rejection;
use crate::state::{CommandRecord, TaskState};
use crate::time::Timestamp;

/// The recorded answer to a command that is known by its id, or that repeats the last one applied.
///
/// The second rule needs no help from the caller: the sidecar itself re-sends calls when an actor
/// moves. A new command id says that the caller means it as a new command. Completing, snoozing and
/// the like may well be meant again: they count as sent twice only while nothing else happened to the
/// task, and not for longer than the sidecar may take.
pub(super) fn recorded(
    state: Option<&TaskState>,
    command: &Command,
    now: Timestamp,
) -> Result<Option<Answer>, Rejection> {
    let Some(state) = state else { return Ok(None) };
    if matches!(command.kind, CommandKind::Ingest(_)) {
        // By other rules: versions come before ids.
        return Ok(None);
    }
    let record = match command.id {
        Some(id) => state.commands.iter().rev().find(|record| record.id == Some(id)),
        None => state.commands.last().filter(|record| is_resent(state, record, command, now)),
    };
    match record {
        Some(record) if record.fingerprint != command.fingerprint => {
            Err(Rejection::CommandIdReused)
        }
        record => Ok(record.map(CommandRecord::answer)),
    }
}

fn is_resent(state: &TaskState, last: &CommandRecord, command: &Command, now: Timestamp) -> bool {
    // Every change of the task tells the whole of it; the commits of a recovery do not.
    let nothing_since = last.changes == state.sequences.task_updates
        && now.millis_since(state.updated_at) <= limits::RESENT_WITHIN_MS;
    last.fingerprint == command.fingerprint && (!may_be_meant_again(&command.kind) || nothing_since)
}

fn may_be_meant_again(kind: &CommandKind) -> bool {
    match kind {
        CommandKind::Complete
        | CommandKind::Skip { occurrence: None }
        | CommandKind::Snooze { .. }
        | CommandKind::Acknowledge { .. }
        | CommandKind::Dismiss { .. } => true,
        CommandKind::Put(_)
        | CommandKind::Reopen
        | CommandKind::Delete
        | CommandKind::Skip { occurrence: Some(_) }
        | CommandKind::PutReminder { .. }
        | CommandKind::RemoveReminder(_)
        | CommandKind::Pause
        | CommandKind::Resume { .. }
        | CommandKind::Ingest(_) => false,
    }
}

impl CommandRecord {
    /// Records what a command led to, `changes` being the events of the task on `task-updates`.
    pub(super) fn new(command: &Command, answer: Answer, changes: u64) -> Self {
        Self {
            changes,
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
