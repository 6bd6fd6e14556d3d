//! Alarms: the moments a task's reminders fire, derived from the task.

use crate::ids::ReminderId;
use crate::limits;
use crate::rejection::Rejection;
use crate::reminder::{DUE_REMINDER_ID, Reminder, Trigger};
use crate::task::Task;
use crate::time::{CalendarOffset, Timestamp};
use serde::{Deserialize, Serialize};

/// One reminder at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// The reminder it belongs to.
    pub reminder_id: ReminderId,
    /// The stored due time: nothing fires before it.
    pub at: Timestamp,
    /// What became of it.
    pub state: AlarmState,
}

/// What became of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum AlarmState {
    /// It will fire.
    Scheduled,
    /// It fired.
    #[serde(rename_all = "camelCase")]
    Fired {
        /// When the turn fired it.
        fired_at: Timestamp,
    },
    /// The task was completed before it could fire.
    Cancelled,
}

impl Alarm {
    /// Whether it will still fire.
    pub fn is_scheduled(&self) -> bool {
        self.state == AlarmState::Scheduled
    }
}

/// Derives the moments of a task's reminders. They are refused when one lies beyond the horizon,
/// or so early that no calendar reaches it.
pub fn moments(task: &Task, now: Timestamp) -> Result<Vec<(ReminderId, Timestamp)>, Rejection> {
    let horizon = limits::horizon(now);
    let within = |field: &dyn Fn() -> String, at: Option<Timestamp>| match at {
        None => Err(Rejection::invalid(field(), "must lie between the years 1970 and 9999")),
        Some(at) if at > horizon => Err(Rejection::invalid(
            field(),
            format!("is {at}, beyond the scheduling horizon of 20 years ({horizon})"),
        )),
        Some(at) => Ok(at),
    };
    let due = match &task.due_date {
        None => None,
        Some(due) => {
            let at = due.resolve(CalendarOffset::ZERO).map(|resolved| resolved.at);
            Some((due, within(&|| "task.dueDate".into(), at)?))
        }
    };
    if let (true, Some((_, at))) = (task.reminders.is_empty(), due) {
        return Ok(vec![(due_reminder_id(), at)]);
    }
    let moment = |(index, reminder): (usize, &Reminder)| {
        let at = match (&reminder.trigger, &task.due_date) {
            (Trigger::At(at), _) => at.resolve(CalendarOffset::ZERO),
            (Trigger::Before(offset), Some(due)) => due.resolve(*offset),
            (Trigger::Before(_), None) => None,
        };
        let part = match reminder.trigger {
            Trigger::At(_) => "at",
            Trigger::Before(_) => "before",
        };
        let field = || format!("task.reminders[{index}].{part}");
        Ok((reminder.id.clone(), within(&field, at.map(|resolved| resolved.at))?))
    };
    task.reminders.iter().enumerate().map(moment).collect()
}

fn due_reminder_id() -> ReminderId {
    ReminderId::parse(DUE_REMINDER_ID).expect("the constant is a valid id")
}
