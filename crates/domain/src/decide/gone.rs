//! A task goes although no command asked for it.

use super::{Change, Turn, conclude, lifecycle};
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
        let answer = conclude::answer(&next);
        return Change { state: next, events: Vec::new(), snapshot: None, answer };
    };
    let outcome = lifecycle::delete(live, now);
    next.lifecycle = outcome.lifecycle;
    let events = conclude::number(&mut next.sequences, outcome.facts);
    let snapshot = conclude::last_words(&next, outcome.last_words);
    let answer = conclude::answer(&next);
    Change { state: next, events, snapshot, answer }
}
