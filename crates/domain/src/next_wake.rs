//! When an actor must look at the clock next: a pure function of its state.

use crate::alarm::Alarm;
use crate::state::TaskState;
use crate::time::Timestamp;

/// The due time of the earliest alarm that has yet to fire; `None` when nothing is left to do, and
/// while it is paused.
///
/// It may lie in the past: then a wake is overdue.
pub fn next_wake(state: &TaskState) -> Option<Timestamp> {
    let live = state.live().filter(|live| live.pause().is_none())?;
    earliest(&live.alarms)
}

/// The earliest moment at which one of the alarms must be looked at.
pub(crate) fn earliest(alarms: &[Alarm]) -> Option<Timestamp> {
    alarms.iter().filter_map(Alarm::next).min()
}
