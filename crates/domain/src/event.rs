//! The facts a turn publishes.

use crate::ids::ReminderId;
use crate::limits;
use crate::recurrence::Cursor;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The topics that the scheduler publishes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// What becomes of reminders.
    Reminders,
    /// Changes of tasks that the scheduler made itself.
    TaskEvents,
    /// Snapshots for live front ends.
    TaskUpdates,
}

impl Topic {
    /// Every topic, in the order of its index.
    pub const ALL: [Self; 3] = [Self::Reminders, Self::TaskEvents, Self::TaskUpdates];
}

/// One event of a task: a fact and its place in the order of its topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts the events of one task and topic from 1, without a gap.
    pub sequence: u64,
    /// What happened.
    pub fact: Fact,
}

impl Event {
    /// Where it is published.
    pub fn topic(&self) -> Topic {
        self.fact.topic()
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum Fact {
    /// A reminder got a time, or another one.
    ReminderScheduled {
        /// Which.
        reminder_id: ReminderId,
        /// For when.
        scheduled_for: Timestamp,
    },
    /// A reminder fired.
    ReminderTriggered(Triggered),
    /// A firing was put off.
    ReminderSnoozed {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due by the schedule.
        scheduled_for: Timestamp,
        /// When it fires again.
        until: Timestamp,
    },
    /// Somebody has seen a firing: it will not come again.
    ReminderAcknowledged {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due by the schedule.
        scheduled_for: Timestamp,
        /// When it was acknowledged.
        acknowledged_at: Timestamp,
    },
    /// A reminder was past its late limit when its turn came, and did not fire.
    ReminderExpired {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due.
        scheduled_for: Timestamp,
        /// When its turn came.
        expired_at: Timestamp,
        /// How many earlier moments had been missed too.
        coalesced: u32,
    },
    /// A reminder will not fire any more at this moment.
    ReminderRemoved {
        /// Which.
        reminder_id: ReminderId,
        /// When it would have been due.
        scheduled_for: Timestamp,
        /// Why.
        reason: RemovalReason,
    },
    /// The scheduler changed the task.
    TaskUpdated {
        /// How.
        reason: UpdateReason,
    },
    /// The whole task, as it is now.
    TaskSync,
}

/// A firing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Triggered {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// When it was due.
    pub scheduled_for: Timestamp,
    /// When the turn fired it; never before it was due.
    pub fired_at: Timestamp,
    /// How that came about.
    pub cause: Cause,
    /// How many earlier moments were missed, for which this one stands too.
    #[serde(default)]
    pub coalesced: u32,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_missed: Option<Timestamp>,
    /// The moment of the schedule, where quiet hours, a snooze or a nag made it another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Timestamp>,
    /// The how manieth nag it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag: Option<u16>,
    /// The occurrence of a recurring task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Cursor>,
}

impl Fact {
    /// Where it is published.
    pub fn topic(&self) -> Topic {
        match self {
            Self::ReminderScheduled { .. }
            | Self::ReminderTriggered(_)
            | Self::ReminderSnoozed { .. }
            | Self::ReminderAcknowledged { .. }
            | Self::ReminderExpired { .. }
            | Self::ReminderRemoved { .. } => Topic::Reminders,
            Self::TaskUpdated { .. } => Topic::TaskEvents,
            Self::TaskSync => Topic::TaskUpdates,
        }
    }
}

/// Why a reminder fired when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// At its time.
    OnTime,
    /// Later than [`limits::ON_TIME_TOLERANCE_MS`] after its time.
    Late,
    /// It stands for earlier moments that were missed, too.
    Coalesced,
    /// A snooze ended.
    Snooze,
    /// Nobody had acknowledged it.
    Nag,
}

impl Cause {
    /// Judges a firing by its lateness.
    pub fn of(scheduled_for: Timestamp, fired_at: Timestamp) -> Self {
        if fired_at.millis_since(scheduled_for) <= limits::ON_TIME_TOLERANCE_MS {
            Self::OnTime
        } else {
            Self::Late
        }
    }
}

/// Why a reminder will not fire any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RemovalReason {
    /// The task was completed.
    Completed,
    /// The task was deleted.
    Deleted,
    /// A `put` left it out, or gave its task a schedule in which it does not fire.
    Replaced,
    /// It was taken off the task.
    Removed,
    /// Somebody dismissed it before it fired.
    Dismissed,
    /// The task moved on to another occurrence.
    Advanced,
    /// It fell due while its task or user was paused, and was skipped when that ended.
    Skipped,
}

/// What the scheduler did to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpdateReason {
    /// A `put` created it.
    Created,
    /// A `put` replaced it.
    Replaced,
    /// It was completed.
    Completed,
    /// It was reopened.
    Reopened,
    /// It was deleted.
    Deleted,
    /// One or more of its reminders fired.
    ReminderTriggered,
    /// It was completed and comes again: it is at its next occurrence.
    Advanced,
    /// An occurrence was skipped.
    Skipped,
    /// A reminder was added, changed or removed.
    RemindersChanged,
    /// The preferences of its user, or the rules of a zone, moved its reminders.
    Rescheduled,
    /// It was paused, or its user was: nothing of it fires.
    Paused,
    /// It was resumed, or its user was.
    Resumed,
}
