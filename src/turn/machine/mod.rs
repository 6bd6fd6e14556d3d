//! The turn as a machine without I/O: `step(outcome, now) -> effect`.
//!
//! ```text
//!  command: (load) ─► decide ─► arm if near and earlier ─► commit ─► publish ─► (disarm) ─► finish
//!  wake:    (load) ─► decide ───────────────────────────► commit ─► publish ─► arm next ─► finish
//!  a commit refused or not confirmed:  ─► load ─► decide …, a bounded number of times
//!  a wake that fails:  ─► arm at now + backoff ─► finish; if that fails too: wait ─► finish, failed
//! ```
//!
//! The driver runs each effect and feeds back its outcome. A crash is simply never calling `step`
//! again, so tests enumerate crashes instead of hoping for them.

mod admission;
mod arming;
mod choice;
mod ending;
mod preferences;
mod purge;

use self::admission::Admission;
use self::arming::Registration;
use self::choice::{Decision, Source};
use self::preferences::UserPreferences;
use self::purge::Births;
use crate::planted::{self, Bug};
use crate::turn::draft::{self, Draft, Ledger, Pending};
use crate::turn::effect::{Effect, Known, Outcome, Reply, Request};
use crate::turn::firing::FiringStop;
use crate::turn::settings;
use reminder_domain::decide::fence;
use reminder_domain::ids::Traceparent;
use reminder_domain::state::Stamp;
use reminder_domain::{Change, Origin, TaskId, TaskState, Timestamp};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Where the machine is: the effect whose outcome comes next.
#[derive(Debug)]
enum Phase {
    Start,
    Loading,
    LoadingWatermark(u64),
    LoadingPreferences,
    Admitting,
    LoadingBirths,
    Removing,
    WaitingForDue,
    Arming { draft: Box<Draft>, at: Timestamp, reply: Reply },
    Committing { state: Arc<TaskState>, handovers: Range<usize>, reply: Reply },
    Publishing { reply: Reply },
    Disarming { reply: Reply },
    ArmingNext { at: Timestamp, reply: Reply },
    ArmingRetry { reason: String },
    PausingBeforeFailure { reason: String },
    Finished,
}

/// One turn of one actor.
#[derive(Debug)]
pub struct Machine {
    id: TaskId,
    request: Request,
    /// How far ahead wakes are registered, in ms; `None`: any distance.
    horizon_ms: Option<i64>,
    /// How long it is kept what happened to reminders, in ms; `None`: as long as there is room.
    history_ms: Option<i64>,
    firing: Arc<FiringStop>,
    /// The trace that this turn belongs to, where no command says one.
    trace: Option<Traceparent>,
    /// How many wakes of this actor failed in a row, this one included once it has.
    wake_failures: u32,
    phase: Phase,
    known: Known,
    /// Where `known` comes from.
    source: Source,
    /// Whether a put of a task that nothing is known of is likely to make a new one.
    guesses_new: bool,
    watermarks: BTreeMap<u64, u64>,
    /// What the user prefers of whom the request tells.
    preferences: UserPreferences,
    /// Whether the command may be done.
    admission: Admission,
    /// Whether it is known in which incarnation tasks are born.
    births: Births,
    /// Stamps taken by this turn. All its attempts use the same ones: at most one takes effect.
    stamps: Vec<Stamp>,
    /// The version of a statement whose outcome is unknown; 0: none.
    doubtful: u64,
    /// Whether any statement of this turn had an unknown outcome.
    ever_doubtful: bool,
    /// What became of the registered wake.
    registration: Registration,
    attempts: u32,
    /// Whether nobody waits for the command any more.
    given_up: bool,
}

impl Machine {
    /// A turn on an actor of whose stored state the process knows `known`. Only commands and wakes rely on
    /// it, and only where they commit, which the fence judges: everything else loads.
    pub fn new(
        id: TaskId,
        request: Request,
        known: Known,
        horizon_ms: Option<i64>,
        wake_failures: u32,
    ) -> Self {
        let fenced = matches!(request, Request::Command(_) | Request::Wake);
        let relies = fenced || planted::is(Bug::AnsweredFromMemory);
        Self {
            id,
            request,
            horizon_ms,
            history_ms: None,
            firing: Arc::default(),
            trace: None,
            wake_failures,
            phase: Phase::Start,
            known: if relies { known } else { Known::Nothing },
            source: Source::Memory,
            guesses_new: false,
            watermarks: BTreeMap::new(),
            preferences: UserPreferences::default(),
            admission: Admission::default(),
            births: Births::Known,
            stamps: Vec::new(),
            doubtful: 0,
            ever_doubtful: false,
            registration: Registration::default(),
            attempts: 0,
            given_up: false,
        }
    }

