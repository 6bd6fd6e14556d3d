//! The user's preferences or the zone database changed: what depends on them is resolved again.

use super::conclude::{answer, number};
use super::place::again;
use super::wake::successor;
use super::{Change, Turn, pause, scheduled};
use crate::alarm::Plan;
use crate::event::{Fact, UpdateReason};
use crate::preferences::KnownPreferences;
use crate::schedule::Schedule;
use crate::state::{Lifecycle, Live, TaskState};
use crate::time::{self, Timestamp};

/// Takes over preferences, `None`: those that the task has, and resolves again what is still to
/// come. The user may have been paused or resumed. What fired has fired, and a snooze has a time of its own.
/// Older preferences than the task's change nothing.
pub fn decide_refresh(state: &TaskState, known: Option<&KnownPreferences>, now: Timestamp) -> Turn {
    let Some(live) = state.live() else { return Turn::Answer(answer(state)) };
    let mut next = live.clone();
    let mut facts = Vec::new();
    if let Some(known) = known.filter(|known| known.version > live.preferences.version) {
        if let Some((released, told)) = pause::released(live, known) {
            (next, facts) = (released, told);
        }
        next.preferences = live.preferences.followed_by(known).copied();
    }
    // The names of versions grow, so a replica with an older database does not undo a newer one's.
    if live.zone_database.as_str() < time::zone_database() {
        time::zone_database().clone_into(&mut next.zone_database);
    }
    if next == *live {
        return Turn::Answer(answer(state));
    }
    let schedule = Schedule::new(&next.task, &next.preferences.preferences);
    for alarm in &mut next.alarms {
        let (Plan::Scheduled(moment), Some(reminder)) =
            (&alarm.plan, schedule.reminder(&alarm.reminder_id))
        else {
            continue;
        };
        let (was, is) = (*moment, again(schedule, &reminder, *moment));
        alarm.plan = Plan::Scheduled(is);
        if is.at != was.at {
            facts.push(scheduled(alarm, is.at));
        }
    }
    if !facts.is_empty() {
        facts.push(Fact::TaskUpdated { reason: UpdateReason::Rescheduled });
    }
    let is_paused = |live: &Live| live.preferences.paused_since.is_some();
    let reason = match (is_paused(live), is_paused(&next)) {
        (false, true) => Some(UpdateReason::Paused),
        (true, false) => Some(UpdateReason::Resumed),
        _ => None,
    };
    facts.extend(reason.map(|reason| Fact::TaskUpdated { reason }));
    if !facts.is_empty() {
        facts.push(Fact::TaskSync);
    }
    let mut changed = successor(state, now);
    changed.lifecycle = Lifecycle::Live(Box::new(next));
    let events = number(&mut changed.sequences, facts);
    let answer = answer(&changed);
    Turn::Commit(Box::new(Change { state: changed, events, snapshot: None, answer }))
}
