//! A task is created, or replaced as a whole.

use super::advance::moved;
use super::place::Placing;
use super::{Outcome, pause};
use crate::command::{IfPast, Origin, Put, RestoredAlarm};
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::preferences::KnownPreferences;
use crate::recurrence::{Cursor, Series};
use crate::rejection::Rejection;
use crate::schedule::Schedule;
use crate::state::Live;
use crate::task::{Recurrence, RecursFrom, Status, Task};
use crate::time::{self, Timestamp};

pub(super) fn put(
    live: Option<&Live>,
    asked: &Put,
    preferences: Option<&KnownPreferences>,
    origin: &Origin,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    let preferences = preferences_for(live, &asked.task, preferences);
    let reason = if live.is_some() { UpdateReason::Replaced } else { UpdateReason::Created };
    let Put { task, if_past, restored } = asked;
    // A new task whose exceptions leave nothing of it is a mistake; of one that is here, they say that it is done.
    if live.is_none() && task.recurrence.as_ref().is_some_and(|it| !it.exdates.is_empty()) {
        Schedule::new(&with_start(None, task.clone()), &preferences.preferences).check(now)?;
    }
    let change = Replacement {
        task: task.clone(),
        preferences,
        if_past: *if_past,
        said_when: true,
        restored,
    };
    let mut outcome = change.apply(live, origin, RemovalReason::Replaced, now)?;
    outcome.facts.push(Fact::TaskUpdated { reason });
    if task.status.is_open() && outcome.is_done() {
        outcome.facts.push(Fact::TaskUpdated { reason: UpdateReason::Completed });
    }
    outcome.facts.push(Fact::TaskSync);
    Ok(outcome)
}

/// The preferences that hold for the task from now on.
pub(super) fn preferences_for(
    live: Option<&Live>,
    task: &Task,
    known: Option<&KnownPreferences>,
) -> KnownPreferences {
    let same_user = live.filter(|live| live.task.user_id == task.user_id);
    let copy = same_user.map(|live| &live.preferences);
    match (copy, known) {
        (None, known) => known.cloned().unwrap_or_default(),
        // A refresh may have brought newer ones while these were read.
        (Some(copy), Some(known)) if known.version >= copy.version => copy.followed_by(known),
        (Some(copy), _) => copy.clone(),
    }
}

/// A task that takes the place of another one, or of none.
pub(super) struct Replacement<'a> {
    pub(super) task: Task,
    pub(super) preferences: KnownPreferences,
    pub(super) if_past: IfPast,
    /// Whether the caller has just said when it is due, or which occurrences of it take place.
    pub(super) said_when: bool,
    /// What an imported calendar says of the alarms.
    pub(super) restored: &'a [RestoredAlarm],
}

impl Replacement<'_> {
    /// The alarms placed; facts about them only.
    pub(super) fn apply(
        self,
        old: Option<&Live>,
        origin: &Origin,
        gone: RemovalReason,
        now: Timestamp,
    ) -> Result<Outcome, Rejection> {
        let same_user = old.filter(|old| old.task.user_id == self.task.user_id);
        let released = same_user.and_then(|old| pause::released(old, &self.preferences));
        let (old, mut told) = match &released {
            Some((released, facts)) => (Some(released), facts.clone()),
            None => (old, Vec::new()),
        };
        let task = with_start(old, self.task);
        let occurrence = occurrence(old, &task, &self.preferences);
        let (task, occurrence) = if self.said_when && task.status.is_open() {
            taking_place(task, occurrence, &self.preferences)
        } else {
            (task, occurrence)
        };
        let new = Live {
            task,
            alarms: Vec::new(),
            occurrence,
            paused_since: old.and_then(|old| old.paused_since),
            preferences: self.preferences.copied(),
            history: old.map(|old| old.history.clone()).unwrap_or_default(),
            origin: origin.clone(),
            zone_database: time::zone_database().to_owned(),
        };
        let (if_past, restored) = (self.if_past, self.restored);
        let mut outcome = Placing { old, new, if_past, restored, gone, now }.place()?;
        told.append(&mut outcome.facts);
        outcome.facts = told;
        Ok(outcome)
    }
}

