//! The payload of each event type. The comments of the fields are the descriptions in the schemas.
//!
//! Within version 1 fields and words are only ever added: readers ignore what they do not know.

use crate::vocabulary::vocabulary;
use reminder_domain::task::{self, Priority};
use reminder_domain::time::DueTime;
use reminder_domain::{Timestamp, event};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How JSON shows the types of the domain; only the schemas use these.
mod shown {
    use schemars::JsonSchema;

    /// An instant, RFC 3339 in UTC with milliseconds.
    #[derive(JsonSchema)]
    #[schemars(inline, extend("format" = "date-time"))]
    pub(super) struct Instant(#[expect(dead_code, reason = "only its schema is used")] String);

    /// An instant (RFC 3339), or a local time in an IANA zone.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "only its schema is used")]
    pub(super) enum DueDate {
        /// A point on the time line.
        Instant(#[schemars(extend("format" = "date-time"))] String),
        /// What a clock on the wall of the zone shows.
        Zoned {
            /// The wall time, such as `2027-03-01T09:00:00`.
            local: String,
            /// The IANA zone, such as `Europe/Berlin`.
            zone: String,
        },
    }

    /// How much the task matters.
    #[derive(JsonSchema)]
    #[schemars(inline, rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is used")]
    pub(super) enum Priority {
        Low,
        Normal,
        High,
        Urgent,
    }
}

vocabulary! {
    /// Why a reminder fired when it did.
    Cause {
        /// At its time.
        OnTime = "onTime",
        /// Later than five seconds after its time.
        Late = "late",
    }
}

vocabulary! {
    /// Why a reminder will not fire any more.
    RemovalReason {
        /// The task was completed.
        Completed = "completed",
        /// The task was deleted.
        Deleted = "deleted",
        /// The task was replaced by one without it.
        Replaced = "replaced",
    }
}

vocabulary! {
    /// What changed the task.
    UpdateReason {
        /// It was created.
        Created = "created",
        /// It was replaced.
        Replaced = "replaced",
        /// It was completed.
        Completed = "completed",
        /// It was reopened.
        Reopened = "reopened",
        /// It was deleted.
        Deleted = "deleted",
        /// One or more of its reminders fired.
        ReminderTriggered = "reminderTriggered",
    }
}

vocabulary! {
    /// What became of a reminder.
    ReminderState {
        /// It will fire.
        Scheduled = "scheduled",
        /// It fired.
        Fired = "fired",
        /// It will not fire: the task was completed or deleted first.
        Removed = "removed",
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Not begun.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// There is no such task any more.
    Deleted,
}

/// A reminder got a time, or another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReminderScheduled<'a> {
    /// The task.
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
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
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    pub reminder_id: Cow<'a, str>,
    /// When it was due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// When it fired; never before it was due.
    #[schemars(with = "shown::Instant")]
    pub fired_at: Timestamp,
    /// Milliseconds from `scheduledFor` to `firedAt`.
    pub late_by_ms: u64,
    /// Why it fired when it did: `onTime`, or `late` (by more than five seconds). Other words may
    /// be added.
    pub cause: Cause,
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
    pub task_id: Cow<'a, str>,
    /// The reminder, named within its task.
    pub reminder_id: Cow<'a, str>,
    /// When it would have been due.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// Why: `completed`, `deleted` or `replaced`. Other words may be added.
    pub reason: RemovalReason,
    /// The version of the task that removed it.
    pub version: u64,
}

/// A whole task at one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskSnapshot<'a> {
    /// The task.
    pub task_id: Cow<'a, str>,
    /// One line that says what it is.
    pub title: Cow<'a, str>,
    /// More words.
    pub description: Option<Cow<'a, str>>,
    /// When it is due, as it was given.
    #[schemars(with = "Option<shown::DueDate>")]
    pub due_date: Option<Cow<'a, DueTime>>,
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
    /// Counts the changes of the task from 1; of two snapshots the higher one is the later.
    pub version: u64,
    /// When its next reminder fires; null when none is left.
    #[schemars(with = "Option<shown::Instant>")]
    pub next_reminder_at: Option<Timestamp>,
}

/// The scheduler changed a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdated<'a> {
    /// The task after the change.
    #[serde(flatten)]
    pub task: TaskSnapshot<'a>,
    /// What changed it: `created`, `replaced`, `completed`, `reopened`, `deleted` or
    /// `reminderTriggered`. Other words may be added.
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
    pub id: Cow<'a, str>,
    /// When it fires, fired or would have fired.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// What became of it: `scheduled`, `fired` or `removed`. Other words may be added.
    pub state: ReminderState,
}

impl From<event::Cause> for Cause {
    fn from(cause: event::Cause) -> Self {
        match cause {
            event::Cause::OnTime => Self::OnTime,
            event::Cause::Late => Self::Late,
        }
    }
}

impl From<event::RemovalReason> for RemovalReason {
    fn from(reason: event::RemovalReason) -> Self {
        match reason {
            event::RemovalReason::Completed => Self::Completed,
            event::RemovalReason::Deleted => Self::Deleted,
            event::RemovalReason::Replaced => Self::Replaced,
        }
    }
}

impl From<event::UpdateReason> for UpdateReason {
    fn from(reason: event::UpdateReason) -> Self {
        match reason {
            event::UpdateReason::Created => Self::Created,
            event::UpdateReason::Replaced => Self::Replaced,
            event::UpdateReason::Completed => Self::Completed,
            event::UpdateReason::Reopened => Self::Reopened,
            event::UpdateReason::Deleted => Self::Deleted,
            event::UpdateReason::ReminderTriggered => Self::ReminderTriggered,
        }
    }
}

/// `None` is what the domain says of a deleted task.
impl From<Option<task::Status>> for TaskStatus {
    fn from(status: Option<task::Status>) -> Self {
        match status {
            Some(task::Status::Pending) => Self::Pending,
            Some(task::Status::InProgress) => Self::InProgress,
            Some(task::Status::Completed) => Self::Completed,
            None => Self::Deleted,
        }
    }
}
