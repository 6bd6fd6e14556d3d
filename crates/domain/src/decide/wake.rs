//! A wake means only "look at the clock": early, late, duplicate and stale ones are all harmless.

use super::clocks::{self, Due};
use super::conclude::{answer, blank, number};
use super::{Change, Turn, scheduled};
use crate::alarm::{Alarm, Plan, Rung, Snooze};
use crate::event::{Cause, Fact, Triggered, UpdateReason};
use crate::history::{self, HistoryEntry};
use crate::reminder::Reminder;
use crate::schedule::Schedule;
use crate::state::{Lifecycle, TaskState};
use crate::time::Timestamp;

/// Fires everything that is due, in the order of its due times; nothing due changes nothing, nor does
/// anything while it is paused.
pub fn decide_wake(state: &TaskState, now: Timestamp) -> Turn {
    let due = |alarm: &Alarm| alarm.next().is_some_and(|at| at <= now);
    let live = match state.live() {
        Some(live) if live.pause().is_none() && live.alarms.iter().any(due) => live,
        _ => return Turn::Answer(answer(state)),
    };
    let mut next = live.clone();
    let schedule = live.schedule();
    let mut rings = Vec::new();
    for alarm in next.alarms.iter_mut().filter(|alarm| due(alarm)) {
        if let Some(reminder) = schedule.reminder(&alarm.reminder_id) {
            rings.extend(ring(schedule, &reminder, alarm, now));
        } else {
            // A stored task always has the reminders of its alarms; were one missing, it would
            // be due for ever.
            alarm.plan = Plan::Asleep;
            (alarm.rung, alarm.snooze) = (None, None);
        }
    }
    rings.sort_by(|a, b| (a.at, a.entry.reminder_id()).cmp(&(b.at, b.entry.reminder_id())));
    let fired = rings.iter().any(|ring| matches!(ring.entry, HistoryEntry::Fired(_)));
    let mut facts: Vec<Fact> = rings.iter().map(|ring| ring.entry.fact()).collect();
    for (before, after) in live.alarms.iter().zip(&next.alarms) {
        let moved = after.planned().filter(|at| before.planned() != Some(*at));
        facts.extend(moved.map(|at| scheduled(after, at)));
    }
    if fired {
        facts.push(Fact::TaskUpdated { reason: UpdateReason::ReminderTriggered });
    }
    facts.push(Fact::TaskSync);
    history::remember(&mut next.history, rings.into_iter().map(|ring| ring.entry));

    let mut changed = successor(state, now);
    changed.lifecycle = Lifecycle::Live(Box::new(next));
    let events = number(&mut changed.sequences, facts);
    Turn::Commit(Box::new(change(changed, events)))
}

/// Something that an alarm did, and when it was due.
struct Ring {
    at: Timestamp,
    entry: HistoryEntry,
}

/// Fires an alarm once for all of its clocks that have run out. An occurrence that nobody heard of
/// goes before the nag and the snooze of an earlier one; else the latest of them stands for all.
fn ring(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    alarm: &mut Alarm,
    now: Timestamp,
) -> Option<Ring> {
    let mut due = clocks::run_out(schedule, reminder, alarm, now);
    let is_news = |due: &Due| matches!(due, Due::Plan(..)) && !is_useless(reminder, due.at(), now);
    due.sort_by_key(|due| (is_news(due), due.at()));
    let latest = due.pop()?;
    for due in due.iter().chain([&latest]) {
        due.wind(alarm);
    }
    let missed = coalesced(&due, &latest);
    let at = latest.at();
    if is_useless(reminder, at, now) {
        return Some(Ring { at, entry: expired(alarm, at, now, missed) });
    }
    let (rung, cause, original) = match &latest {
        Due::Plan(_, plan) => {
            let rung = Rung { moment: plan.latest, fired_at: now, nagged: 0, nag_at: None };
            let cause = if missed.count > 0 { Cause::Coalesced } else { Cause::of(at, now) };
            (rung, cause, plan.latest.quiet_from)
        }
        Due::Snooze(Snooze { rung, .. }) => {
            (Rung { fired_at: now, ..*rung }, Cause::Snooze, Some(rung.moment.nominal()))
        }
        Due::Nag(_) => {
            let rung = alarm.rung?;
            (Rung { fired_at: now, ..rung }, Cause::Nag, Some(rung.moment.nominal()))
        }
    };
    let nag_at = match cause {
        // Nags do not drift.
        Cause::Nag => rung.nag_at,
        _ => clocks::first_nag(schedule, reminder, &rung),
    };
    alarm.rung = Some(Rung { nag_at, ..rung });
    let entry = HistoryEntry::Fired(Triggered {
        reminder_id: reminder.id.clone(),
        scheduled_for: at,
        fired_at: now,
        cause,
        coalesced: missed.count,
        first_missed: missed.first,
        original,
        nag: (cause == Cause::Nag).then_some(rung.nagged),
        occurrence: rung.moment.occurrence,
    });
    Some(Ring { at, entry })
}

/// Other moments that one firing stands for.
#[derive(Clone, Copy)]
struct Coalesced {
    count: u32,
    first: Option<Timestamp>,
}

/// What was missed beside what fires. A nag is no moment of its own: it counts only among nags.
fn coalesced(others: &[Due], latest: &Due) -> Coalesced {
    let others = others.iter().filter(|due| !matches!(due, Due::Nag(_)));
    let count: u32 = others.clone().map(|due| due.earlier() + 1).sum();
    let count = count.saturating_add(latest.earlier());
    let first = others.chain([latest]).map(Due::first).min();
    Coalesced { count, first: first.filter(|_| count > 0) }
}

fn expired(alarm: &mut Alarm, at: Timestamp, now: Timestamp, missed: Coalesced) -> HistoryEntry {
    if let Plan::Fired(moment) = alarm.plan
        && moment.at == at
    {
        alarm.plan = Plan::Expired(moment);
    }
    HistoryEntry::Expired {
        reminder_id: alarm.reminder_id.clone(),
        scheduled_for: at,
        at: now,
        coalesced: missed.count,
        first_missed: missed.first,
    }
}

fn is_useless(reminder: &Reminder, at: Timestamp, now: Timestamp) -> bool {
    reminder.late_limit_ms().is_some_and(|limit| now.millis_since(at) > limit)
}

/// A commit that changes nothing but the version, so that a statement still on its way for that
/// version is refused by the database. Without a state it leaves a tombstone.
pub fn fence(state: Option<&TaskState>, now: Timestamp) -> Change {
    let next =
        state.map_or_else(|| blank(now), |state| TaskState { updated_at: now, ..state.clone() });
    change(TaskState { version: next.version + 1, ..next }, Vec::new())
}

/// The state after a turn that no command asked for. Its wake has been used up, and the next one
/// is registered only after the commit, so nothing counts as armed.
pub(super) fn successor(state: &TaskState, now: Timestamp) -> TaskState {
    TaskState { version: state.version + 1, updated_at: now, armed: None, ..state.clone() }
}

pub(super) fn change(state: TaskState, events: Vec<crate::event::Event>) -> Change {
    let answer = answer(&state);
    Change { state, events, snapshot: None, answer }
}
