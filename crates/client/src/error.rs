//! Why a call did not succeed.

use reminder_contract::Problem;
use std::time::Duration;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service refused it, and says why. [`Problem::kind`] tells what can be done about it.
    #[error("refused: {0}")]
    Refused(Problem),
    /// Nobody answered in time; whether a command was applied is unknown. Sent again with the same
    /// `idempotency_key` it is applied once.
    #[error("no answer: {0}")]
    Unanswered(#[source] reqwest::Error),
    /// The answer ended before it was whole, or the next piece of it did not come.
    #[error("the answer was broken off")]
    BrokenOff,
    /// Something between here and the service answered.
    #[error("status {status}: {detail}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        detail: String,
    },
    /// What was answered is not what this client knows.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// What was to be sent cannot be written as JSON.
    #[error("the body cannot be written: {0}")]
    Unwritable(#[source] serde_json::Error),
}

impl Error {
    /// Whether trying again, with the same key, can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(problem) => {
                problem.retry_after_seconds.is_some() || matches!(problem.status, 408 | 429)
            }
            Self::Unanswered(error) => !error.is_builder(),
            // A sidecar answers 500 while no replica is there.
            Self::Unexpected { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Unreadable(_) | Self::Unwritable(_) | Self::BrokenOff => false,
        }
    }

    /// How long the service asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(problem) => {
                problem.retry_after_seconds.map(|seconds| Duration::from_secs(seconds.into()))
            }
            _ => None,
        }
    }

    /// The problem, when the service told one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}
