//! What others publish on `task-events`, read as leniently as it can be understood.
//!
//! The opposite of [`crate::wire`]: who calls us is told of a misspelt field, while an event has been
//! published long ago, by a service that may be newer than this one. So unknown fields are passed over,
//! and all of these mean the same:
//!
//! - an event of the todo-api;
//! - a bare task object, as `dapr publish` sends it, in the envelope that the sidecar puts around it;
//! - an event that a publisher sent as plain JSON, so that the sidecar wrapped it once more;
//! - `data` as JSON, as a string that holds JSON, or in base64.

mod envelope;
mod task;

use crate::dead_letter::Reason;
use envelope::Envelope;
use reminder_domain::{Command, TaskId};

/// Largest event, in bytes; Kafka takes no larger record by default.
pub const EVENT_MAX_BYTES: usize = 1024 * 1024;

/// What an event on `task-events` comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// One of our own, come back.
    Own,
    /// Of a type that says nothing to us.
    Unknown {
        /// Which.
        event_type: String,
    },
    /// A task changed.
    Task(Box<TaskNews>),
}

/// A task changed at its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskNews {
    /// Which.
    pub task_id: TaskId,
    /// The id of the event, if it has one.
    pub event_id: Option<String>,
    /// What is to be done about it: an [`Ingest`](reminder_domain::CommandKind::Ingest).
    pub command: Command,
}

/// Why an event cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Unreadable {
    /// In a word.
    pub reason: Reason,
    /// In a sentence that names the field.
    pub detail: String,
    /// What is known of it all the same.
    pub known: Box<Known>,
}

/// What can be said even of an event that cannot be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub event_id: Option<String>,
    /// The flow it belongs to.
    pub correlation_id: Option<String>,
}

/// Reads the value of a record.
///
/// # Errors
/// Says what is wrong, naming the field.
pub fn read(bytes: &[u8]) -> Result<Incoming, Unreadable> {
    if bytes.len() > EVENT_MAX_BYTES {
        let (size, max) = (bytes.len(), EVENT_MAX_BYTES);
        return Err(Unreadable::new(
            Reason::TooLarge,
            format!("the event must be at most {max} bytes, but has {size}"),
        ));
    }
    let envelope = Envelope::open(bytes)?;
    envelope.incoming().map_err(|unreadable| unreadable.about(&envelope))
}

impl Unreadable {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), known: Box::default() }
    }

    fn invalid(field: &str, reason: &str) -> Self {
        Self::new(Reason::Invalid, format!("{field} {reason}"))
    }

    fn about(mut self, envelope: &Envelope) -> Self {
        self.known.event_id.clone_from(&envelope.id);
        self.known.correlation_id.clone_from(&envelope.correlation_id);
        self
    }
}
