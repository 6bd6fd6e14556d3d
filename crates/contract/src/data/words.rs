//! The words in payloads. Within version 1 words are only ever added.

use crate::vocabulary::vocabulary;
use reminder_domain::{event, explain, task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Why a reminder fired when it did.
    Cause {
        /// At its time.
        OnTime = "onTime",
        /// Later than five seconds after its time.
        Late = "late",
        /// It stands for earlier moments that were missed, too.
        Coalesced = "coalesced",
        /// A snooze ended.
        Snooze = "snooze",
        /// Nobody had acknowledged it.
        Nag = "nag",
    }
}

vocabulary! {
    /// Why a reminder will not fire any more.
    RemovalReason {
        /// The task was completed.
        Completed = "completed",
        /// The task was deleted.
        Deleted = "deleted",
        /// The task was replaced by one without it, or got another schedule.
        Replaced = "replaced",
        /// It was taken off the task.
        Removed = "removed",
        /// Somebody dismissed it before it fired.
        Dismissed = "dismissed",
        /// The task moved on to another occurrence.
        Advanced = "advanced",
        /// It fell due while the task or its user was paused, and was to be skipped.
        Skipped = "skipped",
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
        /// It was completed and comes again: it is at its next occurrence.
        Advanced = "advanced",
        /// An occurrence was skipped.
        Skipped = "skipped",
        /// A reminder was added, changed or removed.
        RemindersChanged = "remindersChanged",
        /// The preferences of its user, or the rules of a zone, moved its reminders.
        Rescheduled = "rescheduled",
        /// It was paused, or its user was: nothing of it fires.
        Paused = "paused",
        /// It was resumed, or its user was.
        Resumed = "resumed",
    }
}

vocabulary! {
    /// What became of a reminder.
    ReminderState {
        /// It will fire.
        Scheduled = "scheduled",
        /// It fired, and nothing follows.
        Fired = "fired",
        /// It will not fire: the task was completed or deleted first.
        Removed = "removed",
        /// It was past its late limit when its turn came.
        Expired = "expired",
        /// It was past already when the task was made, moved on or resumed.
        Skipped = "skipped",
        /// Somebody dismissed it before it fired.
        Dismissed = "dismissed",
        /// What it counts from is missing.
        Asleep = "asleep",
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

vocabulary! {
    /// A rule that had a part in a moment.
    Rule {
        /// The occurrence of a recurring task.
        Occurrence = "occurrence",
        /// What the reminder counts from.
        Anchor = "anchor",
        /// The reminder's own offset.
        Offset = "offset",
        /// The zone in which a wall time is read.
        Zone = "zone",
        /// A wall time that comes twice.
        Overlap = "overlap",
        /// A wall time that does not exist.
        Gap = "gap",
        /// The user's quiet hours.
        QuietHours = "quietHours",
        /// A snooze.
        Snooze = "snooze",
        /// A nag.
        Nag = "nag",
        /// Earlier moments that were missed.
        Coalesced = "coalesced",
        /// It fired late.
        Late = "late",
    }
}

impl From<event::Cause> for Cause {
    fn from(cause: event::Cause) -> Self {
        match cause {
            event::Cause::OnTime => Self::OnTime,
            event::Cause::Late => Self::Late,
            event::Cause::Coalesced => Self::Coalesced,
            event::Cause::Snooze => Self::Snooze,
            event::Cause::Nag => Self::Nag,
        }
    }
}

impl From<event::RemovalReason> for RemovalReason {
    fn from(reason: event::RemovalReason) -> Self {
        match reason {
            event::RemovalReason::Completed => Self::Completed,
            event::RemovalReason::Deleted => Self::Deleted,
            event::RemovalReason::Replaced => Self::Replaced,
            event::RemovalReason::Removed => Self::Removed,
            event::RemovalReason::Dismissed => Self::Dismissed,
            event::RemovalReason::Advanced => Self::Advanced,
            event::RemovalReason::Skipped => Self::Skipped,
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
            event::UpdateReason::Advanced => Self::Advanced,
            event::UpdateReason::Skipped => Self::Skipped,
            event::UpdateReason::RemindersChanged => Self::RemindersChanged,
            event::UpdateReason::Rescheduled => Self::Rescheduled,
            event::UpdateReason::Paused => Self::Paused,
            event::UpdateReason::Resumed => Self::Resumed,
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

impl From<explain::RuleName> for Rule {
    fn from(rule: explain::RuleName) -> Self {
        match rule {
            explain::RuleName::Occurrence => Self::Occurrence,
            explain::RuleName::Anchor => Self::Anchor,
            explain::RuleName::Offset => Self::Offset,
            explain::RuleName::Zone => Self::Zone,
            explain::RuleName::Overlap => Self::Overlap,
            explain::RuleName::Gap => Self::Gap,
            explain::RuleName::QuietHours => Self::QuietHours,
            explain::RuleName::Snooze => Self::Snooze,
            explain::RuleName::Nag => Self::Nag,
            explain::RuleName::Coalesced => Self::Coalesced,
            explain::RuleName::Late => Self::Late,
        }
    }
}
