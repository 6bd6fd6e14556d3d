//! Tasks go for good, and those that are made anew get numbers that were never given; and what is erased.

use super::{Machine, Phase};
use crate::turn::draft::{self, Ledger, Pending};
use crate::turn::effect::{Effect, Known, Numbers, Outcome, Reply, Request};
use reminder_domain::{Retention, TaskState, Timestamp};

/// Whether it is known in which incarnation tasks are born.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Births {
    /// As far as anybody has told.
    Known,
    /// What was to begin a task was refused, so it may be a later one.
    InDoubt,
}

impl Machine {
    /// Removes what is stored, if it has been over for long enough and the broker has all its events.
    /// Nobody is told: the task has been over for long, and what became of it was told then.
    pub(super) fn purge(
        &mut self,
        retention: Retention,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        let kept = Reply::Awake(self.version());
        let Some(state) = self.state() else { return self.finish(kept, ledger) };
        let waiting = draft::sort_pending(&state, ledger, &self.watermarks).len();
        if waiting > 0 || !retention.may_go(&state, now) {
            return self.finish(kept, ledger);
        }
        self.phase = Phase::Removing;
        Effect::Remove(Numbers { version: state.version, incarnation: state.incarnation })
    }

    /// Goes on with what came of the removal. Whether one that was not confirmed took effect, the next
    /// turn reads; if it takes effect later, it finds the numbers that it looks for, or nothing.
    pub(super) fn removed(
        &mut self,
        outcome: Outcome,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        match outcome {
            Outcome::Done => {
                self.known = Known::Absent;
                self.finish(Reply::Awake(0), ledger)
            }
            Outcome::Fenced => {
                let kept = Reply::Unavailable("the task has changed, or was born just now".into());
                self.known = Known::Nothing;
                self.finish(kept, ledger)
            }
            Outcome::Failed(reason) => {
                self.known = Known::Nothing;
                self.fail(reason, ledger, now)
            }
            outcome => panic!("outcome {outcome:?} does not belong to a removal"),
        }
    }

    /// A commit was refused; one that was to begin the task may have been of too early an incarnation.
    pub(super) fn doubt_births(&mut self) {
        if self.state().is_none() {
            self.births = Births::InDoubt;
        }
    }

    /// Whether to ask first in which incarnation tasks are born: a write that was to begin this one was
    /// refused although it is not there.
    pub(super) fn must_ask_births(&self, state: Option<&TaskState>) -> bool {
        self.births == Births::InDoubt && state.is_none()
    }

    pub(super) fn born(&mut self, births: u32, ledger: &mut dyn Ledger) {
        self.births = Births::Known;
        ledger.raise_births(births);
    }

    /// Where the task is erased, so is what the broker may not have of it; tells whether it is.
    pub(super) fn erase_pending(&self, pending: &mut Pending) -> bool {
        let Request::Erase(user) = &self.request else { return false };
        for commit in pending.queued.iter_mut().chain(&mut pending.orphaned) {
            commit.leave_out(user);
        }
        true
    }

    /// What happened long ago goes with the next commit.
    pub(super) fn forget_history(&self, state: &mut TaskState, now: Timestamp) {
        if let Some(kept_ms) = self.history_ms {
            state.forget_history(now.saturating_add_ms(-kept_ms));
        }
    }
}
