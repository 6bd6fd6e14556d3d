//! The words a task is described with: status and priority.

use crate::ids::InvalidText;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum Status {
    /// Not begun.
    #[default]
    Pending,
    /// Begun.
    InProgress,
    /// Done: nothing of it fires any more.
    Completed,
}

impl Status {
    /// Whether reminders of a task in this status fire.
    pub fn is_open(self) -> bool {
        self != Self::Completed
    }

    /// The name used in JSON and in the read model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

/// Through a string: derived code would also take `{"pending": null}`, and call a number bad syntax.
impl TryFrom<String> for Status {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let all = [Self::Pending, Self::InProgress, Self::Completed];
        all.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            InvalidText(format!("must be pending, in_progress or completed, but is {text:?}"))
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a task matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Should not wait.
    High,
    /// Must not wait.
    Urgent,
}

impl Priority {
    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// Through a string, as [`Status`].
impl TryFrom<String> for Priority {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let all = [Self::Low, Self::Normal, Self::High, Self::Urgent];
        all.into_iter().find(|priority| priority.as_str() == text).ok_or_else(|| {
            InvalidText(format!("must be low, normal, high or urgent, but is {text:?}"))
        })
    }
}
