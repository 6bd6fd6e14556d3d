//! All that is kept of one user, as JSON Lines: one of these a line.

use crate::data::shown;
use crate::problem::Problem;
use crate::wire::{TaskView, UserView};
use reminder_domain::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The media type of an export.
pub const JSON_LINES: &str = "application/jsonl";

/// What the first line says of how the others are written.
pub const EXPORT_FORMAT: u32 = 1;

/// A line of an export. The first is `export`, the last one `end`: without it, the export is not whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ExportLine {
    /// The first line.
    Export {
        /// How the others are written.
        format: u32,
        /// Of whom it is.
        user_id: String,
        /// When it was begun.
        #[schemars(with = "shown::Instant")]
        exported_at: Timestamp,
    },
    /// What the user prefers.
    Preferences {
        /// As `GET …/preferences` shows it.
        #[schemars(with = "UserView<'static>")]
        user: Value,
    },
    /// A task of the user.
    Task {
        /// As `GET /v1/tasks/{taskId}` shows it, with its reminders and what happened to them.
        #[schemars(with = "TaskView<'static>")]
        task: Value,
    },
    /// What is left of a deleted task: nothing but this.
    Deleted {
        /// Which.
        task_id: String,
        /// The version that it was left at.
        version: u64,
        /// When that was.
        #[schemars(with = "shown::Instant")]
        deleted_at: Timestamp,
    },
    /// A task that could not be read.
    Failed {
        /// Which.
        task_id: String,
        /// Why.
        problem: Problem,
    },
    /// The last line: how many lines of each kind came before.
    End {
        /// Tasks.
        tasks: u64,
        /// Deleted ones.
        deleted: u64,
        /// Those that could not be read.
        failed: u64,
        /// Whether all tasks were looked at; false: the database stopped answering.
        complete: bool,
    },
}
