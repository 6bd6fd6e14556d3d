//! A recurring task moves on: its occurrence was completed, or is skipped.

use super::{Outcome, lifecycle, removal, scheduled};
use crate::alarm::{Alarm, Plan, Rung};
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::limits;
use crate::recurrence::{Cursor, LocalMoment};
use crate::rejection::Rejection;
use crate::reminder::Trigger;
use crate::schedule::Schedule;
use crate::state::Live;
use crate::task::{Recurrence, RecursFrom, Task};
use crate::time::{DueTime, Timestamp};
use chrono::NaiveDateTime;

/// Most occurrences looked through for the one to skip; a rule with COUNT has no more.
const LOOK_AHEAD_MAX: usize = limits::RECURRENCE_COUNT_MAX as usize;

const DOES_NOT_RECUR: &str = "the task does not recur, so there is no occurrence to skip; complete \
                              or delete it instead";

/// The occurrence after the present one, when that is done now. `None`: there is none.
pub(super) fn next_occurrence(live: &Live, now: Timestamp) -> Option<Cursor> {
    live.schedule().advanced(live.occurrence?, now)
}

/// Moves a task to another occurrence. Reminders of the occurrences left behind fall silent; what
/// of the new one is past already stays so.
pub(super) fn advance(
    live: &Live,
    cursor: Cursor,
    reason: UpdateReason,
    now: Timestamp,
) -> Outcome {
    let Some(task) = moved(&live.task, cursor.local) else {
        // The years end before the rule does.
        return lifecycle::end(live);
    };
    let mut next = live.clone();
    next.task = task;
    next.occurrence = Some(cursor);
    let mut facts = Vec::new();
    let schedule = Schedule::new(&next.task, &live.preferences.preferences);
    for alarm in &mut next.alarms {
        let before = alarm.clone();
        let is_ahead = |rung: &Rung| {
            let at = rung.moment.occurrence;
            schedule.recurs_by_itself() && at.is_some_and(|at| at.local >= cursor.local)
        };
        fall_silent(alarm, |rung| !is_ahead(rung), &mut facts);
        alarm.plan = plan(schedule, &before, cursor, now);
        announce(&before, alarm, RemovalReason::Advanced, &mut facts);
    }
    facts.extend([Fact::TaskUpdated { reason }, Fact::TaskSync]);
    Outcome::live(next, facts)
}

/// The task at another nominal due date; its start keeps its distance.
pub(super) fn moved(task: &Task, local: NaiveDateTime) -> Option<Task> {
    let due = task.due_date.as_ref()?;
    let start = match &task.start {
        Some(start) => Some(start.at_nominal(start.nominal() + (local - due.nominal()))?),
        None => None,
    };
    Some(task.at_occurrence(due.at_nominal(local)?, start))
}

/// Where an alarm stands once its task is at `cursor`.
fn plan(schedule: Schedule<'_>, before: &Alarm, cursor: Cursor, now: Timestamp) -> Plan {
    let Some(reminder) = schedule.reminder(&before.reminder_id) else {
        return before.plan.clone();
    };
    if matches!(reminder.trigger, Trigger::At(_)) {
        return before.plan.clone();
    }
    let at_or_after = |at: &Cursor| schedule.recurs_by_itself() && at.local >= cursor.local;
    // Whatever became of that one, nothing before it is to come any more: a reminder a week before
    // a daily task is a week ahead of it.
    let occurrence = before.plan.moment().and_then(|moment| moment.occurrence);
    if occurrence.as_ref().is_some_and(at_or_after) {
        return before.plan.clone();
    }
    match schedule.moment(&reminder, Some(cursor)) {
        Ok(Some(moment)) if moment.at > now => Plan::Scheduled(moment),
        Ok(Some(moment)) => {
            let missed = schedule.missed(&reminder, moment, now);
            missed.next.map_or(Plan::Skipped(missed.latest), Plan::Scheduled)
        }
        Ok(None) | Err(_) => Plan::Asleep,
    }
}

/// What rang for an occurrence that is done has been seen: its nag and its snooze end.
fn fall_silent(alarm: &mut Alarm, is_done: impl Fn(&Rung) -> bool, facts: &mut Vec<Fact>) {
    if let Some(rung) = alarm.rung.take_if(|rung| is_done(rung)) {
        alarm.acknowledged = alarm.acknowledged.max(Some(rung.fired_at));
    }
    if let Some(snooze) = alarm.snooze.take_if(|snooze| is_done(&snooze.rung)) {
        alarm.acknowledged = alarm.acknowledged.max(Some(snooze.rung.fired_at));
        facts.push(removal(alarm, snooze.until, RemovalReason::Advanced));
    }
}

