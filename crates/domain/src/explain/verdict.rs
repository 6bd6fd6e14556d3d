//! Why a given moment of a reminder fired when it did, or did not.

use super::Step;
use crate::alarm::{Alarm, Moment, Plan};
use crate::history::HistoryEntry;
use crate::ids::ReminderId;
use crate::pause::Pause;
use crate::preview::steps_of;
use crate::recurrence::Cursor;
use crate::reminder::{Reminder, Trigger};
use crate::schedule::Schedule;
use crate::state::Live;
use crate::time::Timestamp;
use chrono::TimeDelta;

/// Most occurrences looked through for the one that has a moment: so many are within the days by
/// which an offset, a gap or quiet hours may move it, for a rule of every minute.
const LOOK_AROUND_MAX: usize = 10_000;
/// Occurrences are looked for from this long before the moment on.
const LOOK_AROUND: TimeDelta = TimeDelta::days(3);

/// What became of a moment, and by which rules it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What became of it.
    pub verdict: Verdict,
    /// The rules that led to the moment; empty when no rule does.
    pub steps: Vec<Step>,
}

/// What became of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It fired.
    Fired {
        /// When.
        at: Timestamp,
    },
    /// It was missed, and a later firing stood for it.
    Coalesced {
        /// When that one was due.
        into: Timestamp,
        /// When that one fired.
        at: Timestamp,
    },
    /// It was past its late limit when its turn came.
    Expired {
        /// When its turn came.
        at: Timestamp,
    },
    /// Somebody dismissed it before it fired.
    Dismissed {
        /// When.
        at: Timestamp,
    },
    /// It will fire.
    Scheduled {
        /// When.
        at: Timestamp,
    },
    /// It does not fire as long as the task or its user is paused.
    Paused {
        /// When it is due, or was.
        at: Timestamp,
        /// Who has paused it.
        pause: Pause,
    },
    /// The task was completed before it could fire.
    Cancelled,
    /// It was past already when the task was made, moved on or resumed.
    Skipped,
    /// It is an exception of the recurrence.
    Excluded,
    /// The schedule has such a moment, but the task has left it behind, or it is too long ago to be
    /// remembered.
    Forgotten,
    /// The present schedule has no such moment.
    NotScheduled,
    /// The reminder has no moments: the anchor it counts from is missing.
    Asleep,
}

impl Verdict {
    /// The name in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Fired { .. } => "fired",
            Self::Coalesced { .. } => "coalesced",
            Self::Expired { .. } => "expired",
            Self::Dismissed { .. } => "dismissed",
            Self::Scheduled { .. } => "scheduled",
            Self::Paused { .. } => "paused",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Excluded => "excluded",
            Self::Forgotten => "forgotten",
            Self::NotScheduled => "notScheduled",
            Self::Asleep => "asleep",
        }
    }

    /// It in words.
    pub fn text(&self) -> String {
        match self {
            Self::Fired { at } => format!("it fired at {at}"),
            Self::Coalesced { into, at } => {
                format!("it was missed; the firing for {into}, at {at}, stood for it")
            }
            Self::Expired { at } => {
                format!("its turn came at {at}, past its late limit, so it did not fire")
            }
            Self::Dismissed { at } => format!("it was dismissed at {at}"),
            Self::Scheduled { at } => format!("it will fire at {at}"),
            Self::Paused { at, pause } => {
                let since = |who: &str, since: Option<Timestamp>| {
                    since.map(|since| format!("{who} is paused since {since}"))
                };
                let who = [since("the task", pause.task), since("its user", pause.user)];
                let who: Vec<String> = who.into_iter().flatten().collect();
                format!("it is due at {at} and waits: {}", who.join(", "))
            }
            Self::Cancelled => "the task was completed before it was due".into(),
            Self::Skipped => {
                "it was past already when the task was made, moved on or resumed".into()
            }
            Self::Excluded => "its occurrence is an exception of the recurrence".into(),
            Self::Forgotten => {
                "the schedule has this moment, but the task has left it behind or it is too long \
                 ago to be remembered"
                    .into()
            }
            Self::NotScheduled => {
                "the present schedule has no such moment: an earlier one may have had it".into()
            }
            Self::Asleep => "it has no moments, since what it counts from is missing".into(),
        }
    }
}

/// Explains what became of a reminder's moment at `at`, by the schedule or after quiet hours, a
/// snooze or a nag. `None`: the task has no such reminder and nothing is remembered of one.
pub fn explain(live: &Live, id: &ReminderId, at: Timestamp, now: Timestamp) -> Option<Explanation> {
    let mut explained = without_pause(live, id, at, now)?;
    if let (Verdict::Scheduled { at }, Some(pause)) = (&explained.verdict, live.pause()) {
        explained.verdict = Verdict::Paused { at: *at, pause };
    }
    Some(explained)
}

fn without_pause(
    live: &Live,
    id: &ReminderId,
    at: Timestamp,
    now: Timestamp,
) -> Option<Explanation> {
    if let Some(remembered) = remembered(live, id, at) {
        return Some(remembered);
    }
    let (schedule, alarm) = (live.schedule(), live.alarm(id)?);
    let reminder = schedule.reminder(id)?;
    if alarm.plan == Plan::Asleep {
        return Some(Explanation { verdict: Verdict::Asleep, steps: Vec::new() });
    }
    if let Some(verdict) = of_alarm(alarm, at) {
        let moment = alarm.plan.moment().copied();
        let steps = moment.map(|moment| schedule.steps(&reminder, &moment)).unwrap_or_default();
        return Some(Explanation { verdict, steps });
    }
    let Some(moment) = by_schedule(schedule, &reminder, alarm, at) else {
        return Some(Explanation { verdict: Verdict::NotScheduled, steps: Vec::new() });
    };
    let steps = schedule.steps(&reminder, &moment);
    let verdict = match moment.occurrence {
        Some(cursor) if is_excluded(live, &cursor) => Verdict::Excluded,
        _ if moment.at > now && is_ahead(alarm, &moment) => Verdict::Scheduled { at: moment.at },
        _ => Verdict::Forgotten,
    };
    Some(Explanation { verdict, steps })
}

