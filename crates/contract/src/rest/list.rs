//! Pages of tasks and of reminders to come.

use crate::data::{TaskStatus, shown};
use reminder_domain::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries. A page may have fewer than asked for although more follow.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A task as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskItem {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: String,
    /// Whose it is.
    pub user_id: Option<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// When something of it fires next; null when nothing does, and while it is paused.
    #[schemars(with = "Option<shown::Instant>")]
    pub next_reminder_at: Option<Timestamp>,
    /// Whether it is paused, or its user is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// The version it is at.
    pub version: u64,
    /// When it last changed.
    #[schemars(with = "shown::Instant")]
    pub updated_at: Timestamp,
}

/// What fires next of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderItem {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: String,
    /// Whose it is.
    pub user_id: Option<String>,
    /// When it fires; earlier than now when it is about to.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// Where the task stands.
    pub status: TaskStatus,
    /// The version that the task is at.
    pub version: u64,
}

/// Declares words that a query may have as one table.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Their words.
            pub const WORDS: &[&str] = &[$($word,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one of that word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// Which tasks a list shows.
    StatusFilter {
        /// Those that are pending or in progress.
        Open = "open",
        /// Those not begun.
        Pending = "pending",
        /// Those begun.
        InProgress = "in_progress",
        /// Those done.
        Completed = "completed",
        /// Those deleted, as long as their tombstones are kept.
        Deleted = "deleted",
    }
}

words! {
    /// Which reminders a list shows.
    ReminderStatus {
        /// Those of the future.
        Upcoming = "upcoming",
        /// Those whose time has come, which have not fired.
        Overdue = "overdue",
    }
}
