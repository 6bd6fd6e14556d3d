//! A wake means only "look at the clock": early, late, duplicate and stale ones are all harmless.

use super::conclude::{answer, blank, number};
use super::{Change, Turn, scheduled};
use crate::alarm::{Alarm, Plan, Rung};
use crate::event::{Cause, Fact, Triggered, UpdateReason};
use crate::history::{self, HistoryEntry};
use crate::reminder::Reminder;
use crate::schedule::Schedule;
use crate::schedule::missed::Missed;
use crate::state::{Lifecycle, TaskState};
use crate::time::Timestamp;

/// Fires everything that is due, in the order of its due times; nothing due changes nothing.
pub fn decide_wake(state: &TaskState, now: Timestamp) -> Turn {
    let due = |alarm: &Alarm| alarm.next().is_some_and(|at| at <= now);
    let live = match state.live() {
        Some(live) if live.alarms.iter().any(due) => live,
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
    let planned = |alarm: &Alarm| alarm.plan.scheduled().map(|moment| moment.at);
    for (before, after) in live.alarms.iter().zip(&next.alarms) {
        facts.extend(
            planned(after).filter(|at| planned(before) != Some(*at)).map(|at| scheduled(after, at)),
        );
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

/// One of the clocks of an alarm, run out.
enum Due {
    Plan(Missed),
    Nag { at: Timestamp, skipped: u16 },
    Snooze(Rung, Timestamp),
}

/// Fires an alarm once for all of its clocks that have run out: the latest of them, which stands
/// for the others.
fn ring(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    alarm: &mut Alarm,
    now: Timestamp,
) -> Option<Ring> {
    let mut due = run_out(schedule, reminder, alarm, now);
    due.sort_by_key(Due::at);
    let latest = due.pop()?;
    let mut coalesced: u32 = due.iter().map(|due| due.skipped() + 1).sum();
    coalesced = coalesced.saturating_add(latest.skipped());
    let earliest = alarm.next();
    // Whatever ran out has now been dealt with.
    let before = alarm.rung;
    for due in due.iter().chain([&latest]) {
        due.wind(alarm);
    }
    let missed = Coalesced { count: coalesced, first: earliest.filter(|_| coalesced > 0) };
    let at = latest.at();
    match &latest {
        Due::Plan(plan) if alarm.is_acknowledged(&plan.latest) => None,
        Due::Plan(_) | Due::Snooze(..) if is_useless(reminder, at, now) => {
            Some(Ring { at, entry: expired(alarm, at, now, missed) })
        }
        Due::Plan(plan) => {
            let rung = Rung { moment: plan.latest, fired_at: now, nagged: 0, nag_at: None };
            let cause = match coalesced {
                0 => Cause::of(at, now),
                _ => Cause::Coalesced,
            };
            let original = plan.latest.quiet_from;
            Some(fire(schedule, reminder, alarm, rung, Firing { at, cause, original, missed }))
        }
        Due::Snooze(rung, _) => {
            let original = Some(rung.moment.nominal());
            let firing = Firing { at, cause: Cause::Snooze, original, missed };
            let rung = Rung { fired_at: now, nag_at: None, ..*rung };
            Some(fire(schedule, reminder, alarm, rung, firing))
        }
        Due::Nag { skipped, .. } => {
            let rung = before?;
            let original = Some(rung.moment.nominal());
            let nagged = rung.nagged.saturating_add(*skipped).saturating_add(1);
            let firing = Firing { at, cause: Cause::Nag, original, missed };
            let rung = Rung { fired_at: now, nagged, nag_at: None, ..rung };
            Some(fire(schedule, reminder, alarm, rung, firing))
        }
    }
}

/// What has run out of an alarm, each clock for itself.
fn run_out(schedule: Schedule<'_>, reminder: &Reminder, alarm: &Alarm, now: Timestamp) -> Vec<Due> {
    let mut due = Vec::new();
    if let Some(moment) = alarm.plan.scheduled().filter(|moment| moment.at <= now) {
        due.push(Due::Plan(schedule.missed(reminder, *moment, now)));
    }
    if let Some(at) = alarm.rung.and_then(|rung| rung.nag_at).filter(|at| *at <= now) {
        let (nagged, max) =
            (alarm.rung.map_or(0, |rung| rung.nagged), reminder.nag.map_or(1, |nag| nag.max));
        let every_ms = reminder.nag.map_or(1, |nag| nag.every_ms().max(1));
        let left = max.saturating_sub(nagged).saturating_sub(1);
        let skipped = u16::try_from(now.millis_since(at) / every_ms).unwrap_or(u16::MAX).min(left);
        let at = at.saturating_add_ms(every_ms.saturating_mul(i64::from(skipped)));
        due.push(Due::Nag { at, skipped });
    }
    if let Some(snooze) = alarm.snooze.filter(|snooze| snooze.until <= now) {
        due.push(Due::Snooze(snooze.rung, snooze.until));
    }
    due
}

impl Due {
    fn at(&self) -> Timestamp {
        match self {
            Self::Plan(missed) => missed.latest.at,
            Self::Nag { at, .. } | Self::Snooze(_, at) => *at,
        }
    }

    fn skipped(&self) -> u32 {
        match self {
            Self::Plan(missed) => missed.earlier,
            Self::Nag { skipped, .. } => u32::from(*skipped),
            Self::Snooze(..) => 0,
        }
    }

    /// Sets the clock to what follows.
    fn wind(&self, alarm: &mut Alarm) {
        match self {
            Self::Plan(missed) => {
                alarm.plan = missed.next.map_or(Plan::Fired(missed.latest), Plan::Scheduled);
            }
            Self::Nag { .. } => {
                if let Some(rung) = &mut alarm.rung {
                    rung.nag_at = None;
                }
            }
            Self::Snooze(..) => alarm.snooze = None,
        }
    }
}

/// Earlier moments that one firing stands for.
#[derive(Clone, Copy)]
struct Coalesced {
    count: u32,
    first: Option<Timestamp>,
}

#[derive(Clone, Copy)]
struct Firing {
    at: Timestamp,
    cause: Cause,
    original: Option<Timestamp>,
    missed: Coalesced,
}

fn fire(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    alarm: &mut Alarm,
    rung: Rung,
    firing: Firing,
) -> Ring {
    let Firing { at, cause, original, missed } = firing;
    alarm.rung = Some(Rung { nag_at: next_nag(schedule, reminder, &rung, &firing), ..rung });
    let entry = HistoryEntry::Fired(Triggered {
        reminder_id: reminder.id.clone(),
        scheduled_for: at,
        fired_at: rung.fired_at,
        cause,
        coalesced: missed.count,
        first_missed: missed.first,
        original,
        nag: (cause == Cause::Nag).then_some(rung.nagged),
        occurrence: rung.moment.occurrence,
    });
    Ring { at, entry }
}

/// When it nags next: so long after the last nag was due, so that it does not drift; after
/// another firing, so long after that. Quiet hours hold for nags as well.
fn next_nag(
    schedule: Schedule<'_>,
    reminder: &Reminder,
    rung: &Rung,
    firing: &Firing,
) -> Option<Timestamp> {
    let nag = reminder.nag.filter(|nag| rung.nagged < nag.max)?;
    let from = if firing.cause == Cause::Nag { firing.at } else { rung.fired_at };
    let mut at = from.saturating_add_ms(nag.every_ms());
    if at <= rung.fired_at {
        at = rung.fired_at.saturating_add_ms(nag.every_ms());
    }
    Some(schedule.quiet_end(at).unwrap_or(at))
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

impl HistoryEntry {
    /// The fact that tells it.
    fn fact(&self) -> Fact {
        match self.clone() {
            Self::Fired(triggered) => Fact::ReminderTriggered(triggered),
            Self::Expired { reminder_id, scheduled_for, at, coalesced, .. } => {
                Fact::ReminderExpired { reminder_id, scheduled_for, expired_at: at, coalesced }
            }
            Self::Acknowledged { reminder_id, scheduled_for, at } => {
                Fact::ReminderAcknowledged { reminder_id, scheduled_for, acknowledged_at: at }
            }
            Self::Dismissed { reminder_id, scheduled_for, .. } => Fact::ReminderRemoved {
                reminder_id,
                scheduled_for,
                reason: crate::event::RemovalReason::Dismissed,
            },
        }
    }
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

fn change(state: TaskState, events: Vec<crate::event::Event>) -> Change {
    let answer = answer(&state);
    Change { state, events, snapshot: None, answer }
}