/// What the history says of a moment.
fn remembered(live: &Live, id: &ReminderId, at: Timestamp) -> Option<Explanation> {
    let spans = |first: Option<Timestamp>, last: Timestamp| {
        first.is_some_and(|first| (first..last).contains(&at))
    };
    let of_entry = |entry: &HistoryEntry| match entry {
        HistoryEntry::Fired(triggered) => {
            let planned = triggered.original.filter(|_| triggered.nag.is_none());
            let verdict = if triggered.scheduled_for == at || planned == Some(at) {
                Verdict::Fired { at: triggered.fired_at }
            } else if spans(triggered.first_missed, triggered.scheduled_for) {
                Verdict::Coalesced { into: triggered.scheduled_for, at: triggered.fired_at }
            } else {
                return None;
            };
            Some(Explanation { verdict, steps: steps_of(live, triggered) })
        }
        HistoryEntry::Expired { scheduled_for, at: when, first_missed, .. } => {
            let of_it = *scheduled_for == at || spans(*first_missed, *scheduled_for);
            let verdict = Verdict::Expired { at: *when };
            of_it.then(|| Explanation { verdict, steps: Vec::new() })
        }
        HistoryEntry::Dismissed { scheduled_for, at: when, .. } => {
            let verdict = Verdict::Dismissed { at: *when };
            (*scheduled_for == at).then(|| Explanation { verdict, steps: Vec::new() })
        }
        HistoryEntry::Acknowledged { .. } => None,
    };
    // The first firing of a moment is what is asked for; its snoozes have moments of their own.
    live.history.iter().filter(|entry| entry.reminder_id() == id).find_map(of_entry)
}

/// What the alarm itself says of a moment.
fn of_alarm(alarm: &Alarm, at: Timestamp) -> Option<Verdict> {
    let snooze = alarm.snooze.map(|snooze| snooze.until).filter(|until| *until == at);
    let nag = alarm.rung.and_then(|rung| rung.nag_at).filter(|nag_at| *nag_at == at);
    if let Some(at) = snooze.or(nag) {
        return Some(Verdict::Scheduled { at });
    }
    let moment = alarm.plan.moment().filter(|moment| moment.at == at || moment.nominal() == at)?;
    Some(match alarm.plan {
        Plan::Scheduled(_) => Verdict::Scheduled { at: moment.at },
        Plan::Cancelled(_) => Verdict::Cancelled,
        Plan::Skipped(_) | Plan::Dismissed(_) => Verdict::Skipped,
        Plan::Fired(_) | Plan::Expired(_) | Plan::Asleep => Verdict::Forgotten,
    })
}

/// The moment that the schedule, without its exceptions, has at an instant.
fn by_schedule(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    alarm: &Alarm,
    at: Timestamp,
) -> Option<Moment> {
    let is_it = |moment: &Moment| moment.at == at || moment.nominal() == at;
    let of_plan = alarm.plan.moment().and_then(|moment| moment.occurrence);
    let moment_at = |cursor| schedule.moment(reminder, cursor).ok().flatten();
    let Some(series) = schedule.series().filter(|_| schedule.recurs_by_itself()) else {
        return moment_at(of_plan).filter(is_it);
    };
    let Trigger::Relative { .. } = reminder.trigger else {
        return moment_at(None).filter(is_it);
    };
    let everything = crate::recurrence::Series { exdates: &[], ..series };
    let first = everything.first()?;
    // The moment is so far from its occurrence as that of any other one, give or take some days.
    let lead = moment_at(Some(first.cursor))?.nominal().millis_since(first.resolved.at);
    let due = at.saturating_add_ms(-lead).to_datetime().with_timezone(&everything.clock.zone);
    let from = Cursor { local: due.naive_local() - LOOK_AROUND, number: 0 };
    // A rule with COUNT has to be counted from its start on, to know where it ends.
    let counts = everything.rule.count().is_some();
    let start = (counts || from.local < first.cursor.local).then_some(first.cursor);
    let begin = start.as_ref().unwrap_or(&from);
    let later = everything.after(begin).map(|occurrence| occurrence.cursor);
    let near = start.into_iter().chain(later).skip_while(|cursor| cursor.local < from.local);
    let moments = near.take(LOOK_AROUND_MAX).map_while(|cursor| {
        // Behind the moment there is none that could be it.
        moment_at(Some(cursor)).filter(|moment| moment.nominal() <= at || is_it(moment))
    });
    moments.into_iter().find(is_it)
}

/// Whether an alarm still comes to a moment of its schedule: it is not before the one that it waits for.
fn is_ahead(alarm: &Alarm, moment: &Moment) -> bool {
    let local = |moment: &Moment| moment.occurrence.map(|cursor| cursor.local);
    alarm.plan.scheduled().is_some_and(|next| local(moment) >= local(next))
}

fn is_excluded(live: &Live, cursor: &Cursor) -> bool {
    let recurrence = live.task.recurrence.as_ref();
    recurrence.is_some_and(|recurrence| recurrence.excludes(cursor.local, &live.task))
}
