//! Alarms: what became of each reminder of a task, and what is to come.

use crate::ids::ReminderId;
use crate::recurrence::Cursor;
use crate::time::{Adjustment, Timestamp};
use serde::{Deserialize, Serialize};

/// Where one reminder stands.
///
/// Three clocks may run for it at once: its plan (the next moment by the schedule), the nag of what
/// rang last, and a snooze. None of them moves another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// The reminder it belongs to.
    pub reminder_id: ReminderId,
    /// The moment that the schedule is at.
    pub plan: Plan,
    /// The last firing, until it is acknowledged or the task moves on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
    /// A sibling alarm at a time of its own; the plan does not know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<Snooze>,
    /// When it was last acknowledged: a watermark, what lies before it never fires (RFC 9074 §6.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Timestamp>,
}

/// The moment that a reminder's schedule is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Plan {
    /// There is none: the anchor that it counts from is not there.
    Asleep,
    /// It will fire.
    Scheduled(Moment),
    /// It fired, and nothing follows.
    Fired(Moment),
    /// The task was completed first.
    Cancelled(Moment),
    /// It was past its late limit when its turn came, and nothing follows.
    Expired(Moment),
    /// It was past when the task was made, moved or resumed, and was not to fire then.
    Skipped(Moment),
    /// Somebody dismissed it before it fired, and nothing follows.
    Dismissed(Moment),
}

/// One moment of a reminder, and how it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// The stored due time: nothing fires before it.
    pub at: Timestamp,
    /// When it would have been due but for the quiet hours; `None`: they did not move it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_from: Option<Timestamp>,
    /// The occurrence of a recurring task that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Cursor>,
    /// What a daylight-saving rule did to it.
    #[serde(default, skip_serializing_if = "Adjustment::is_none")]
    pub adjustment: Adjustment,
}

impl Moment {
    /// When it is due by the schedule, before quiet hours: what identifies it.
    pub fn nominal(&self) -> Timestamp {
        self.quiet_from.unwrap_or(self.at)
    }

    /// Whether a rule made it another moment than the one asked for.
    pub fn is_moved(&self) -> bool {
        self.adjustment != Adjustment::None || self.quiet_from.is_some()
    }
}

/// A firing that somebody may acknowledge or snooze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rung {
    /// The moment of the schedule that led to it; of a snooze or a nag, the original one.
    pub moment: Moment,
    /// When the turn fired it.
    pub fired_at: Timestamp,
    /// How many times it nagged since.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nagged: u16,
    /// When it nags next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nag_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u16) -> bool {
    *n == 0
}

/// A firing put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snooze {
    /// When it fires again.
    pub until: Timestamp,
    /// The firing that was put off.
    pub rung: Rung,
}

impl Plan {
    /// Its moment, whatever became of it.
    pub fn moment(&self) -> Option<&Moment> {
        match self {
            Self::Asleep => None,
            Self::Scheduled(moment)
            | Self::Fired(moment)
            | Self::Cancelled(moment)
            | Self::Expired(moment)
            | Self::Skipped(moment)
            | Self::Dismissed(moment) => Some(moment),
        }
    }

    /// Its moment, if it is still to come.
    pub fn scheduled(&self) -> Option<&Moment> {
        match self {
            Self::Scheduled(moment) => Some(moment),
            _ => None,
        }
    }
}

impl Alarm {
    /// An alarm of which nothing happened yet.
    pub fn new(reminder_id: ReminderId, plan: Plan) -> Self {
        Self { reminder_id, plan, rung: None, snooze: None, acknowledged: None }
    }

    /// When it fires next by its schedule.
    pub fn planned(&self) -> Option<Timestamp> {
        self.plan.scheduled().map(|moment| moment.at)
    }

    /// When it must be looked at next.
    pub fn next(&self) -> Option<Timestamp> {
        let planned = self.planned();
        let nag = self.rung.and_then(|rung| rung.nag_at);
        let snooze = self.snooze.map(|snooze| snooze.until);
        [planned, nag, snooze].into_iter().flatten().min()
    }
}
