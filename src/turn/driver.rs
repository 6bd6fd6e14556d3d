//! Runs turns: one at a time per actor, each to its end even when the caller has gone.

mod perform;

use super::cell::{Cell, Written};
use super::effect::{Effect, Finish, Known, Outcome, Reply, Request};
use super::machine::Machine;
use super::measure::{self, Measured};
use super::oversight::Oversight;
use super::places::{Crowded, Places};
use super::presumption::Presumption;
use super::put_off::{Put, PutOff};
use super::recall::Recall;
use super::record::UnreadableState;
use super::recovery::RecoveryQueue;
use super::shelf::Shelf;
use super::trace;
use crate::clock::{Deadline, SharedClock};
use crate::metrics::metrics;
use crate::outbox::publisher::Publisher;
use crate::planted::{self, Bug};
use crate::ports::{CallError, Ports, Users};
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// How long a turn may wait for its actor and for a free place before it is refused.
const QUEUE_DEADLINE: Duration = Duration::from_secs(20);
/// How old a command may be, counted from when it came, when its first commit is decided. An older one has been given
/// up by its caller, who may have repeated it elsewhere and have been told how that went.
const COMMAND_DEADLINE: Duration = Duration::from_secs(20);
/// How long a wake that comes while the process stops waits for its refusal.
const REFUSED_WAKE_PAUSE: Duration = Duration::from_secs(1);
/// Commands and reads that may wait for each place; a further one is refused at once. That is 512 of
/// them by default, some seconds of work, which with bodies of the largest size take 32 MiB. It must be
/// below `names::SIDECAR_APP_MAX_CONCURRENCY`: what the sidecar may not send yet waits there, where
/// nobody refuses it.
const COMMANDS_WAITING_PER_PLACE: usize = 8;
/// Wakes that may wait for each place before further ones are put off: a fraction of a second of work.
/// The sidecar's other connections are for commands.
pub const WAKES_WAITING_PER_PLACE: usize = 2;
/// Wakes, and turns that this service asks itself for, wait rather than be refused: Dapr would repeat
/// them, at once. Wakes are put off before this bound is met.
const UNASKED_WAITING_MAX: usize = 16_384;
/// Actors whose state is kept in memory between turns: those that had one last.
const REMEMBERED_MAX: usize = 50_000;

/// The bounds that the operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How far ahead wakes are registered, in ms; `None`: any distance.
    pub horizon_ms: Option<i64>,
    /// How long it is kept what happened to reminders, in ms; `None`: as long as there is room.
    pub history_ms: Option<i64>,
    /// Wake turns that run at the same time.
    pub wakes: usize,
    /// Wakes that may wait for that with their callers; further ones are put off.
    pub wakes_waiting: usize,
    /// Command turns that run at the same time.
    pub commands: usize,
}

/// Runs the turns of all actors of this process.
pub struct Driver<P> {
    ports: Arc<P>,
    clock: SharedClock,
    users: Recall,
    publisher: Arc<Publisher<P>>,
    recovery: Arc<RecoveryQueue<P>>,
    oversight: Oversight,
    horizon_ms: Option<i64>,
    history_ms: Option<i64>,
    wakes: Places,
    wakes_waiting: usize,
    put_off: PutOff,
    commands: Places,
    /// As `commands`, for the few turns of the audit and of recovery, which must not be refused.
    internal: Places,
    remembered: Shelf,
    presumption: Presumption,
    turns: TaskTracker,
}

impl<P: Ports> Driver<P> {
    /// A driver on these ports.
    pub fn new(
        ports: Arc<P>,
        clock: SharedClock,
        users: Arc<dyn Users>,
        publisher: Arc<Publisher<P>>,
        recovery: Arc<RecoveryQueue<P>>,
        limits: Limits,
        oversight: Oversight,
    ) -> Arc<Self> {
        Arc::new(Self {
            ports,
            clock,
            users: Recall::new(users),
            publisher,
            recovery,
            oversight,
            horizon_ms: limits.horizon_ms,
            history_ms: limits.history_ms,
            wakes: Places::new(limits.wakes, UNASKED_WAITING_MAX),
            wakes_waiting: limits.wakes_waiting,
            put_off: PutOff::new(limits.wakes),
            commands: Places::new(
                limits.commands,
                limits.commands.saturating_mul(COMMANDS_WAITING_PER_PLACE),
            ),
            internal: Places::new(limits.commands, UNASKED_WAITING_MAX),
            remembered: Shelf::new(REMEMBERED_MAX),
            presumption: Presumption::default(),
            turns: TaskTracker::new(),
        })
    }

