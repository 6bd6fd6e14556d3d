//! What the owner of a task says of it, and what is remembered of that.
//!
//! A task has two writers: its owner, who tells every change in an event with a version, and this
//! service, which moves recurring tasks on. So that neither undoes the other, a task remembers the last
//! version that it followed, and what the owner said then of what both may move.

use crate::task::{Status, Task};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// An event of the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// Counts the changes of the task at its owner. Without it the order of arrival decides.
    pub version: Option<NonZeroU64>,
    /// What it tells.
    pub news: News,
}

/// What an event of the owner tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The whole task.
    Task {
        /// As the owner knows it. Without reminders it keeps those that it has; a new one gets those
        /// that its user prefers.
        task: Box<Task>,
        /// Of what both may move, what the owner says.
        said: Said,
    },
    /// There is no such task any more.
    Deleted,
}

/// What the owner said of what this service may move as well; of times a hash, for nobody asks what
/// they were but whether they are others now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// When it is due.
    #[serde(default, rename = "d")]
    pub due_date: u64,
    /// When it begins.
    #[serde(default, rename = "b")]
    pub start: u64,
    /// When it comes again.
    #[serde(default, rename = "r")]
    pub recurrence: u64,
    /// Where it stands.
    #[serde(default, rename = "s")]
    pub status: Status,
}

impl Said {
    /// Whether the owner has set the task to another time since it said `last`. Putting back what was
    /// completed does so too: the occurrence that was done is to be done again.
    pub(crate) fn moves(&self, last: &Self) -> bool {
        let reopened = !last.status.is_open() && self.status.is_open();
        self.due_date != last.due_date || self.start != last.start || reopened
    }
}

/// The last event of the owner that a task followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The highest version so far; `None`: no event had one.
    #[serde(default, rename = "v", skip_serializing_if = "Option::is_none")]
    pub version: Option<NonZeroU64>,
    /// The fingerprint of the event, by which the same one is known again.
    #[serde(default, rename = "f")]
    pub fingerprint: u64,
    /// What it said; `None`: that the task is gone.
    #[serde(default, rename = "o", skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}
