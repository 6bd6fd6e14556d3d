//! The schedule of a task: from what the caller asked for to the moments of its reminders.
//!
//! Data flows one way: anchor (due date or start, at an occurrence) → offset → zone rules → quiet
//! hours → [`Moment`]. [`missed`] goes along the occurrences.

pub(crate) mod missed;

use crate::alarm::Moment;
use crate::limits;
use crate::preferences::Preferences;
use crate::recurrence::{Clock, Cursor, Frequency, Series};
use crate::rejection::Rejection;
use crate::reminder::{Anchor, Reminder, Trigger};
use crate::task::{Priority, RecursFrom, Task};
use crate::time::{DueTime, Shift, Timestamp};
use std::borrow::Cow;

/// Everything the moments of a task follow from.
#[derive(Clone, Copy, Debug)]
pub struct Schedule<'a> {
    task: &'a Task,
    preferences: &'a Preferences,
}

impl<'a> Schedule<'a> {
    /// The schedule of a task by the preferences of its user.
    pub fn new(task: &'a Task, preferences: &'a Preferences) -> Self {
        Self { task, preferences }
    }

    /// The task.
    pub fn task(&self) -> &'a Task {
        self.task
    }

    /// The preferences.
    pub fn preferences(&self) -> &'a Preferences {
        self.preferences
    }

    /// The reminders that hold: those of the task, else the user's default ones, else one at the
    /// due date.
    pub fn reminders(&self) -> Cow<'a, [Reminder]> {
        let said = self.task.reminders.as_deref();
        match said.or(self.preferences.default_reminders.as_deref()) {
            Some(reminders) => Cow::Borrowed(reminders),
            None if self.task.due_date.is_some() => Cow::Owned(vec![Reminder::at_due_date()]),
            None => Cow::Borrowed(&[]),
        }
    }

    /// The reminder of this id.
    pub fn reminder(&self, id: &crate::ReminderId) -> Option<Cow<'a, Reminder>> {
        match self.reminders() {
            Cow::Borrowed(all) => all.iter().find(|reminder| reminder.id == *id).map(Cow::Borrowed),
            Cow::Owned(all) => all.into_iter().find(|reminder| reminder.id == *id).map(Cow::Owned),
        }
    }

    /// The occurrences of a recurring task; `None` before its start is known.
    pub fn series(&self) -> Option<Series<'a>> {
        let recurrence = self.task.recurrence.as_ref()?;
        let start = recurrence.start?;
        Some(Series {
            rule: &recurrence.rule,
            start,
            exdates: &recurrence.exdates,
            rdates: &recurrence.rdates,
            clock: self.series_clock(self.task.due_date.as_ref()?),
        })
    }

    /// How the local times of occurrences become instants.
    fn series_clock(&self, due: &DueTime) -> Clock {
        let clock = self.preferences.clock();
        let time_of_day = matches!(due, DueTime::Date(_)).then_some(clock.default_time.as_naive());
        Clock { zone: due.zone(clock), time_of_day }
    }

    /// Whether its reminders fire in each occurrence, done or not.
    pub fn recurs_by_itself(&self) -> bool {
        self.task.recurrence.as_ref().is_some_and(|recurrence| recurrence.from == RecursFrom::Due)
    }

    /// The occurrence that follows the present one when it is completed or skipped now: the first
    /// one that is still to come.
    pub fn advanced(&self, present: Cursor, now: Timestamp) -> Option<Cursor> {
        let recurrence = self.task.recurrence.as_ref()?;
        let series = self.series()?;
        let (series, base) = match recurrence.from {
            RecursFrom::Due => (series, present),
            RecursFrom::Completion => {
                let local = now.to_datetime().with_timezone(&series.clock.zone).naive_local();
                // A rule of days keeps the time of day at which the task is due.
                let start = match recurrence.rule.frequency() {
                    Frequency::Hourly | Frequency::Minutely => local,
                    _ => local.date().and_time(series.start.time()),
                };
                (Series { start, ..series }, Cursor { local: start, number: present.number })
            }
        };
        let latest = series.latest(Some(&base), now);
        let base = latest.map_or(base, |(occurrence, _)| occurrence.cursor);
        series.next(&base).map(|occurrence| occurrence.cursor)
    }

    /// An anchor of the task at one of its occurrences, or at the present one.
    pub(crate) fn anchor(&self, anchor: Anchor, occurrence: Option<&Cursor>) -> Option<DueTime> {
        let due = self.task.due_date.as_ref();
        let time = match anchor {
            Anchor::Due => due,
            Anchor::Start => self.task.start.as_ref(),
        }?;
        match (occurrence, due) {
            // The start keeps its distance to the due date, as the calendar counts it.
            (Some(cursor), Some(due)) => {
                time.at_nominal(time.nominal() + (cursor.local - due.nominal()))
            }
            _ => Some(time.clone()),
        }
    }

    /// When a reminder is due, at an occurrence or without any. `Ok(None)`: its anchor is missing.
    ///
    /// # Errors
    /// When that lies outside the years 1970 to 9999.
    pub fn moment(
        &self,
        reminder: &Reminder,
        occurrence: Option<Cursor>,
    ) -> Result<Option<Moment>, OutOfRange> {
        let (anchor, shift, occurrence) = match &reminder.trigger {
            Trigger::At(time) => (Some(time.clone()), Shift::NONE, None),
            Trigger::Relative { anchor, side, offset } => {
                (self.anchor(*anchor, occurrence.as_ref()), side.shift(*offset), occurrence)
            }
        };
        let Some(anchor) = anchor else { return Ok(None) };
        let resolved = anchor.resolve(self.preferences.clock(), shift).ok_or(OutOfRange)?;
        let quiet_end = self.quiet_end(resolved.at);
        Ok(Some(Moment {
            at: quiet_end.unwrap_or(resolved.at),
            quiet_from: quiet_end.is_some().then_some(resolved.at),
            occurrence,
            adjustment: resolved.adjustment,
        }))
    }

    /// When the quiet hours end that hold at this instant. Urgent tasks know no quiet hours.
    pub(crate) fn quiet_end(&self, at: Timestamp) -> Option<Timestamp> {
        let quiet = self.preferences.quiet_hours.filter(|_| self.task.priority != Priority::Urgent);
        quiet?.end(at, self.preferences.zone)
    }

    /// Checks what can only be checked with a clock: nothing lies beyond the scheduling horizon, and
    /// a recurrence yields something.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Rejection> {
        let clock = self.preferences.clock();
        for (field, time) in [("dueDate", &self.task.due_date), ("start", &self.task.start)] {
            if let Some(time) = time {
                let at = time.resolve(clock, Shift::NONE).map(|resolved| resolved.at);
                within_horizon(|| format!("task.{field}"), at, now)?;
            }
        }
        if let Some(series) = self.series() {
            // Of what is done nothing need be left.
            let rest = || if self.task.status.is_open() { series.check_rest() } else { Ok(()) };
            series
                .check()
                .and_then(|()| rest())
                .map_err(|error| Rejection::invalid("task.recurrence.rule", error.to_string()))?;
        }
        Ok(())
    }
}

/// A time outside the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

/// Refuses a time that cannot be written or lies beyond the scheduling horizon.
pub(crate) fn within_horizon(
    field: impl Fn() -> String,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Rejection> {
    let horizon = limits::horizon(now);
    match at {
        None => Err(Rejection::invalid(field(), "must lie between the years 1970 and 9999")),
        Some(at) if at > horizon => Err(Rejection::invalid(
            field(),
            format!("is {at}, beyond the scheduling horizon of 20 years ({horizon})"),
        )),
        Some(at) => Ok(at),
    }
}
