//! Why a command was refused. A refused command changes nothing.

use crate::ids::TaskId;

/// A refusal, with all that the caller needs to act on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such task, or it was deleted.
    #[error("there is no task {0}")]
    UnknownTask(TaskId),
    /// The caller expected another version.
    #[error("the task is at version {actual}, not at {expected}")]
    VersionConflict {
        /// What the caller gave as `ifVersion`.
        expected: u64,
        /// What the task is at; 0 when it does not exist.
        actual: u64,
    },
    /// The command id was used before, with another body.
    #[error("this commandId was used before for another command")]
    CommandIdReused,
    /// A field cannot be used.
    #[error("{field} {reason}")]
    Invalid {
        /// The field, as a path into the body.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The task is not in a state in which this makes sense.
    #[error("{0}")]
    Inapplicable(&'static str),
    /// Too many events of this task wait for the broker.
    #[error("{0} changes of this task still wait to be published")]
    TooManyPending(usize),
}

impl Rejection {
    /// A field that cannot be used.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}
