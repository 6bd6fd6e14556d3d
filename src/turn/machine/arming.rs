//! Which wake is registered, and which is on record as registered.

use super::Machine;
use crate::planted::{self, Bug};
use crate::turn::effect::{Known, Request};
use crate::turn::settings;
use reminder_domain::{TaskState, Timestamp, next_wake};
use std::sync::Arc;

/// What became of the registered wake in this turn.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// It is far away and nobody needs it any more.
    pub(super) obsolete: bool,
    /// It was registered for a state that was to be committed, in place of whatever was.
    pub(super) made: bool,
    /// It may not be registered as it should be.
    pub(super) misarmed: bool,
}

impl Machine {
    /// The wake to register before the state is committed; and what the state says of it.
    pub(super) fn plan_registration(
        &mut self,
        state: &mut TaskState,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.registration.obsolete = self.makes_wake_obsolete(state, now);
        let to_arm = self.to_arm_first(state, now);
        if state.armed != next_wake(state) && !planted::is(Bug::ArmedKept) {
            // An earlier wake that is left to fire leads to the next one by itself. Later turns must
            // not count on it: it may be taken away, or be gone with the scheduler's data, and the
            // sweep registers anew only what is still to come.
            state.armed = None;
        }
        to_arm
    }

    /// The wake to register before the commit: near, and earlier than what is registered. A
    /// registration whose time has passed has been used up.
    pub(super) fn to_arm_first(&self, state: &TaskState, now: Timestamp) -> Option<Timestamp> {
        let at = next_wake(state).filter(|at| self.is_near(*at, now))?;
        let armed = state.armed.filter(|armed| *armed > now);
        armed.is_none_or(|armed| at < armed).then_some(at)
    }

    /// Whether a command, or an erasure, leaves nothing to wake for, while the registered wake is far away.
    fn makes_wake_obsolete(&self, state: &TaskState, now: Timestamp) -> bool {
        let far = |armed: Timestamp| armed.millis_since(now) > settings::DISARM_BEYOND_MS;
        matches!(self.request, Request::Command(_) | Request::Erase(_))
            && next_wake(state).is_none()
            && state.armed.is_some_and(far)
    }

    pub(super) fn is_near(&self, at: Timestamp, now: Timestamp) -> bool {
        self.horizon_ms.is_none_or(|horizon| at.millis_since(now) <= horizon)
    }

    pub(super) fn note_misarmed(&mut self, failed: bool) {
        self.registration.misarmed |= failed && !planted::is(Bug::LateCallForgotten);
    }

    /// Remembers, in memory only, what is registered now; a stored `armed` would need a commit.
    pub(super) fn note_armed(&mut self, armed: Option<Timestamp>) {
        if let Known::State(state) = &mut self.known {
            Arc::make_mut(state).armed = armed;
        }
    }
}
