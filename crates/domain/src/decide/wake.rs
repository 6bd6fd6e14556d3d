//! A wake means only "look at the clock": early, late, duplicate and stale ones are all harmless.

use super::apply::{blank, number};
use super::{Answer, Change, Turn};
use crate::alarm::AlarmState;
use crate::event::{Cause, Event, Fact, UpdateReason};
use crate::next_wake::next_wake;
use crate::state::{Lifecycle, TaskState};
use crate::time::Timestamp;

/// Fires everything that is due, in the order of its due times; nothing due changes nothing.
pub fn decide_wake(state: &TaskState, now: Timestamp) -> Turn {
    let Some(live) = state.live() else { return Turn::Answer(answer(state)) };
    let mut live = live.clone();
    let mut due: Vec<_> =
        live.alarms.iter_mut().filter(|alarm| alarm.is_scheduled() && alarm.at <= now).collect();
    if due.is_empty() {
        return Turn::Answer(answer(state));
    }
    due.sort_by(|a, b| (a.at, &a.reminder_id).cmp(&(b.at, &b.reminder_id)));
    let mut facts = Vec::with_capacity(due.len() + 2);
    for alarm in due {
        alarm.state = AlarmState::Fired { fired_at: now };
        facts.push(Fact::ReminderTriggered {
            reminder_id: alarm.reminder_id.clone(),
            scheduled_for: alarm.at,
            fired_at: now,
            cause: Cause::of(alarm.at, now),
        });
    }
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::ReminderTriggered }, Fact::TaskSync]);

    let mut next = successor(state, now);
    next.lifecycle = Lifecycle::Live(Box::new(live));
    let events = number(&mut next.sequences, facts);
    Turn::Commit(Box::new(change(next, events)))
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
fn successor(state: &TaskState, now: Timestamp) -> TaskState {
    TaskState { version: state.version + 1, updated_at: now, armed: None, ..state.clone() }
}

fn change(state: TaskState, events: Vec<Event>) -> Change {
    let answer = answer(&state);
    Change { state, events, snapshot: None, answer }
}

fn answer(state: &TaskState) -> Answer {
    Answer {
        version: state.version,
        status: state.live().map(|live| live.task.status),
        next_reminder_at: next_wake(state),
        created: None,
    }
}
