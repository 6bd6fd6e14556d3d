//! A task goes, or changes, although no command asked for it.

use super::{Change, Turn, conclude, lifecycle, wake};
use crate::event::Fact;
use crate::state::{Lifecycle, TaskState};
use crate::time::Timestamp;

/// Nothing changes.
pub(crate) fn unchanged(state: &TaskState) -> Turn {
    Turn::Answer(conclude::answer(state))
}

/// The task is deleted, as by a command; of what is deleted already only the version changes.
pub(crate) fn gone(state: &TaskState, now: Timestamp) -> Change {
    let mut next = TaskState { version: state.version + 1, updated_at: now, ..state.clone() };
    let Lifecycle::Live(live) = &state.lifecycle else {
        return wake::change(next, Vec::new());
    };
    let outcome = lifecycle::delete(live, now);
    next.lifecycle = outcome.lifecycle;
    let events = conclude::number(&mut next.sequences, outcome.facts);
    let snapshot = conclude::last_words(&next, outcome.last_words);
    let answer = conclude::answer(&next);
    Change { state: next, events, snapshot, answer }
}

/// A commit of that state, which tells these facts.
pub(crate) fn changed(mut next: TaskState, facts: Vec<Fact>) -> Change {
    let events = conclude::number(&mut next.sequences, facts);
    wake::change(next, events)
}
