//! A task's reminders are paused and resumed; and what of a pause is passed over in silence.

use super::clocks::{self, Due};
use super::{Outcome, removal, scheduled};
use crate::alarm::Plan;
use crate::event::{Fact, RemovalReason, UpdateReason};
use crate::pause::IfMissed;
use crate::preferences::KnownPreferences;
use crate::state::Live;
use crate::time::Timestamp;

/// Nothing fires from now on; alarms, snoozes, nags and the recurrence stay as they are.
pub(super) fn pause(live: &Live, now: Timestamp) -> Outcome {
    if live.paused_since.is_some() {
        return Outcome::unchanged(live);
    }
    let next = Live { paused_since: Some(now), ..live.clone() };
    Outcome::live(next, vec![Fact::TaskUpdated { reason: UpdateReason::Paused }, Fact::TaskSync])
}

/// It fires again. What fell due meanwhile is overdue like anything that was missed, or is passed over.
pub(super) fn resume(live: &Live, missed: IfMissed, now: Timestamp) -> Outcome {
    if live.paused_since.is_none() {
        return Outcome::unchanged(live);
    }
    let mut next = Live { paused_since: None, ..live.clone() };
    let mut facts = match missed {
        IfMissed::Fire => Vec::new(),
        IfMissed::Skip => pass_over(&mut next, None, now),
    };
    facts.extend([Fact::TaskUpdated { reason: UpdateReason::Resumed }, Fact::TaskSync]);
    Outcome::live(next, facts)
}

/// A task that follows its user's preferences, once it has passed over what it is to; `None`: nothing. The
/// user was paused as far as the task knows, and has since been resumed with nothing to fire. A pause that
/// began in the very moment in which an earlier one ended so is not that one.
///
/// Of the pause that the task knows everything is passed over that has not fired by its end, also what was
/// placed in it for a moment before; of a later one only what fell due in it, for the one before may have
/// ended with everything to fire.
pub(super) fn released(live: &Live, newer: &KnownPreferences) -> Option<(Live, Vec<Fact>)> {
    let since = live.preferences.paused_since?;
    let is_news = newer.version > live.preferences.version;
    let mut ended = newer.skipped.iter().filter(|pause| is_news && pause.until > since).peekable();
    ended.peek()?;
    let (mut released, mut facts) = (live.clone(), Vec::new());
    for pause in ended {
        let from = (pause.from > since).then_some(pause.from);
        facts.extend(pass_over(&mut released, from, pause.until));
    }
    Some((released, facts))
}

/// Winds every clock that has run out by then, and not before `from`, as a firing would, without one; tells what
/// became of the moments that had been announced.
fn pass_over(live: &mut Live, from: Option<Timestamp>, until: Timestamp) -> Vec<Fact> {
    let before = live.clone();
    let schedule = before.schedule();
    let mut facts = Vec::new();
    for (was, alarm) in before.alarms.iter().zip(&mut live.alarms) {
        let Some(reminder) = schedule.reminder(&alarm.reminder_id) else { continue };
        let run_out = clocks::run_out(schedule, &reminder, was, until);
        for due in run_out.iter().filter(|due| from.is_none_or(|from| due.first() >= from)) {
            due.wind(alarm);
            match (due, &alarm.plan) {
                (Due::Plan(first, _), Plan::Fired(latest)) => {
                    alarm.plan = Plan::Skipped(*latest);
                    facts.push(removal(alarm, *first, RemovalReason::Skipped));
                }
                (Due::Plan(..), Plan::Scheduled(next)) => facts.push(scheduled(alarm, next.at)),
                (Due::Snooze(snooze), _) => {
                    facts.push(removal(alarm, snooze.until, RemovalReason::Skipped));
                }
                _ => {}
            }
        }
    }
    facts
}
