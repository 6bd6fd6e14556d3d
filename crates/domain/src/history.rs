//! What happened to a task's reminders lately.

use crate::event::{Fact, RemovalReason, Triggered};
use crate::ids::ReminderId;
use crate::limits;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened to a reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "is")]
pub enum HistoryEntry {
    /// It fired.
    Fired(Triggered),
    /// Somebody has seen it.
    Acknowledged {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due by the schedule.
        scheduled_for: Timestamp,
        /// When it was acknowledged.
        at: Timestamp,
    },
    /// It was past its late limit when its turn came.
    Expired {
        /// Which.
        reminder_id: ReminderId,
        /// When it was due.
        scheduled_for: Timestamp,
        /// When its turn came.
        at: Timestamp,
        /// How many earlier moments had been missed too.
        coalesced: u32,
        /// The first of those.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_missed: Option<Timestamp>,
    },
    /// Somebody dismissed it before it fired.
    Dismissed {
        /// Which.
        reminder_id: ReminderId,
        /// When it would have been due.
        scheduled_for: Timestamp,
        /// When it was dismissed.
        at: Timestamp,
    },
}

impl HistoryEntry {
    /// The reminder that it happened to.
    pub fn reminder_id(&self) -> &ReminderId {
        match self {
            Self::Fired(triggered) => &triggered.reminder_id,
            Self::Acknowledged { reminder_id, .. }
            | Self::Expired { reminder_id, .. }
            | Self::Dismissed { reminder_id, .. } => reminder_id,
        }
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Fired(triggered) => triggered.fired_at,
            Self::Acknowledged { at, .. }
            | Self::Expired { at, .. }
            | Self::Dismissed { at, .. } => *at,
        }
    }

    /// The fact that tells it.
    pub(crate) fn fact(&self) -> Fact {
        match self.clone() {
            Self::Fired(triggered) => Fact::ReminderTriggered(triggered),
            Self::Expired { reminder_id, scheduled_for, at, coalesced, .. } => {
                Fact::ReminderExpired { reminder_id, scheduled_for, expired_at: at, coalesced }
            }
            Self::Acknowledged { reminder_id, scheduled_for, at } => {
                Fact::ReminderAcknowledged { reminder_id, scheduled_for, acknowledged_at: at }
            }
            Self::Dismissed { reminder_id, scheduled_for, .. } => {
                let reason = RemovalReason::Dismissed;
                Fact::ReminderRemoved { reminder_id, scheduled_for, reason }
            }
        }
    }
}

/// Adds what happened, forgetting the oldest beyond the bound.
pub(crate) fn remember(
    history: &mut Vec<HistoryEntry>,
    entries: impl IntoIterator<Item = HistoryEntry>,
) {
    limits::remember(history, entries, limits::HISTORY_MAX);
}
