//! A task is completed, reopened or deleted.

use super::place::{revived, silence, silenced};
use super::{Outcome, advance, scheduled};
use crate::alarm::Plan;
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::state::{Lifecycle, Live};
use crate::task::Status;
use crate::time::Timestamp;

/// Completing a recurring task moves it on to its next occurrence; the last one completes it.
pub(super) fn complete(live: &Live, now: Timestamp) -> Outcome {
    if !live.task.status.is_open() {
        return Outcome::unchanged(live);
    }
    match advance::next_occurrence(live, now) {
        Some(cursor) => advance::advance(live, cursor, UpdateReason::Advanced, now),
        None => end(live),
    }
}

/// Nothing of it fires any more.
pub(super) fn end(live: &Live) -> Outcome {
    let mut next = live.clone();
    let mut facts = Vec::new();
    for alarm in &mut next.alarms {
        facts.extend(silenced(alarm, RemovalReason::Completed));
        silence(alarm);
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Completed }, Fact::TaskSync]);
    next.task = live.task.with_status(Status::Completed);
    Outcome::live(next, facts)
}

/// Reopening brings back what is still to come; what fell due while the task was done stays silent.
pub(super) fn reopen(live: &Live, now: Timestamp) -> Outcome {
    if live.task.status.is_open() {
        return Outcome::unchanged(live);
    }
    let mut next = live.clone();
    next.task = live.task.with_status(Status::Pending);
    let mut facts = Vec::new();
    for alarm in &mut next.alarms {
        let schedule = live.schedule();
        let (Plan::Cancelled(moment), Some(reminder)) =
            (&alarm.plan, schedule.reminder(&alarm.reminder_id))
        else {
            continue;
        };
        if let Some(moment) = revived(schedule, &reminder, *moment, now) {
            alarm.plan = Plan::Scheduled(moment);
            facts.push(scheduled(alarm, moment.at));
        }
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Reopened }, Fact::TaskSync]);
    Outcome::live(next, facts)
}

pub(super) fn delete(live: &Live, now: Timestamp) -> Outcome {
    let mut facts: Vec<Fact> =
        live.alarms.iter().flat_map(|alarm| silenced(alarm, RemovalReason::Deleted)).collect();
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Deleted }, Fact::TaskSync]);
    let user_id = live.task.user_id.clone();
    Outcome {
        lifecycle: Lifecycle::Deleted { deleted_at: now, user_id },
        facts,
        last_words: Some((live.task.clone(), live.alarms.clone())),
    }
}
