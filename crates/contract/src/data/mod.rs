//! The payload of each event type. The comments of the fields are the descriptions in the schemas.
//!
//! Within version 1 fields and words are only ever added: readers ignore what they do not know.

mod owner;
mod paused;
pub(crate) mod shown;
mod words;

pub use owner::{
    Comment, ReminderFailed, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent, TaskUpdate,
};
pub use paused::Paused;
pub use words::{Cause, ReminderState, RemovalReason, Rule, TaskStatus, UpdateReason};

use reminder_domain::Timestamp;
use reminder_domain::recurrence::LocalMoment;
use reminder_domain::task::{Priority, Recurrence};
use reminder_domain::time::DueTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A reminder got a time, or another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderScheduled<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it will fire.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// The task's title.
    pub title: Cow<'a, str>,
    /// The version of the task that scheduled it.
    pub version: u64,
}

/// A reminder fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderTriggered<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it was due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// When it fired; never before it was due.
    #[schemars(with = "shown::Instant")]
    pub fired_at: Timestamp,
    /// Milliseconds from `scheduledFor` to `firedAt`.
    pub late_by_ms: u64,
    /// Why it fired when it did.
    pub cause: Cause,
    /// How many earlier moments of the reminder were missed, for which this firing stands; at most
    /// 1000 are counted.
    #[serde(default)]
    pub coalesced: u32,
    /// The moment of the schedule, where quiet hours, a snooze or a nag made `scheduledFor` another
    /// one.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Timestamp>,
    /// The how manieth nag it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag: Option<u16>,
    /// The occurrence of a recurring task, by the wall time or date of its due date.
    #[schemars(with = "Option<shown::LocalMoment>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<LocalMoment>,
    /// The task's title.
    pub title: Cow<'a, str>,
    /// The task's description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'a, str>>,
    /// How much the task matters.
    #[schemars(with = "shown::Priority")]
    pub priority: Priority,
    /// The task's labels.
    pub tags: Vec<Cow<'a, str>>,
    /// Who shall do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Cow<'a, str>>,
    /// Whose task it is; null when the task does not say.
    pub user_id: Option<Cow<'a, str>>,
    /// When the task is due, as it was given.
    #[schemars(with = "Option<shown::DueDate>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Cow<'a, DueTime>>,
    /// The version of the task with which it fired.
    pub version: u64,
    /// The W3C traceparent of the command that scheduled it: a link, not the parent of this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_traceparent: Option<Cow<'a, str>>,
}

/// A reminder will not fire any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderRemoved<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it would have been due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// Why.
    pub reason: RemovalReason,
    /// The version of the task that removed it.
    pub version: u64,
}

/// A firing was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderSnoozed<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it was due by the schedule.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// When it fires again.
    #[schemars(with = "shown::Instant")]
    pub until: Timestamp,
    /// The version of the task with the snooze.
    pub version: u64,
}

/// Somebody has seen a firing: it will not come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderAcknowledged<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it was due by the schedule.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// When it was acknowledged.
    #[schemars(with = "shown::Instant")]
    pub acknowledged_at: Timestamp,
    /// The version of the task that acknowledged it.
    pub version: u64,
}

/// A reminder was past its late limit when its turn came, and did not fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderExpired<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: Cow<'a, str>,
    /// When it was due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// When its turn came.
    #[schemars(with = "shown::Instant")]
    pub expired_at: Timestamp,
    /// How many earlier moments of the reminder had been missed too; at most 1000 are counted.
    pub coalesced: u32,
    /// The task's title.
    pub title: Cow<'a, str>,
    /// The version of the task with which it expired.
    pub version: u64,
}

/// A whole task at one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskSnapshot<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// One line that says what it is.
    pub title: Cow<'a, str>,
    /// More words.
    pub description: Option<Cow<'a, str>>,
    /// When it is due, as it was given; of a recurring task, its present occurrence.
    #[schemars(with = "Option<shown::DueDate>")]
    pub due_date: Option<Cow<'a, DueTime>>,
    /// When it begins, as it was given.
    #[schemars(with = "Option<shown::DueDate>")]
    pub start: Option<Cow<'a, DueTime>>,
    /// When it comes again.
    #[schemars(with = "Option<shown::Recurrence>")]
    pub recurrence: Option<Cow<'a, Recurrence>>,
    /// How much it matters.
    #[schemars(with = "shown::Priority")]
    pub priority: Priority,
    /// Labels, in the caller's order.
    pub tags: Vec<Cow<'a, str>>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Who shall do it.
    pub assignee: Option<Cow<'a, str>>,
    /// Who asked for it.
    pub created_by: Option<Cow<'a, str>>,
    /// Whose task it is.
    pub user_id: Option<Cow<'a, str>>,
    /// Counts the scheduler's changes of the task from 1; of two snapshots the higher one is the later.
    pub version: u64,
    /// The last version of the task at its owner that the scheduler has heard of, in an event on
    /// `task-events`; missing when it was told by commands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<u64>,
    /// When its next reminder fires; null when none is left, and while it is paused.
    #[schemars(with = "Option<shown::Instant>")]
    pub next_reminder_at: Option<Timestamp>,
    /// Who has paused its reminders; missing when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
}

/// The scheduler changed a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdated<'a> {
    /// The task after the change.
    #[serde(flatten)]
    pub task: TaskSnapshot<'a>,
    /// What changed it.
    pub reason: UpdateReason,
}

/// A whole task with its reminders, for live front ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskSync<'a> {
    /// The task.
    #[serde(flatten)]
    pub task: TaskSnapshot<'a>,
    /// Its reminders and what became of them.
    pub reminders: Vec<ReminderView<'a>>,
}

/// One reminder as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderView<'a> {
    /// Names it within its task.
    #[schemars(with = "shown::ReminderId")]
    pub id: Cow<'a, str>,
    /// When it fires, fired or would have fired by its schedule; null when what it counts from is
    /// missing.
    #[schemars(with = "Option<shown::Instant>")]
    pub scheduled_for: Option<Timestamp>,
    /// What becomes of that moment.
    pub state: ReminderState,
    /// When it last fired, while nobody has acknowledged it.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Timestamp>,
    /// When its snooze ends.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// When it nags next.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nags_at: Option<Timestamp>,
    /// What fired up to here was acknowledged.
    #[schemars(with = "Option<shown::Instant>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_until: Option<Timestamp>,
}
