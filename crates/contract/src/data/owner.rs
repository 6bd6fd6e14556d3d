//! What the scheduler's neighbours tell: the owner of the tasks, and who delivers what fired.

use super::{TaskStatus, TaskUpdated, shown};
use reminder_domain::Timestamp;
use reminder_domain::reminder::Reminder;
use reminder_domain::task::{Priority, Recurrence};
use reminder_domain::time::DueTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A whole task as its owner knows it, at one version.
///
/// Every event of the owner tells all of it, since the topic is compacted. What is left out is not
/// there any more, but for `reminders`: without them the task keeps those that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskEvent<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// One line that says what it is.
    pub title: Cow<'a, str>,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    /// When it is due.
    #[schemars(with = "Option<shown::DueDate>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Cow<'a, DueTime>>,
    /// When it begins.
    #[schemars(with = "Option<shown::DueDate>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Cow<'a, DueTime>>,
    /// When it comes again.
    #[schemars(with = "Option<shown::Recurrence>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Cow<'a, Recurrence>>,
    /// How much it matters.
    #[schemars(with = "shown::Priority")]
    #[serde(default)]
    pub priority: Priority,
    /// Labels.
    #[serde(default)]
    pub tags: Vec<Cow<'a, str>>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Who shall do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Cow<'a, str>>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Cow<'a, str>>,
    /// Whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Cow<'a, str>>,
    /// When to remind; left out: as before, for a new task as the user prefers.
    #[schemars(with = "Option<Vec<shown::Reminder>>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminders: Option<Vec<Reminder>>,
    /// Counts the changes of the task at its owner; the higher one is the later.
    pub version: u64,
    /// Where it stood before, in `task.status.changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<TaskStatus>,
    /// When it was due before, in `task.due.date.changed`.
    #[schemars(with = "Option<shown::DueDate>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_due_date: Option<Cow<'a, DueTime>>,
}

/// A task after a change, as the scheduler or as its owner tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TaskUpdate<'a> {
    /// By the scheduler.
    Scheduler(Box<TaskUpdated<'a>>),
    /// By its owner.
    Owner(Box<TaskEvent<'a>>),
}

/// A firing could not be delivered to its user, after every retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderFailed<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it was due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// The id of the `reminder.triggered` that could not be delivered.
    #[schemars(extend("examples" = ["milk-7:1:reminders-4"]))]
    pub event_id: Cow<'a, str>,
    /// By which way: `console`, `webhook` or `email`. Other words may be added.
    #[schemars(extend("examples" = ["console", "webhook", "email"]))]
    pub channel: Cow<'a, str>,
    /// Why not, without anything secret.
    pub reason: Cow<'a, str>,
    /// How often it was tried.
    #[schemars(range(min = 1))]
    pub attempts: u32,
    /// When it was given up.
    #[schemars(with = "shown::Instant")]
    pub failed_at: Timestamp,
}

/// Another person shall do a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskAssigneeChanged<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// Who shall do it now; null: nobody.
    pub assignee: Option<Cow<'a, str>>,
    /// Who should do it before; null: nobody.
    pub previous: Option<Cow<'a, str>>,
    /// The version of the task at its owner.
    pub version: u64,
}

/// Somebody commented on a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskCommentsUpdated<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// How many comments it has.
    pub count: u32,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Comment<'a>>,
    /// The version of the task at its owner.
    pub version: u64,
}

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comment<'a> {
    /// Who says it.
    pub author: Cow<'a, str>,
    /// What.
    pub text: Cow<'a, str>,
    /// When.
    #[schemars(with = "shown::Instant")]
    pub at: Timestamp,
}
