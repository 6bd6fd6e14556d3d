//! Whether the task is there for who sends the command: on behalf of a user, tasks of others are none.

use super::check_version;
use crate::command::{Command, CommandKind};
use crate::ids::TaskId;
use crate::rejection::Rejection;
use crate::state::TaskState;

/// What the caller may be reminded of having sent before. A task of somebody else is refused in the words of
/// one that is not there, so that nobody learns which ids are taken; only a `put` cannot hide that it does not
/// create what is there already.
pub(super) fn admit<'a>(
    id: &TaskId,
    state: Option<&'a TaskState>,
    command: &Command,
) -> Result<Option<&'a TaskState>, Rejection> {
    let Some(user) = &command.as_user else { return Ok(state) };
    let Some(found) = state else { return Ok(None) };
    if found.owner() == Some(user) {
        return Ok(state);
    }
    if found.live().is_some() {
        return Err(not_there(id, command));
    }
    // What is left of another's task is nothing to this user, whose own task may take its place.
    Ok(None)
}

/// What a user is told of a task that is somebody else's: the same as where there is none.
pub fn not_there(id: &TaskId, command: &Command) -> Rejection {
    let creates = matches!(command.kind, CommandKind::Put(_));
    let conflict = check_version(None, command).err().filter(|_| creates);
    conflict.unwrap_or_else(|| Rejection::UnknownTask(id.clone()))
}
