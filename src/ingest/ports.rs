//! What ingestion needs of the world outside.

use crate::ports::CallError;
use async_trait::async_trait;
use reminder_contract::incoming::TaskNews;

/// What came of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The task has changed, or remembers at least that it heard of it.
    Applied,
    /// It was known, or older than what is.
    Known,
}

/// Why an event was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// Something did not answer. It may have taken effect; the same event again does no harm.
    #[error("{0}")]
    Transient(String),
    /// The rules refuse it, and always will.
    #[error("{0}")]
    Refused(String),
}

/// The tasks, wherever they live now.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// Has a task follow an event: what it says, and the bytes that say it.
    async fn follow(&self, news: &TaskNews, event: &[u8]) -> Result<Followed, NotFollowed>;
}

/// A record that cannot be handled, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it goes.
    pub topic: &'static str,
    /// The key it had.
    pub key: Option<String>,
    /// Its value, as it came.
    pub value: Vec<u8>,
    /// What is told about it.
    pub headers: Vec<(&'static str, String)>,
}

/// Where dead letters go.
#[async_trait]
pub trait DeadLetters: Send + Sync + 'static {
    /// Puts a letter away for good.
    async fn bury(&self, letter: Letter) -> Result<(), CallError>;
}