fn announce(before: &Alarm, after: &Alarm, gone: RemovalReason, facts: &mut Vec<Fact>) {
    match (before.planned(), after.planned()) {
        (was, Some(is)) if was != Some(is) => facts.push(scheduled(after, is)),
        (Some(was), None) => facts.push(removal(before, was, gone)),
        _ => {}
    }
}

/// An occurrence does not take place: the present one, or one that is still to come.
pub(super) fn skip(
    live: &Live,
    occurrence: Option<NaiveDateTime>,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    let (Some(present), Some(recurrence)) = (live.occurrence, &live.task.recurrence) else {
        return Err(Rejection::Inapplicable(DOES_NOT_RECUR));
    };
    if !live.task.status.is_open() {
        return Err(Rejection::Inapplicable("the task is completed; reopen it first"));
    }
    let local = occurrence.unwrap_or(present.local);
    if local != present.local {
        check_is_ahead(live, recurrence, present, local)?;
    }
    let mut without = live.clone();
    without.task = live.task.with_recurrence(except(live, recurrence, present, local)?);
    if local == present.local {
        return Ok(match next_occurrence(&without, now) {
            Some(cursor) => advance(&without, cursor, UpdateReason::Skipped, now),
            None => lifecycle::end(&without),
        });
    }
    let mut facts = Vec::new();
    let schedule = Schedule::new(&without.task, &live.preferences.preferences);
    for alarm in &mut without.alarms {
        let is_skipped = |rung: &Rung| rung.moment.occurrence.is_some_and(|at| at.local == local);
        fall_silent(alarm, is_skipped, &mut facts);
        let Some(moment) = alarm.plan.scheduled().copied() else { continue };
        if moment.occurrence.is_some_and(|at| at.local == local) {
            let before = alarm.clone();
            let reminder = schedule.reminder(&alarm.reminder_id);
            let next = reminder.and_then(|reminder| schedule.following(&reminder, &moment));
            alarm.plan = next.map_or(Plan::Skipped(moment), Plan::Scheduled);
            announce(&before, alarm, RemovalReason::Advanced, &mut facts);
        }
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Skipped }, Fact::TaskSync]);
    Ok(Outcome::live(without, facts))
}

fn check_is_ahead(
    live: &Live,
    recurrence: &Recurrence,
    present: Cursor,
    local: NaiveDateTime,
) -> Result<(), Rejection> {
    if recurrence.from == RecursFrom::Completion {
        return Err(Rejection::invalid(
            "occurrence",
            "must be left out: a task that recurs from its completion has no other occurrence yet",
        ));
    }
    let begin = if recurrence.rule.count().is_none() && local > present.local {
        // Only what lies right before the occurrence matters, so the search starts there.
        Cursor { local: local - chrono::TimeDelta::milliseconds(1), number: 0 }
    } else {
        present
    };
    let later = live.schedule().series().into_iter().flat_map(|series| series.after(&begin));
    let mut upto = later.map(|next| next.cursor.local).take(LOOK_AHEAD_MAX);
    if upto.find(|at| *at >= local) == Some(local) {
        return Ok(());
    }
    Err(Rejection::invalid("occurrence", "is not an occurrence of the task that is still to come"))
}

/// The recurrence without an occurrence. Exceptions that are behind the task make room.
fn except(
    live: &Live,
    recurrence: &Recurrence,
    present: Cursor,
    local: NaiveDateTime,
) -> Result<Recurrence, Rejection> {
    let mut recurrence = recurrence.clone();
    let dates = &mut recurrence.exdates;
    if dates.len() >= limits::RECURRENCE_EXCEPTIONS_MAX {
        dates.retain(|date| match date {
            LocalMoment::DateTime(at) => *at >= present.local,
            LocalMoment::Date(day) => *day >= present.local.date(),
        });
    }
    if dates.len() >= limits::RECURRENCE_EXCEPTIONS_MAX {
        return Err(Rejection::invalid(
            "occurrence",
            "cannot be skipped: there are too many exdates",
        ));
    }
    dates.push(match live.task.due_date {
        Some(DueTime::Date(_)) => LocalMoment::Date(local.date()),
        _ => LocalMoment::DateTime(local),
    });
    Ok(recurrence)
}