    /// Runs a turn to its end, in a task of its own: a caller who hangs up must not cut it short.
    pub async fn run(self: &Arc<Self>, cell: &Arc<Cell>, request: Request) -> Reply {
        let mut request = request;
        let measured = Measured::begin(&request);
        let span = trace::begin(&cell.id, &mut request);
        let reply = self.to_its_end(cell, request).instrument(span.clone()).await;
        measured.end(&reply, &span);
        reply
    }

    async fn to_its_end(self: &Arc<Self>, cell: &Arc<Cell>, request: Request) -> Reply {
        if self.turns.is_closed() {
            return Reply::Overloaded("this process is stopping; another one takes over".into());
        }
        let unasked = matches!(request, Request::Wake | Request::Settle { .. });
        let (driver, id, cell) = (Arc::clone(self), cell.id.clone(), Arc::clone(cell));
        let until = Deadline::within(COMMAND_DEADLINE);
        let turn = async move { driver.turn(&cell, request, until).await };
        let turn = self.turns.spawn(turn.in_current_span());
        // The error's own words repeat those of the panic, which may hold the task.
        let panicked = match turn.await {
            Ok(reply) => return reply,
            Err(error) => error.is_panic(),
        };
        tracing::error!(task.id = %id, panicked, "a turn did not come to its end");
        if unasked {
            // Only the state can have led there, and would again, at once.
            self.oversight.park(&id, &UnreadableState::Panicked).await;
            return Reply::Unreadable(UnreadableState::Panicked);
        }
        Reply::Unavailable("the turn did not come to its end".into())
    }

    /// Runs a wake turn, or puts it off when too many wait already.
    ///
    /// # Errors
    /// Why it could not be done: the wake must be repeated.
    pub async fn wake(self: &Arc<Self>, cell: &Arc<Cell>) -> Result<(), String> {
        if self.wakes.waiting() >= self.wakes_waiting && self.put_off(cell) {
            return Ok(());
        }
        if self.turns.is_closed() {
            // The sidecar repeats at once what fails at once, and what ends here needs the machine.
            tokio::time::sleep(REFUSED_WAKE_PAUSE).await;
        }
        match self.run(cell, Request::Wake).await {
            Reply::Overloaded(reason) | Reply::Unavailable(reason)
                if !planted::is(Bug::FailedWakeForgotten) =>
            {
                Err(reason)
            }
            _ => Ok(()),
        }
    }

    /// Has a wake's turn come later, if there is room for it.
    fn put_off(self: &Arc<Self>, cell: &Arc<Cell>) -> bool {
        if self.turns.is_closed() {
            return false;
        }
        match self.put_off.put(cell) {
            Put::Refused => return false,
            Put::Waits => {}
            Put::NeedsRunner => {
                tokio::spawn(Arc::clone(self).work_off());
            }
        }
        measure::put_off();
        true
    }

    async fn work_off(self: Arc<Self>) {
        while let Some(cell) = self.put_off.next() {
            if self.turns.is_closed() {
                let left = self.put_off.abandon() + 1;
                tracing::info!(left, "wakes that had been put off are left to the audit");
            } else if let Reply::Overloaded(reason) | Reply::Unavailable(reason) =
                self.run(&cell, Request::Wake).await
            {
                tracing::warn!(task.id = %cell.id(), reason, "a late wake failed; the audit repeats it");
            }
        }
    }