    /// Takes the outcome of the last effect and says what to do next.
    ///
    /// # Panics
    /// When the outcome does not belong to the last effect: a bug in the driver.
    pub fn step(&mut self, outcome: Outcome, ledger: &mut dyn Ledger, now: Timestamp) -> Effect {
        match (std::mem::replace(&mut self.phase, Phase::Finished), outcome) {
            (Phase::Start, Outcome::Start) => self.start(ledger, now),
            (Phase::Loading, Outcome::Loaded(state)) => {
                self.loaded(state, ledger.incarnation());
                self.consider(ledger, now)
            }
            // Whatever it was asked for, it cannot be done, and trying again soon would not help.
            (Phase::Loading, Outcome::Unreadable(why)) => {
                self.finish(Reply::Unreadable(why), ledger)
            }
            (Phase::LoadingWatermark(epoch), Outcome::Watermark(n)) => {
                self.watermarks.insert(epoch, n);
                self.consider(ledger, now)
            }
            (Phase::LoadingPreferences, outcome) => self.learned(outcome, ledger, now),
            (Phase::LoadingBirths, Outcome::Births(births)) => {
                self.born(births, ledger);
                self.consider(ledger, now)
            }
            (Phase::Admitting, outcome) => self.admitted(outcome, ledger, now),
            (Phase::Removing, outcome) => self.removed(outcome, ledger, now),
            (
                Phase::Loading | Phase::LoadingWatermark(_) | Phase::LoadingBirths,
                Outcome::Failed(reason),
            ) => self.fail(reason, ledger, now),
            (Phase::WaitingForDue, Outcome::Done) => self.consider(ledger, now),
            // There is a task after all, or one has left its wake behind.
            (Phase::Arming { .. }, Outcome::ArmedAlready) => self.load(),
            (Phase::Arming { mut draft, at, reply }, outcome) => {
                let armed = matches!(outcome, Outcome::Done);
                draft.state.armed = armed.then_some(at);
                // One that was only to be where there was none took no place.
                self.registration.made |= self.source != Source::Guess;
                self.note_misarmed(!armed);
                if self.given_up {
                    return self.fail_too_old(ledger, now);
                }
                self.commit(*draft, reply)
            }
            (Phase::Committing { state, handovers, reply }, Outcome::Done) => {
                self.committed(&state, handovers, reply, ledger, now)
            }
            (Phase::Committing { .. }, Outcome::Fenced) => {
                self.doubt_births();
                self.retry("other writers kept getting in between".into(), ledger, now)
            }
            (Phase::Committing { .. }, Outcome::Failed(reason))
                if planted::is(Bug::UnknownTakenForRefused) =>
            {
                self.retry(reason, ledger, now)
            }
            (Phase::Committing { state, .. }, Outcome::Failed(reason)) => {
                self.doubtful = self.doubtful.max(state.version);
                self.ever_doubtful = true;
                self.retry(reason, ledger, now)
            }
            (Phase::Publishing { reply }, Outcome::Done) => self.conclude(reply, ledger, now),
            (Phase::Disarming { reply }, outcome) => {
                self.note_misarmed(!matches!(outcome, Outcome::Done));
                self.finish(reply, ledger)
            }
            (Phase::ArmingNext { at, reply }, Outcome::Done) => {
                self.note_armed(Some(at));
                self.finish(reply, ledger)
            }
            (Phase::ArmingNext { .. }, Outcome::Failed(reason)) => {
                self.note_misarmed(true);
                self.note_armed(None);
                self.fail(reason, ledger, now)
            }
            (Phase::ArmingRetry { .. }, Outcome::Done) => {
                let reply = Reply::Awake(self.version());
                self.finish(reply, ledger)
            }
            (Phase::ArmingRetry { reason }, Outcome::Failed(_)) => {
                self.phase = Phase::PausingBeforeFailure { reason };
                Effect::WaitUntil(now.saturating_add_ms(settings::FAILED_WAKE_PAUSE_MS))
            }
            (Phase::PausingBeforeFailure { reason }, Outcome::Done) => {
                self.finish(Reply::Unavailable(reason), ledger)
            }
            (phase, outcome) => panic!("outcome {outcome:?} does not belong to {phase:?}"),
        }
    }

