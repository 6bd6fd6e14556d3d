//! Reminders are added, changed and removed one by one.

use super::Outcome;
use super::put::Replacement;
use crate::command::{IfPast, Origin};
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::ids::ReminderId;
use crate::rejection::Rejection;
use crate::reminder::Reminder;
use crate::state::Live;
use crate::time::Timestamp;

pub(super) fn put(
    live: &Live,
    reminder: &Reminder,
    if_past: IfPast,
    origin: &Origin,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    let mut reminders = live.schedule().reminders().into_owned();
    let index = reminders.iter().position(|known| known.id == reminder.id);
    match index {
        Some(index) => reminders[index] = reminder.clone(),
        None => reminders.push(reminder.clone()),
    }
    let place = format!("task.reminders[{}]", index.unwrap_or(reminders.len() - 1));
    let outcome = replace(live, reminders, if_past, RemovalReason::Replaced, origin, now);
    outcome.map_err(|rejection| match rejection {
        // The caller wrote one reminder, not a list.
        Rejection::Invalid { field, reason } => {
            Rejection::invalid(field.replace(&place, "reminder"), reason)
        }
        other => other,
    })
}

pub(super) fn remove(
    live: &Live,
    id: &ReminderId,
    origin: &Origin,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    let mut reminders = live.schedule().reminders().into_owned();
    let before = reminders.len();
    reminders.retain(|reminder| reminder.id != *id);
    if reminders.len() == before {
        return Err(unknown_reminder(id));
    }
    replace(live, reminders, IfPast::Fire, RemovalReason::Removed, origin, now)
}

/// A list of reminders that the task says itself from now on.
fn replace(
    live: &Live,
    reminders: Vec<Reminder>,
    if_past: IfPast,
    gone: RemovalReason,
    origin: &Origin,
    now: Timestamp,
) -> Result<Outcome, Rejection> {
    if live.schedule().reminders().as_ref() == reminders {
        return Ok(Outcome::unchanged(live));
    }
    let task = live
        .task
        .with_reminders(reminders)
        .map_err(|invalid| Rejection::invalid(invalid.field(), invalid.to_string()))?;
    let preferences = live.preferences.clone();
    let change = Replacement { task, preferences, if_past, said_when: false, restored: &[] };
    let mut outcome = change.apply(Some(live), origin, gone, now)?;
    let reason = UpdateReason::RemindersChanged;
    outcome.facts.extend([Fact::TaskUpdated { reason }, Fact::TaskSync]);
    Ok(outcome)
}

pub(super) fn unknown_reminder(id: &ReminderId) -> Rejection {
    Rejection::invalid("reminderId", format!("is not a reminder of this task: {id}"))
}
