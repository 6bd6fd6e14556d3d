//! Numbers the facts, records the command, and decides whether there is anything to commit.

use super::{Answer, Change, Outcome, Turn};
use crate::alarm::Alarm;
use crate::command::{Command, CommandKind};
use crate::event::{Event, Fact};
use crate::explain::Adjusted;
use crate::limits;
use crate::next_wake::next_wake;
use crate::restored::FIRST_INCARNATION;
use crate::state::{CommandRecord, Live, Sequences, Snapshot, TaskState};
use crate::task::Task;
use crate::time::Timestamp;

pub(super) fn conclude(
    state: Option<&TaskState>,
    command: &Command,
    outcome: Outcome,
    now: Timestamp,
) -> Turn {
    let is_new = state.and_then(TaskState::live).is_none();
    let created = matches!(command.kind, CommandKind::Put(_)).then_some(is_new);
    let nothing_happened = outcome.facts.is_empty() && command.id.is_none();
    if let Some(state) = state.filter(|_| nothing_happened) {
        return Turn::Answer(Answer { created, ..answer(state) });
    }
    let mut next = state.map_or_else(|| blank(now), TaskState::clone);
    next.lifecycle = outcome.lifecycle;
    next.version += 1;
    next.updated_at = now;
    let answer = Answer { created, ..answer(&next) };
    let events = number(&mut next.sequences, outcome.facts);
    let changes = next.sequences.task_updates;
    next.remember(CommandRecord::new(command, answer.clone(), changes));
    let snapshot = last_words(&next, outcome.last_words);
    Turn::Commit(Box::new(Change { state: next, events, snapshot, answer }))
}

/// The task as the events of its end tell it, which its state holds no more.
pub(super) fn last_words(state: &TaskState, words: Option<(Task, Vec<Alarm>)>) -> Option<Snapshot> {
    words.map(|(task, alarms)| Snapshot {
        version: state.version,
        task,
        alarms,
        deleted: true,
        paused: None,
        source_version: state.source_version(),
    })
}

/// What a state answers.
pub(super) fn answer(state: &TaskState) -> Answer {
    let live = state.live();
    Answer {
        version: state.version,
        status: live.map(|live| live.task.status),
        next_reminder_at: next_wake(state),
        created: None,
        adjusted: live.map(adjusted).unwrap_or_default(),
    }
}

/// The moments to come that a rule moved, and how.
fn adjusted(live: &Live) -> Vec<Adjusted> {
    let schedule = live.schedule();
    let of_alarm = |alarm: &crate::alarm::Alarm| {
        let moment = *alarm.plan.scheduled().filter(|moment| moment.is_moved())?;
        let reminder = schedule.reminder(&alarm.reminder_id)?;
        let (reminder_id, at) = (alarm.reminder_id.clone(), moment.at);
        let steps = schedule.adjustments(&reminder, &moment).into_iter();
        Some(steps.map(move |step| Adjusted { reminder_id: reminder_id.clone(), at, step }))
    };
    let all = live.alarms.iter().filter_map(of_alarm).flatten();
    all.take(limits::ADJUSTMENTS_TOLD_MAX).collect()
}

/// Gives each fact its place in the order of its topic.
pub(super) fn number(sequences: &mut Sequences, facts: Vec<Fact>) -> Vec<Event> {
    facts.into_iter().map(|fact| Event { sequence: sequences.next(fact.topic()), fact }).collect()
}

/// A state before its first commit; version and lifecycle are overwritten by it.
pub(super) fn blank(now: Timestamp) -> TaskState {
    TaskState::unborn(FIRST_INCARNATION, now)
}
