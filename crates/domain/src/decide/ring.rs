//! What people do when an alarm rings: snooze, acknowledge, dismiss. None of them moves any other
//! moment of the schedule.

use super::reminders::unknown_reminder;
use super::{Outcome, scheduled};
use crate::alarm::{Alarm, Plan, Rung, Snooze};
use crate::command::Delay;
use crate::event::Fact;
use crate::history::{self, HistoryEntry};
use crate::ids::{PresetName, ReminderId};
use crate::rejection::Rejection;
use crate::schedule::within_horizon;
use crate::state::Live;
use crate::time::{Shift, Timestamp};

const NOTHING_RANG: &str = "no reminder rang that could be snoozed: it has yet to fire, or was \
                            acknowledged";

/// Puts off what rang; a snooze under way is replaced.
pub(super) fn snooze(
    live: &Live,
    reminder_id: Option<&ReminderId>,
    delay: &Delay,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    check_known(live, reminder_id)?;
    if !live.task.status.is_open() {
        return Err(Rejection::Inapplicable("the task is completed: nothing of it can be snoozed"));
    }
    let until = until(live, delay, now)?;
    let mut next = live.clone();
    let mut facts = Vec::new();
    for alarm in next.alarms.iter_mut().filter(|alarm| is_meant(alarm, reminder_id)) {
        let Some(rung) = rang(alarm) else { continue };
        let rung = Rung { nag_at: None, ..rung };
        alarm.rung = Some(rung);
        alarm.snooze = Some(Snooze { until, rung });
        facts.push(Fact::ReminderSnoozed {
            reminder_id: alarm.reminder_id.clone(),
            scheduled_for: rung.moment.at,
            until,
        });
    }
    if facts.is_empty() {
        return Err(Rejection::Inapplicable(NOTHING_RANG));
    }
    facts.push(Fact::TaskSync);
    Ok(Outcome::live(next, facts))
}

/// The firing that a command is about: the last one, or the one put off.
fn rang(alarm: &Alarm) -> Option<Rung> {
    alarm.rung.or(alarm.snooze.map(|snooze| snooze.rung))
}

fn until(live: &Live, delay: &Delay, now: Timestamp) -> Result<Timestamp, Rejection> {
    let preferences = &live.preferences.preferences;
    let clock = preferences.clock();
    let (field, until) = match delay {
        Delay::For(delay) => ("for", delay.until(now, clock)),
        Delay::Until(time) => {
            ("until", time.resolve(clock, Shift::NONE).map(|resolved| resolved.at))
        }
        Delay::Preset(name) => {
            let presets = &preferences.snooze_presets;
            let Some(delay) = presets.get(name) else {
                let known: Vec<&str> = presets.keys().map(PresetName::as_str).collect();
                let known = known.join(", ");
                let reason = format!("is not one of the user's snooze presets ({known})");
                return Err(Rejection::invalid("preset", reason));
            };
            ("preset", delay.until(now, clock))
        }
    };
    let until = within_horizon(|| field.to_owned(), until, now)?;
    if until <= now {
        return Err(Rejection::invalid(
            field,
            format!("ends at {until}, which is not in the future"),
        ));
    }
    Ok(until)
}

/// What rang was seen. Doing so again, or when nothing rang, is no mistake: devices race.
pub(super) fn acknowledge(
    live: &Live,
    reminder_id: Option<&ReminderId>,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    check_known(live, reminder_id)?;
    let mut next = live.clone();
    let mut facts = Vec::new();
    let mut entries = Vec::new();
    for alarm in next.alarms.iter_mut().filter(|alarm| is_meant(alarm, reminder_id)) {
        seen(alarm, now, &mut facts, &mut entries);
    }
    Ok(finished(next, facts, entries))
}

/// As acknowledging; and what has not rung is not going to: the next moment of a reminder that is
/// named, else those of the present occurrence.
pub(super) fn dismiss(
    live: &Live,
    reminder_id: Option<&ReminderId>,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    check_known(live, reminder_id)?;
    let mut next = live.clone();
    let mut facts = Vec::new();
    let mut entries = Vec::new();
    let schedule = live.schedule();
    for alarm in next.alarms.iter_mut().filter(|alarm| is_meant(alarm, reminder_id)) {
        if seen(alarm, now, &mut facts, &mut entries) {
            continue;
        }
        let Plan::Scheduled(moment) = alarm.plan else { continue };
        let of_present = moment
            .occurrence
            .is_none_or(|at| live.occurrence.is_none_or(|present| at.local <= present.local));
        if reminder_id.is_none() && !of_present {
            continue;
        }
        let reminder = schedule.reminder(&alarm.reminder_id);
        let following = reminder.and_then(|reminder| schedule.following(&reminder, &moment));
        let (reminder_id, scheduled_for) = (alarm.reminder_id.clone(), moment.at);
        let entry = HistoryEntry::Dismissed { reminder_id, scheduled_for, at: now };
        facts.push(entry.fact());
        entries.push(entry);
        alarm.plan = following.map_or(Plan::Dismissed(moment), Plan::Scheduled);
        facts.extend(following.map(|moment| scheduled(alarm, moment.at)));
    }
    Ok(finished(next, facts, entries))
}

/// Stops the nag, forgets the snooze and moves the watermark: whatever is replayed, what has rung
/// by the acknowledged firing does not fire again. What came due after it and waits for its turn
/// does: nobody can have seen it.
fn seen(
    alarm: &mut Alarm,
    now: Timestamp,
    facts: &mut Vec<Fact>,
    entries: &mut Vec<HistoryEntry>,
) -> bool {
    let Some(rung) = rang(alarm) else { return false };
    alarm.rung = None;
    alarm.snooze = None;
    alarm.acknowledged = alarm.acknowledged.max(Some(rung.fired_at));
    let (reminder_id, scheduled_for) = (alarm.reminder_id.clone(), rung.moment.at);
    let entry = HistoryEntry::Acknowledged { reminder_id, scheduled_for, at: now };
    facts.push(entry.fact());
    entries.push(entry);
    true
}

fn finished(mut live: Live, mut facts: Vec<Fact>, entries: Vec<HistoryEntry>) -> Outcome {
    if !facts.is_empty() {
        facts.push(Fact::TaskSync);
    }
    history::remember(&mut live.history, entries);
    Outcome::live(live, facts)
}

fn is_meant(alarm: &Alarm, reminder_id: Option<&ReminderId>) -> bool {
    reminder_id.is_none_or(|id| alarm.reminder_id == *id)
}

fn check_known(live: &Live, reminder_id: Option<&ReminderId>) -> Result<(), Rejection> {
    match reminder_id {
        Some(id) if live.alarm(id).is_none() => Err(unknown_reminder(id)),
        _ => Ok(()),
    }
}