/// A recurrence that does not say its start goes on from the stored one when it is the same rule at
/// the same occurrence; any other starts at the due date.
fn with_start(old: Option<&Live>, task: Task) -> Task {
    let (Some(recurrence), Some(due)) = (&task.recurrence, &task.due_date) else { return task };
    if recurrence.start.is_some() {
        return task;
    }
    let goes_on = old.filter(|old| old.task.due_date.as_ref() == Some(due)).and_then(|old| {
        let before = old.task.recurrence.as_ref()?;
        (before.rule == recurrence.rule && before.from == recurrence.from).then_some(before.start?)
    });
    let start = Some(goes_on.unwrap_or_else(|| due.nominal()));
    task.with_recurrence(Recurrence { start, ..recurrence.clone() })
}

/// The occurrence that the due date stands for.
fn occurrence(old: Option<&Live>, task: &Task, preferences: &KnownPreferences) -> Option<Cursor> {
    let (Some(recurrence), Some(due)) = (&task.recurrence, &task.due_date) else { return None };
    let local = due.nominal();
    if recurrence.rule.count().is_none() {
        return Some(Cursor { local, number: 0 });
    }
    // The number of an occurrence counts those taken out too.
    let same_series = |before: &Recurrence| {
        let of = |series: &Recurrence| (series.rule.clone(), series.start, series.from);
        of(before) == of(recurrence)
    };
    let before = old.filter(|old| old.task.recurrence.as_ref().is_some_and(same_series));
    if let Some(cursor) = before.and_then(|old| old.occurrence).filter(|at| at.local == local) {
        return Some(cursor);
    }
    // How many occurrences there were up to the due date, those taken out and itself among them; a rule
    // with COUNT has a bounded number.
    let schedule = Schedule::new(task, &preferences.preferences);
    let clock = preferences.preferences.clock();
    let at = due.resolve(clock, crate::time::Shift::NONE).map(|resolved| resolved.at);
    let everything = schedule.series().map(|series| Series { exdates: &[], ..series });
    let latest = everything.zip(at).and_then(|(series, at)| series.latest(None, at));
    let number = latest.map_or(1, |(occurrence, _)| occurrence.cursor.number.max(1));
    Some(Cursor { local, number })
}

/// The task at the first occurrence that takes place, should its due date be an exception. Where none is
/// left it is done, as when the last one is skipped.
fn taking_place(
    task: Task,
    occurrence: Option<Cursor>,
    preferences: &KnownPreferences,
) -> (Task, Option<Cursor>) {
    let excluded = |cursor: &Cursor| {
        let recurrence = task.recurrence.as_ref();
        recurrence.is_some_and(|recurrence| {
            recurrence.from == RecursFrom::Due && recurrence.excludes(cursor.local, &task)
        })
    };
    let schedule = Schedule::new(&task, &preferences.preferences);
    let Some(cursor) = occurrence.filter(excluded) else {
        // It may be at one that the rule does not have any more, while nothing else is left.
        let is_over = task
            .recurrence
            .as_ref()
            .is_some_and(|it| it.from == RecursFrom::Due && !it.exdates.is_empty())
            && schedule.series().is_some_and(|series| series.check_rest().is_err());
        let task = if is_over { task.with_status(Status::Completed) } else { task };
        return (task, occurrence);
    };
    let next = schedule.series().and_then(|series| series.next(&cursor)).and_then(|next| {
        let moved = moved(&task, next.cursor.local)?;
        Some((moved.with_status(task.status), next.cursor))
    });
    match next {
        Some((moved, cursor)) => (moved, Some(cursor)),
        None => (task.with_status(Status::Completed), occurrence),
    }
}
