//! The facts a turn publishes.

use crate::ids::ReminderId;
use crate::limits;
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
    ReminderTriggered {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due.
        scheduled_for: Timestamp,
        /// When the turn fired it; never before it was due.
        fired_at: Timestamp,
        /// How that came about.
        cause: Cause,
    },
    /// A reminder will not fire any more.
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

impl Fact {
    /// Where it is published.
    pub fn topic(&self) -> Topic {
        match self {
            Self::ReminderScheduled { .. }
            | Self::ReminderTriggered { .. }
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
    /// A `put` left it out.
    Replaced,
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
}
