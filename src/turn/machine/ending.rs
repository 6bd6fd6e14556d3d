//! How a turn ends: the registration, the answer, and what is left in doubt.

use super::{Machine, Phase, Source};
use crate::planted::{self, Bug};
use crate::turn::draft::Ledger;
use crate::turn::effect::{Effect, Finish, Handover, Known, Recovery, Reply, Request};
use crate::turn::settings;
use reminder_domain::state::Stamp;
use reminder_domain::{Rejection, TaskState, Timestamp, next_wake};
use std::ops::Range;
use std::sync::Arc;

/// Why a command was given up.
const TOO_OLD: &str = "it came so long ago that its caller has given it up";

impl Machine {
    /// Nobody waits for the command any more: from now on it is answered where it is known, and begins no commit. Its
    /// caller may have been told otherwise by now, of a repeat that was refused.
    pub fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Ends the turn of a command that was given up.
    pub(super) fn fail_too_old(&mut self, ledger: &mut dyn Ledger, now: Timestamp) -> Effect {
        // What it registered is for a state that will not be.
        self.note_misarmed(self.registration.made);
        self.fail(TOO_OLD.to_owned(), ledger, now)
    }

    /// The state is written: its events go out.
    pub(super) fn committed(
        &mut self,
        state: &Arc<TaskState>,
        handovers: Range<usize>,
        reply: Reply,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        // Whatever else was on its way for this version is refused from now on.
        self.doubtful = 0;
        let carried: Vec<Stamp> =
            state.pending[handovers.clone()].iter().map(|commit| commit.stamp).collect();
        self.stamps.retain(|stamp| !carried.contains(stamp));
        self.known = Known::State(Arc::clone(state));
        if handovers.is_empty() {
            return self.conclude(reply, ledger, now);
        }
        self.phase = Phase::Publishing { reply };
        Effect::Publish(handovers.map(|index| Handover::new(Arc::clone(state), index)).collect())
    }

    /// Begins anew after a commit that was refused or not confirmed, a bounded number of times.
    pub(super) fn retry(
        &mut self,
        reason: String,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        // It may have taken the place of an earlier wake, of a state that nobody here knew.
        self.note_misarmed(self.registration.made);
        self.distrust_recalled();
        self.known = Known::Nothing;
        self.attempts += 1;
        if self.attempts < settings::COMMIT_ATTEMPTS {
            self.load()
        } else {
            self.fail(reason, ledger, now)
        }
    }

    pub(super) fn overfull(
        &mut self,
        waiting: usize,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        let rejection = Rejection::TooManyPending(waiting);
        match self.request {
            // A statement still on its way keeps the stamps; the recovery looks after it.
            Request::Command(_) => self.finish(Reply::Rejected(rejection), ledger),
            _ => self.fail(rejection.to_string(), ledger, now),
        }
    }

    /// What remains once everything is written: the registration.
    pub(super) fn conclude(
        &mut self,
        reply: Reply,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        if matches!(self.request, Request::Wake) {
            self.wake_failures = 0;
        }
        let Some(state) = self.state() else { return self.finish(reply, ledger) };
        // What is withheld would wake at once, in vain, again and again; its release finds it.
        let next = next_wake(&state).filter(|at| *at > now || !self.is_withheld(&state));
        match self.request {
            // A refresh has registered an earlier wake before its commit; a later one may stay.
            Request::Get | Request::Refresh | Request::Purge(_) => {}
            Request::Command(_) | Request::Erase(_) => {
                if planted::is(Bug::ArmAfterCommit)
                    && let Some(at) = self.to_arm_first(&state, now)
                {
                    self.phase = Phase::ArmingNext { at, reply };
                    return Effect::Arm(at);
                }
                if self.registration.obsolete {
                    self.phase = Phase::Disarming { reply };
                    return Effect::Disarm;
                }
            }
            // The registration that led here is used up, so it is made anew whatever is on record.
            Request::Wake | Request::Settle { .. } => {
                let forgotten = planted::is(Bug::NextWakeForgotten);
                if let Some(at) = next.filter(|at| self.is_near(*at, now) && !forgotten) {
                    self.phase = Phase::ArmingNext { at, reply };
                    return Effect::Arm(at);
                }
            }
        }
        self.finish(reply, ledger)
    }

    /// Ends a turn that could not be done. A wake asks to be woken again; if not even that works,
    /// it is answered as failed after a pause, and Dapr repeats it.
    pub(super) fn fail(
        &mut self,
        reason: String,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        if matches!(self.request, Request::Wake) {
            self.phase = Phase::ArmingRetry { reason };
            let pause = settings::wake_backoff_ms(self.wake_failures);
            self.wake_failures = self.wake_failures.saturating_add(1);
            return Effect::Arm(now.saturating_add_ms(pause));
        }
        self.finish(Reply::Unavailable(reason), ledger)
    }

    pub(super) fn finish(&mut self, reply: Reply, ledger: &mut dyn Ledger) -> Effect {
        let kept = self.settle_stamps(ledger);
        let misarmed = self.registration.misarmed;
        let recovery = Recovery { at_least: self.doubtful, stamps: kept, misarmed };
        let recovery = (!recovery.is_nothing()).then_some(recovery);
        let reply = match (reply, self.state()) {
            // A commit may have followed the decision.
            (Reply::Awake(_), _) => Reply::Awake(self.version()),
            (Reply::View(_), Some(state)) => Reply::View(state),
            (reply, _) => reply,
        };
        let known = std::mem::take(&mut self.known);
        // That there is no task was a guess, which only a commit can confirm.
        let guessed = self.source == Source::Guess && matches!(known, Known::Absent);
        let known = if self.doubtful > 0 || guessed { Known::Nothing } else { known };
        Effect::Finish(Box::new(Finish {
            reply,
            known,
            recovery,
            wake_failures: self.wake_failures,
        }))
    }

    /// Gives back the stamps that no stored state can carry, and keeps the others: releasing a
    /// stamp that a state carries would count its events as published.
    fn settle_stamps(&mut self, ledger: &mut dyn Ledger) -> Vec<Stamp> {
        let stamps = std::mem::take(&mut self.stamps);
        let unclear =
            self.doubtful > 0 || (self.ever_doubtful && matches!(self.known, Known::Nothing));
        let stored = self.state();
        let carried = |stamp: &Stamp| {
            let pending = stored.as_ref().map_or(&[][..], |state| &state.pending);
            unclear || pending.iter().any(|commit| commit.stamp == *stamp)
        };
        let carried =
            |stamp: &Stamp| carried(stamp) && !planted::is(Bug::StampsReleasedThoughStored);
        let (kept, free): (Vec<_>, Vec<_>) = stamps.into_iter().partition(carried);
        for stamp in free {
            ledger.release(stamp);
        }
        kept
    }
}
