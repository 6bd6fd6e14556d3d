//! What a turn decides, once the state is known.

use super::{Machine, Phase};
use crate::planted::{self, Bug};
use crate::turn::draft::Ledger;
use crate::turn::effect::{Effect, Known, Reply, Request};
use crate::turn::firing::FiringStop;
use crate::turn::settings;
use reminder_domain::decide::{decide_refresh, decide_wake};
use reminder_domain::erasure::{decide_erase, erased_origin};
use reminder_domain::ids::Traceparent;
use reminder_domain::{Change, Origin, Rejection, TaskState, Timestamp, Turn, decide, next_wake};
use std::sync::Arc;

/// What a decision comes to.
pub(super) enum Decision {
    Commit(Box<Change>, Origin, Reply),
    Reply(Reply),
}

/// Where it comes from what a turn knows of the stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// From an earlier turn of this process.
    Memory,
    /// It is taken for granted that there is no such task yet.
    Guess,
    /// It was read.
    Store,
}

impl Machine {
    pub(super) fn state(&self) -> Option<Arc<TaskState>> {
        match &self.known {
            Known::State(state) => Some(Arc::clone(state)),
            Known::Absent | Known::Nothing => None,
        }
    }

    pub(super) fn version(&self) -> u64 {
        match &self.known {
            Known::State(state) => state.version,
            Known::Absent | Known::Nothing => 0,
        }
    }

    pub(super) fn start(&mut self, ledger: &mut dyn Ledger, now: Timestamp) -> Effect {
        let takes_on_events = !matches!(self.request, Request::Get | Request::Purge(_));
        if takes_on_events && ledger.is_full() {
            let reason = "too many events wait for the broker".to_owned();
            return match self.request {
                Request::Command(_) => self.finish(Reply::Overloaded(reason), ledger),
                _ => self.fail(reason, ledger, now),
            };
        }
        match self.known {
            Known::Nothing if self.may_presume() => {
                self.source = Source::Guess;
                self.known = Known::Absent;
                self.consider(ledger, now)
            }
            Known::Nothing => self.load(),
            Known::Absent | Known::State(_) => self.consider(ledger, now),
        }
    }

    pub(super) fn load(&mut self) -> Effect {
        self.phase = Phase::Loading;
        Effect::Load
    }

    /// Takes note of what is stored. What was written before a backup was restored goes on in the
    /// incarnation of now; its next commit makes it so in the store.
    pub(super) fn loaded(&mut self, state: Option<Arc<TaskState>>, incarnation: u32) {
        self.source = Source::Store;
        self.known = state.map_or(Known::Absent, |mut state| {
            // What is to be removed is known by the numbers that are stored.
            let goes_on = !matches!(self.request, Request::Purge(_));
            if goes_on && state.incarnation < incarnation {
                Arc::make_mut(&mut state).go_on_in(incarnation);
            }
            Known::State(state)
        });
    }

    /// Whether to do without reading that the task is not there: the fence refuses what begins a task
    /// that is.
    pub(super) fn may_presume(&self) -> bool {
        let told =
            matches!(&self.request, Request::Command(command) if command.tells_of_a_new_task());
        told || self.guesses_new
    }

    /// The same turn with a guess: its put makes a new task, if nothing says otherwise.
    #[must_use]
    pub fn presuming_new(self, guesses_new: bool) -> Self {
        Self { guesses_new, ..self }
    }

    /// The same turn while reminders of some shall not fire: wakes and settles let what is due be.
    #[must_use]
    pub fn stopped_by(self, firing: Arc<FiringStop>) -> Self {
        Self { firing, ..self }
    }

    /// The same turn where what happened to reminders is forgotten after a while.
    #[must_use]
    pub fn keeping_history(self, history_ms: Option<i64>) -> Self {
        Self { history_ms, ..self }
    }

    /// The same turn as part of a trace, where no command says one.
    #[must_use]
    pub fn traced(self, trace: Option<Traceparent>) -> Self {
        Self { trace, ..self }
    }

    /// Whether what is due of this task shall not fire now.
    pub(super) fn is_withheld(&self, state: &TaskState) -> bool {
        state.live().is_some_and(|live| self.firing.stops(live.task.user_id.as_ref()))
    }

    /// When a wake came so little before the due time that it should wait for it.
    pub(super) fn slightly_early(&self, state: &TaskState, now: Timestamp) -> Option<Timestamp> {
        let wakes = matches!(self.request, Request::Wake | Request::Settle { .. });
        let due = next_wake(state)?;
        let early_ms = due.millis_since(now);
        let waits = wakes && !self.is_withheld(state) && !planted::is(Bug::FiresEarly);
        (waits && early_ms > 0 && early_ms <= settings::EARLY_WAKE_WAIT_MS).then_some(due)
    }

    pub(super) fn decide(&self, state: Option<&TaskState>, now: Timestamp) -> Decision {
        match &self.request {
            Request::Get => Decision::Reply(match self.state() {
                Some(state) if state.live().is_some() => Reply::View(state),
                _ => Reply::Rejected(Rejection::UnknownTask(self.id.clone())),
            }),
            Request::Command(command) => {
                match decide(&self.id, state, command, self.preferences.known(), now) {
                    Err(rejection) => Decision::Reply(Reply::Rejected(rejection)),
                    Ok(Turn::Answer(answer)) => Decision::Reply(Reply::Answer(answer)),
                    Ok(Turn::Commit(change)) => {
                        let reply = Reply::Answer(change.answer.clone());
                        Decision::Commit(change, command.origin.clone(), reply)
                    }
                }
            }
            Request::Purge(_) => Decision::Reply(Reply::Awake(self.version())),
            // What is told of an erased task belongs to nobody's flow.
            Request::Erase(user) => match state.map(|state| decide_erase(state, user, now)) {
                Some(Turn::Commit(change)) => {
                    let reply = Reply::Awake(change.state.version);
                    Decision::Commit(change, erased_origin(), reply)
                }
                _ => Decision::Reply(Reply::Awake(self.version())),
            },
            Request::Refresh => {
                let known = self.preferences.known();
                self.unasked(state, |state| decide_refresh(state, known, now))
            }
            Request::Wake | Request::Settle { .. }
                if state.is_some_and(|state| self.is_withheld(state)) =>
            {
                Decision::Reply(Reply::Awake(self.version()))
            }
            Request::Wake | Request::Settle { .. } => {
                let early =
                    if planted::is(Bug::FiresEarly) { settings::EARLY_WAKE_WAIT_MS } else { 0 };
                let now = now.saturating_add_ms(early);
                self.unasked(state, |state| decide_wake(&planted::unpaused(state), now))
            }
        }
    }

    /// A turn that no command asked for: its events belong to the flow that scheduled the alarms.
    fn unasked(
        &self,
        state: Option<&TaskState>,
        decide: impl FnOnce(&TaskState) -> Turn,
    ) -> Decision {
        match state.map(|state| (state, decide(state))) {
            Some((state, Turn::Commit(change))) => {
                let origin = state.live().map(|live| live.origin.clone());
                let reply = Reply::Awake(change.state.version);
                Decision::Commit(change, origin.unwrap_or_default(), reply)
            }
            _ => Decision::Reply(Reply::Awake(self.version())),
        }
    }

    /// Whether a statement on its way must be kept from taking effect by a commit of its version.
    pub(super) fn must_fence(&self) -> bool {
        let at_least = match self.request {
            Request::Settle { at_least } => at_least.max(self.doubtful),
            _ => self.doubtful,
        };
        at_least > self.version()
    }
}
