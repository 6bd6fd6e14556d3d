//! The ways to a user.

pub(crate) mod console;
pub(crate) mod email;
pub(crate) mod webhook;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A way to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channel {
    /// A line on the standard output of this service.
    Console,
    /// A signed request to a URL of the user.
    Webhook,
    /// An e-mail to the user.
    Email,
}

impl Channel {
    /// How many there are.
    pub(crate) const COUNT: u64 = 3;

    /// Its name in events, logs and keys.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }

    /// Its number, below [`Self::COUNT`].
    pub(crate) const fn ordinal(self) -> u64 {
        match self {
            Self::Console => 0,
            Self::Webhook => 1,
            Self::Email => 2,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an attempt failed; the text is for logs and events, and has nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It may go well the next time.
    #[error("{reason}")]
    Temporary {
        /// What went wrong.
        reason: String,
        /// When the receiver wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Trying again cannot help.
    #[error("{0}")]
    Permanent(String),
}

impl Failure {
    /// One that names no time.
    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary { reason: reason.into(), retry_after: None }
    }
}
