//! Repairs: what takes the place of a task's state that cannot be read.
//!
//! A repair is one statement through the fence: it follows the last version that the index knows and
//! raises the incarnation, so that no event id is used twice. The service finds the events of the new
//! state as those of a process that is gone, publishes them, and registers the wake.

mod bury;
mod pause;
mod successor;

use crate::clock::{Clock, SystemClock};
use crate::dapr::inbound::flow::new_correlation_id;
use crate::ports::{CallError, Users};
use crate::read_model::{QueryError, ReadModel, Stored, UserLookup};
use crate::turn::record::{self, UnreadableState};
pub(crate) use bury::Burying;
pub(crate) use pause::Paused;
use reminder_contract::Problem;
use reminder_contract::wire::{Method, parse_command};
use reminder_domain::{Command, TaskId, TaskState};
use successor::successor;

/// Where a task is repaired.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The database.
    pub(crate) model: &'a ReadModel,
    /// The state table.
    pub(crate) table: &'a str,
    /// The incarnation that everything goes on in.
    pub(crate) incarnation: u32,
    /// What is known of users.
    pub(crate) users: &'a UserLookup,
}

/// What takes the place of a state that cannot be read.
pub(crate) enum Replacement {
    /// A task, as a `put` says it.
    Task(Box<Command>),
    /// A deleted task, so that a new `put` can start over.
    Tombstone,
    /// A deleted task of nobody's.
    Erased,
}

/// What was done.
#[derive(Debug)]
pub(crate) struct Repaired {
    /// Why it was needed, in words.
    pub(crate) why: String,
    /// The state that is stored now.
    pub(crate) state: TaskState,
    /// Whether it is paused.
    pub(crate) paused: Paused,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepairError {
    /// It makes no sense as things are.
    #[error("{0}")]
    Refused(String),
    /// The database does not answer, or refuses.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// What is known of the user could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Replacement {
    /// The task that the body of a `put` says.
    ///
    /// # Errors
    /// A problem that names the field at fault.
    pub(crate) fn of_put(body: &[u8]) -> Result<Self, Problem> {
        let mut command = parse_command(Method::Put, body)?;
        command.origin.correlation_id.get_or_insert_with(new_correlation_id);
        Ok(Self::Task(Box::new(command)))
    }
}

/// Replaces what is stored of a task, if it cannot be read.
///
/// # Errors
/// When nothing is wrong with the task, or when the database does not answer.
pub(crate) async fn repair(
    place: Place<'_>,
    task: &TaskId,
    replacement: &Replacement,
) -> Result<Repaired, RepairError> {
    let Place { model, table, incarnation, users } = place;
    let stored = model.stored(table, task).await?;
    let why = refuse_unless_broken(task, &stored)?;
    let preferences = match replacement {
        Replacement::Task(command) => match command.kind.needs_preferences_of() {
            Some(user) => Some(users.preferences(user).await?),
            None => None,
        },
        Replacement::Tombstone | Replacement::Erased => None,
    };
    // What is not stored any more is born once more.
    let births = if stored.value.is_none() { model.births().await? } else { incarnation };
    let (present, now) = (incarnation.max(births), SystemClock.now());
    let mut state = successor(task, &stored, present, replacement, preferences.as_ref(), now)?;
    let paused = pause::carry_over(&stored, &mut state);
    let (old, new) = (stored.value.as_deref(), record::encode(&state));
    if !model.replace_state(table, task, old, &new).await? {
        return Err(RepairError::Refused(format!(
            "task {task} was changed meanwhile, so nothing was done; look at it again"
        )));
    }
    Ok(Repaired { why, state, paused })
}

/// Why it may be repaired, in words; a task that is well is left alone.
fn refuse_unless_broken(task: &TaskId, stored: &Stored) -> Result<String, RepairError> {
    if stored.value.is_none() && stored.index.is_none() {
        return Err(RepairError::Refused(format!("there is no task {task}; a `put` creates it")));
    }
    match examine(stored) {
        Ok(_) if stored.parked.as_deref() == Some(UnreadableState::Panicked.reason()) => {
            Ok(UnreadableState::Panicked.to_string())
        }
        Ok(state) => Err(RepairError::Refused(format!(
            "nothing is wrong with task {task}: it can be read, at version {}; use the actor API",
            state.version
        ))),
        Err(newer @ UnreadableState::Newer { .. }) => Err(RepairError::Refused(format!(
            "task {task} is not damaged: {newer}; it is tried again by itself"
        ))),
        Err(why) => Ok(why.to_string()),
    }
}

/// Reads what is stored. An empty value is none.
pub(crate) fn examine(stored: &Stored) -> Result<TaskState, UnreadableState> {
    match stored.value.as_deref() {
        None | Some([]) => Err(UnreadableState::Missing),
        Some(value) => record::decode(value),
    }
}
