//! The clocks of an alarm: its plan, its nag and its snooze; which have run out, and what follows.

use crate::alarm::{Alarm, Plan, Rung, Snooze};
use crate::reminder::{Nag, Reminder};
use crate::schedule::Schedule;
use crate::schedule::missed::Missed;
use crate::time::Timestamp;

/// A clock that has run out.
pub(super) enum Due {
    /// The plan, at its first moment that was missed.
    Plan(Timestamp, Missed),
    /// The nag of what rang.
    Nag(MissedNags),
    /// The snooze.
    Snooze(Snooze),
}

/// Nags that have come.
pub(super) struct MissedNags {
    first: Timestamp,
    latest: Timestamp,
    /// How many came before the latest.
    earlier: u16,
    /// When it nags then.
    next: Option<Timestamp>,
}

/// What has run out of an alarm, each clock for itself.
pub(super) fn run_out(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    alarm: &Alarm,
    now: Timestamp,
) -> Vec<Due> {
    let mut due = Vec::new();
    if let Some(moment) = alarm.plan.scheduled().filter(|moment| moment.at <= now) {
        due.push(Due::Plan(moment.at, schedule.missed(reminder, *moment, now)));
    }
    if let Some(rung) = alarm.rung
        && let Some(at) = rung.nag_at.filter(|at| *at <= now)
    {
        due.push(Due::Nag(missed_nags(schedule, reminder.nag, rung, at, now)));
    }
    due.extend(alarm.snooze.filter(|snooze| snooze.until <= now).map(Due::Snooze));
    due
}

fn missed_nags(
    schedule: Schedule<'_>,
    nag: Option<Nag>,
    rung: Rung,
    first: Timestamp,
    now: Timestamp,
) -> MissedNags {
    let mut nags = MissedNags { first, latest: first, earlier: 0, next: None };
    let Some(nag) = nag else { return nags };
    // One by one, for quiet hours put some of them off; there are at most `limits::NAG_MAX`.
    let left = nag.max.saturating_sub(rung.nagged);
    for done in 1..left {
        let next = nag_after(schedule, nag, nags.latest);
        if next > now {
            nags.next = Some(next);
            break;
        }
        (nags.latest, nags.earlier) = (next, done);
    }
    nags
}

/// When it nags next after it nagged or fired: quiet hours hold for nags as well.
fn nag_after(schedule: Schedule<'_>, nag: Nag, from: Timestamp) -> Timestamp {
    let at = from.saturating_add_ms(nag.every_ms());
    schedule.quiet_end(at).unwrap_or(at)
}

/// When a firing other than a nag is followed by one: so long after it was heard.
pub(super) fn first_nag(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    rung: &Rung,
) -> Option<Timestamp> {
    let nag = reminder.nag.filter(|nag| rung.nagged < nag.max)?;
    Some(nag_after(schedule, nag, rung.fired_at))
}

impl Due {
    /// When the latest moment of it was.
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Plan(_, missed) => missed.latest.at,
            Self::Nag(nags) => nags.latest,
            Self::Snooze(snooze) => snooze.until,
        }
    }

    /// When the first moment of it was.
    pub(super) fn first(&self) -> Timestamp {
        match self {
            Self::Plan(first, _) => *first,
            Self::Nag(nags) => nags.first,
            Self::Snooze(snooze) => snooze.until,
        }
    }

    /// How many moments of it came before the latest.
    pub(super) fn earlier(&self) -> u32 {
        match self {
            Self::Plan(_, missed) => missed.earlier,
            Self::Nag(nags) => u32::from(nags.earlier),
            Self::Snooze(_) => 0,
        }
    }

    /// Sets the clock to what follows.
    pub(super) fn wind(&self, alarm: &mut Alarm) {
        match self {
            Self::Plan(_, missed) => {
                alarm.plan = missed.next.map_or(Plan::Fired(missed.latest), Plan::Scheduled);
            }
            Self::Nag(nags) => {
                if let Some(rung) = &mut alarm.rung {
                    rung.nagged = rung.nagged.saturating_add(nags.earlier).saturating_add(1);
                    rung.nag_at = nags.next;
                }
            }
            Self::Snooze(_) => alarm.snooze = None,
        }
    }
}