    /// Whose task it is as the index knows it, for one whose state cannot say.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn owner(&self, id: &TaskId) -> Result<Option<Person>, CallError> {
        self.users.read().owner(id).await
    }

    /// Takes on no more turns and waits until those under way have ended.
    pub async fn drain(&self) {
        self.turns.close();
        self.turns.wait().await;
    }

    async fn turn(&self, cell: &Cell, request: Request, until: Deadline) -> Reply {
        let queued = async { Ok((self.place(&request).await?, cell.memory.lock().await)) };
        let (_place, mut memory) = match tokio::time::timeout(QUEUE_DEADLINE, queued).await {
            Ok(Ok(entered)) => entered,
            Ok(Err(Crowded)) | Err(_) => {
                return Reply::Overloaded("too many turns are waiting".into());
            }
        };
        let (mut known, mut written) = memory.recall();
        if cell.stale.swap(false, Ordering::AcqRel) {
            (known, written) = (Known::Nothing, None);
        }
        let request = planted::request(request);
        let asked = matches!(request, Request::Command(_));
        let may_be_new = request.may_be_of_a_new_task() && matches!(known, Known::Nothing);
        let mut wake = matches!(request, Request::Wake).then(measure::Wake::begin);
        let trace = trace::own(&Span::current()).filter(|_| !asked);
        let mut machine =
            Machine::new(cell.id.clone(), request, known, self.horizon_ms, memory.wake_failures)
                .stopped_by(Arc::clone(&self.oversight.firing.borrow()))
                .presuming_new(may_be_new && self.presumption.holds())
                .with_quotas(self.oversight.quotas.is_some())
                .keeping_history(self.history_ms)
                .traced(trace);
        let until = asked.then_some(until);
        let finish = self.play(&cell.id, &mut machine, until, wake.as_mut(), &mut written).await;
        if let (Some(wake), Reply::Awake(_)) = (wake, &finish.reply) {
            wake.end();
        }
        if may_be_new {
            self.presumption.learn(&finish.reply);
        }
        if let Reply::Unreadable(why) = &finish.reply {
            memory.parked = memory.parked || self.oversight.park(&cell.id, why).await;
        } else {
            // Only a turn that read the state tells; one that failed before tells nothing.
            memory.parked &= matches!(finish.known, Known::Nothing);
        }
        memory.keep(&finish.known, written, &self.remembered);
        memory.wake_failures = finish.wake_failures;
        if let Some(recovery) = finish.recovery.filter(|_| !planted::is(Bug::DoubtForgotten)) {
            metrics().doubtful.inc();
            self.recovery.add(cell.id.clone(), recovery);
        }
        finish.reply
    }

    async fn place(&self, request: &Request) -> Result<OwnedSemaphorePermit, Crowded> {
        let places = match request {
            Request::Wake => &self.wakes,
            Request::Get | Request::Command(_) => &self.commands,
            Request::Refresh | Request::Settle { .. } | Request::Purge(_) | Request::Erase(_) => {
                &self.internal
            }
        };
        places.take().await
    }

    async fn play(
        &self,
        id: &TaskId,
        machine: &mut Machine,
        until: Option<Deadline>,
        mut wake: Option<&mut measure::Wake>,
        written: &mut Option<Written>,
    ) -> Finish {
        let mut outcome = Outcome::Start;
        let mut changed = written.as_ref().map(|written| written.state.updated_at);
        loop {
            if let Outcome::Loaded(Some(state)) = &outcome {
                changed = Some(state.updated_at);
            }
            if until.is_some_and(Deadline::has_passed) {
                machine.give_up();
            }
            let effect = machine.step(outcome, &mut self.publisher.ledger(), self.clock.now());
            if let Some(wake) = &mut wake {
                wake.note(&effect);
            }
            if let Effect::Publish(handovers) = &effect {
                measure::firings(handovers, changed);
            }
            outcome = match effect {
                Effect::Finish(finish) => return *finish,
                effect => self.perform(id, effect, written).await,
            };
        }
    }
}

impl<P> std::fmt::Debug for Driver<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("turns", &self.turns).finish_non_exhaustive()
    }
}
