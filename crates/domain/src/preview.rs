//! What will fire next if nobody does anything, and by which rules.

use crate::decide::{Turn, decide_wake};
use crate::event::{Cause, Fact, Triggered};
use crate::explain::{RuleName, Step};
use crate::next_wake::next_wake;
use crate::state::{Live, TaskState};
use crate::time::Timestamp;

/// Most wakes looked through for the firings asked for: some wakes fire nothing.
const WAKES_MAX: usize = 1_000;

/// A firing to come, or one that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The firing.
    pub triggered: Triggered,
    /// The rules that led to it, in the order in which they apply.
    pub steps: Vec<Step>,
}

/// The next `count` firings from `now` on, as the turns themselves would decide them on time.
pub fn preview(state: &TaskState, now: Timestamp, count: usize) -> Vec<Explained> {
    let mut state = state.clone();
    let mut now = now;
    let mut firings = Vec::new();
    for _ in 0..WAKES_MAX {
        let Some(at) = next_wake(&state).filter(|_| firings.len() < count) else { break };
        now = now.max(at);
        let Turn::Commit(change) = decide_wake(&state, now) else { break };
        if let Some(live) = state.live() {
            let triggered = change.events.iter().filter_map(|event| match &event.fact {
                Fact::ReminderTriggered(triggered) => Some(triggered),
                _ => None,
            });
            firings.extend(triggered.map(|triggered| Explained {
                triggered: triggered.clone(),
                steps: steps_of(live, triggered),
            }));
        }
        state = change.state;
    }
    firings.truncate(count);
    firings
}

/// The rules that led to a firing: those of its moment, and what came on top.
pub(crate) fn steps_of(live: &Live, triggered: &Triggered) -> Vec<Step> {
    let schedule = live.schedule();
    let mut steps = Vec::new();
    if let Some(reminder) = schedule.reminder(&triggered.reminder_id)
        && let Ok(Some(moment)) = schedule.moment(&reminder, triggered.occurrence)
    {
        steps = schedule.steps(&reminder, &moment);
        if let (Some(n), Some(nag)) = (triggered.nag, reminder.nag) {
            let text = format!("nag {n} of {}, every {} until acknowledged", nag.max, nag.every);
            steps.push(Step::new(RuleName::Nag, text));
        }
    }
    let original = triggered.original.map(|at| at.to_string()).unwrap_or_default();
    if triggered.cause == Cause::Snooze {
        let text = format!("a snooze of {original} ended at {}", triggered.scheduled_for);
        steps.push(Step::new(RuleName::Snooze, text));
    }
    if let (count @ 1.., Some(first)) = (triggered.coalesced, triggered.first_missed) {
        let text = format!("it stands for {count} earlier moments, missed since {first}");
        steps.push(Step::new(RuleName::Coalesced, text));
    }
    let late_ms = triggered.fired_at.millis_since(triggered.scheduled_for);
    if Cause::of(triggered.scheduled_for, triggered.fired_at) == Cause::Late {
        let text = format!("it fired {late_ms} ms after it was due");
        steps.push(Step::new(RuleName::Late, text));
    }
    steps
}
