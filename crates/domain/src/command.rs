//! What a turn is asked to do.

use crate::ids::{CorrelationId, Traceparent};
use crate::task::Task;
use serde::{Deserialize, Serialize};

/// A command, parsed and complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub kind: CommandKind,
    /// Hash of the caller's `commandId`; a known one is answered and not applied again.
    pub id: Option<u64>,
    /// Hash of the kind and body without the ids: two commands with the same one ask for the same.
    pub fingerprint: u64,
    /// The version that the task must be at; 0 means it must not exist.
    pub if_version: Option<u64>,
    /// The flow that the command belongs to.
    pub origin: Origin,
}

/// The kinds of command that change a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Create the task or replace all of it.
    Put(Box<Task>),
    /// It is done.
    Complete,
    /// It is not done after all.
    Reopen,
    /// Forget it.
    Delete,
}

impl CommandKind {
    /// The name used in the actor API, logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Complete => "complete",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
        }
    }
}

/// The flow that a command belongs to; carried to the events that follow from it, days later too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The caller's id for the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The caller's trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
}
