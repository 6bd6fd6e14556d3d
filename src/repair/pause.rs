//! What becomes of the pause of a task that is repaired.
//!
//! A put says nothing of pauses, so what is stored must. The document tells whether the task was paused by itself;
//! the index only that it was, by itself or by its user, and a task must not fall silent for a pause that it may
//! not have had.

use crate::read_model::Stored;
use reminder_domain::state::Lifecycle;
use reminder_domain::{TaskState, Timestamp};
use serde::Deserialize;

/// Whether the task is paused from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paused {
    /// It was not, as far as is known, or it is deleted.
    No,
    /// As before, by itself or by its user.
    Still,
    /// Not any more: it is not known whether it was paused by itself.
    NoMore,
}

/// As much of a document as says whether the task was paused by itself.
#[derive(Deserialize)]
struct Document {
    lifecycle: Life,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Life {
    #[serde(default)]
    paused_since: Option<Timestamp>,
}

/// Pauses the task that takes the place of what is stored, if that was paused by itself; tells what is so from now on.
pub(super) fn carry_over(stored: &Stored, next: &mut TaskState) -> Paused {
    let Lifecycle::Live(live) = &mut next.lifecycle else { return Paused::No };
    live.paused_since = live.paused_since.or_else(|| paused_by_itself(stored));
    let was = stored.index.as_ref().is_some_and(|row| row.paused);
    match (live.pause().is_some(), was) {
        (true, _) => Paused::Still,
        (false, true) => Paused::NoMore,
        (false, false) => Paused::No,
    }
}

fn paused_by_itself(stored: &Stored) -> Option<Timestamp> {
    let value = stored.value.as_deref()?;
    let document = value.splitn(2, |byte| *byte == b'\n').nth(1)?;
    let read: Document = serde_json::from_slice(document).ok()?;
    read.lifecycle.paused_since
}