    /// Decides, once everything that the decision needs is known.
    fn consider(&mut self, ledger: &mut dyn Ledger, now: Timestamp) -> Effect {
        let state = self.state();
        if self.doubtful > 0 && self.version() >= self.doubtful {
            self.doubtful = 0;
        }
        if let Some(state) = &state {
            if let Some(epoch) = draft::unknown_epoch(state, ledger.epoch(), &self.watermarks) {
                self.phase = Phase::LoadingWatermark(epoch);
                return Effect::LoadWatermark(epoch);
            }
            if let Some(due) = self.slightly_early(state, now) {
                self.phase = Phase::WaitingForDue;
                return Effect::WaitUntil(due);
            }
        }
        if let Request::Purge(retention) = self.request {
            return self.purge(retention, ledger, now);
        }
        if self.must_ask_births(state.as_deref()) {
            self.phase = Phase::LoadingBirths;
            return Effect::LoadBirths;
        }
        if let Some(question) = self.to_ask(state.as_deref()) {
            self.phase = Phase::LoadingPreferences;
            return question;
        }
        let stored = state.as_deref();
        let unborn = TaskState::unborn(ledger.births(), now);
        let before = stored.or(Some(&unborn));
        let decision = self.decide(before, now);
        // The fence judges what is known of the state only where something is committed. A process
        // that stalled while its actors moved may know an old state, so everything else is answered
        // from the store.
        let trusts_memory = self.source == Source::Store || planted::is(Bug::AnsweredFromMemory);
        let replies = matches!(decision, Decision::Reply(_));
        if replies && (self.distrust_recalled() || !trusts_memory) {
            return self.load();
        }
        if self.given_up && matches!(decision, Decision::Commit(..)) {
            return self.fail_too_old(ledger, now);
        }
        if let Decision::Commit(change, ..) = &decision
            && let Some(ask) = self.ask_admission(before, change)
        {
            return ask;
        }
        let mut pending = stored
            .map(|state| draft::sort_pending(state, ledger, &self.watermarks))
            .unwrap_or_default();
        let erases = self.erase_pending(&mut pending);
        let (change, origin, reply) = match decision {
            Decision::Commit(change, origin, reply) => (*change, origin, reply),
            Decision::Reply(reply) => {
                let must_write = !pending.orphaned.is_empty() || self.must_fence();
                if !must_write {
                    self.registration.obsolete = false;
                    return self.conclude(reply, ledger, now);
                }
                (fence(before, now), Origin::default(), reply)
            }
        };
        if !erases
            && !change.events.is_empty()
            && pending.len() >= reminder_domain::limits::PENDING_COMMITS_MAX
        {
            return self.overfull(pending.len(), ledger, now);
        }
        self.prepare(change, origin, pending, reply, ledger, now)
    }

    /// Composes the state to write and registers the wake first where the design says so.
    fn prepare(
        &mut self,
        change: Change,
        origin: Origin,
        pending: Pending,
        reply: Reply,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        let mut taken = 0;
        let stamps = &mut self.stamps;
        let mut draft = draft::compose(change, origin, self.trace.take(), pending, now, || {
            if taken == stamps.len() {
                stamps.push(ledger.reserve());
            }
            taken += 1;
            stamps[taken - 1]
        });
        self.forget_history(&mut draft.state, now);
        let to_arm = self.plan_registration(&mut draft.state, now);
        let wakes = matches!(self.request, Request::Wake | Request::Settle { .. });
        match to_arm {
            Some(at) if !wakes && !planted::is(Bug::ArmAfterCommit) => {
                self.phase = Phase::Arming { draft: Box::new(draft), at, reply };
                // What is registered comes before what the fence says: a task that is there after all
                // must not lose an earlier wake.
                let takes_place =
                    self.source != Source::Guess || planted::is(Bug::PresumedWakeOverwrites);
                if takes_place { Effect::Arm(at) } else { Effect::ArmIfAbsent(at) }
            }
            _ => self.commit(draft, reply),
        }
    }

    fn commit(&mut self, draft: Draft, reply: Reply) -> Effect {
        let state = Arc::new(draft.state);
        let handovers = draft.handovers;
        self.phase = Phase::Committing { state: Arc::clone(&state), handovers, reply };
        if self.state().is_none() { Effect::Create(state) } else { Effect::Commit(state) }
    }
}

#[cfg(test)]
mod tests;
