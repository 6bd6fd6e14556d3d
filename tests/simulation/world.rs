//! The world: a store with the fence, one reminder, a broker, a process that may die, and a client
//! that repeats what was not answered.

use crate::calls::{Call, Crashed, Fault, Late, Record};
use reminder_contract::cloud_event;
use reminder_contract::wire::{self, Method};
use reminder_domain::{CommandKind, Retention, TaskId, Timestamp, Topic, next_wake};
use reminder_scheduler::outbox::lanes::{Next, Outbox};
use reminder_scheduler::turn::draft::Ledger;
use reminder_scheduler::turn::effect::{Effect, Finish, Known, Outcome, Recovery, Reply, Request};
use reminder_scheduler::turn::machine::Machine;
use reminder_scheduler::turn::record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something that happens by itself as time passes.
type Event = fn(&mut World);

struct Process {
    outbox: Outbox,
    known: Known,
    wake_failures: u32,
    doubts: Vec<Doubt>,
    saved_watermark: u64,
}

/// A task to be settled, as the recovery queue does it.
struct Doubt {
    settle_at_ms: i64,
    recovery: Recovery,
    /// Whether this is the second time, after which no call can take effect any more.
    last: bool,
}

pub(crate) struct World {
    pub(crate) now_ms: i64,
    pub(crate) log: Vec<Record>,
    /// How many calls were made so far; faults are planned by this number.
    pub(crate) calls: usize,
    /// What each call was, for the report of a failure.
    pub(crate) trace: Vec<String>,
    /// Whether overdue tasks are settled, as the audit of the whole design does.
    pub(crate) audited: bool,
    /// A topic that takes no events for now.
    pub(crate) silent_topic: Option<Topic>,
    /// Whether a purge raises the incarnation in which tasks are born.
    pub(crate) raises_births: bool,
    pub(crate) births: u32,
    faults: BTreeMap<usize, Fault>,
    late: Vec<Late>,
    pub(crate) store: Option<Vec<u8>>,
    pub(crate) watermarks: BTreeMap<u64, u64>,
    pub(crate) reminder: Option<Timestamp>,
    process: Process,
    epochs: u64,
}

const TASK: &str = "milk";
/// The arm horizon of these runs.
const EVERYTHING_IS_NEAR: Option<i64> = None;
/// A task that is overdue by this much is settled by the audit.
const AUDIT_GRACE_MS: i64 = 5_000;
/// A client gives up only after this many attempts; far more than the faults planned.
const CLIENT_ATTEMPTS: usize = 20;
const CLIENT_PAUSE_MS: i64 = 100;
/// Dapr repeats a wake that was not answered with 200 after this long.
const WAKE_RETRY_MS: i64 = 1_000;
/// A doubt is settled after this long, and once more when no call can take effect any more.
const RECOVERY_PAUSE_MS: i64 = 1_000;
const CALLS_DIE_AFTER_MS: i64 = 15_000;

impl World {
    pub(crate) fn new(faults: BTreeMap<usize, Fault>, audited: bool) -> Self {
        Self {
            now_ms: 1_800_000_000_000,
            log: Vec::new(),
            calls: 0,
            trace: Vec::new(),
            audited,
            silent_topic: None,
            raises_births: true,
            births: 1,
            faults,
            late: Vec::new(),
            store: None,
            watermarks: BTreeMap::new(),
            reminder: None,
            process: Process::start(1),
            epochs: 1,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }

    /// Sends a command until it is answered, as a client would; returns the last reply.
    pub(crate) fn command(&mut self, method: Method, body: &str) -> Reply {
        for _ in 0..CLIENT_ATTEMPTS {
            let command = wire::parse_command(method, body.as_bytes()).expect("a valid command");
            match self.turn(Request::Command(Box::new(command))) {
                Ok(Reply::Unavailable(_) | Reply::Overloaded(_)) => {}
                Ok(reply) => return reply,
                Err(Crashed) => self.restart(),
            }
            self.now_ms += CLIENT_PAUSE_MS;
        }
        panic!("no answer after {CLIENT_ATTEMPTS} attempts");
    }

    /// Lets time pass: the reminder fires when it is due, doubts are settled, and so are tasks that
    /// are overdue, where the run is audited.
    pub(crate) fn advance(&mut self, ms: i64) {
        let end = self.now_ms + ms;
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= end) {
            self.now_ms = self.now_ms.max(at);
            event(self);
        }
        self.now_ms = end;
        if self.pump().is_err() {
            self.restart();
        }
    }

    fn next_event(&self) -> Option<(i64, Event)> {
        let wake = self.reminder.map(|at| (at.as_millis(), Self::deliver_wake as Event));
        let doubts = self.process.doubts.iter();
        let doubt = doubts.map(|doubt| (doubt.settle_at_ms, Self::recover as Event)).min();
        let stored = self.store.as_deref().map(|bytes| record::decode(bytes).unwrap());
        let overdue = stored.as_ref().and_then(next_wake).filter(|_| self.audited).map(|at| {
            let at = (at.as_millis() + AUDIT_GRACE_MS).max(self.now_ms);
            (at, Self::settle as Event)
        });
        let late = self.late.iter().map(|late| (late.by_ms, Self::land as Event)).min();
        [wake, doubt, overdue, late].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn settle(&mut self) {
        self.until_answered(&Request::Settle { at_least: 0 });
    }

    /// Somebody reads the task: any turn publishes what a dead process left pending.
    pub(crate) fn read_task(&mut self) {
        self.until_answered(&Request::Get);
    }

    fn until_answered(&mut self, request: &Request) {
        for _ in 0..CLIENT_ATTEMPTS {
            match self.turn(request.clone()) {
                Ok(Reply::Unavailable(_) | Reply::Overloaded(_)) => {}
                Ok(_) => return,
                Err(Crashed) => self.restart(),
            }
        }
    }

    /// A round of the purge: what is over goes, however young it is.
    pub(crate) fn purge(&mut self) {
        if self.raises_births {
            self.births = u32::try_from(self.now_ms / 1_000).unwrap();
        }
        let retention = Retention { completed_ms: Some(0), tombstones_ms: Some(0) };
        self.until_answered(&Request::Purge(retention));
    }

    fn deliver_wake(&mut self) {
        let registered = self.reminder;
        let answered = match self.turn(Request::Wake) {
            Ok(Reply::Unavailable(_) | Reply::Overloaded(_)) => false,
            Ok(_) => true,
            Err(Crashed) => {
                self.restart();
                false
            }
        };
        // A registration made inside the callback stays, whatever the answer.
        if self.reminder == registered {
            self.reminder = if answered {
                None
            } else {
                let retry = registered.map_or(0, Timestamp::as_millis) + WAKE_RETRY_MS;
                Some(Timestamp::from_millis(retry.max(self.now_ms)))
            };
        }
    }

    fn recover(&mut self) {
        let now_ms = self.now_ms;
        let due: Vec<Doubt> =
            self.process.doubts.extract_if(.., |doubt| doubt.settle_at_ms <= now_ms).collect();
        for Doubt { recovery, last, .. } in due {
            match self.turn(Request::Settle { at_least: recovery.at_least }) {
                Ok(Reply::Awake(version)) if version >= recovery.at_least => {
                    for stamp in recovery.stamps {
                        self.process.outbox.release(stamp);
                    }
                    let settle_at_ms = self.now_ms + CALLS_DIE_AFTER_MS;
                    let recovery = Recovery::default();
                    let again = Doubt { settle_at_ms, recovery, last: true };
                    self.process.doubts.extend((!last).then_some(again));
                }
                Ok(_) => {
                    let settle_at_ms = self.now_ms + RECOVERY_PAUSE_MS;
                    self.process.doubts.push(Doubt { settle_at_ms, recovery, last });
                }
                Err(Crashed) => return self.restart(),
            }
        }
    }

    fn restart(&mut self) {
        self.trace.push("restart".into());
        self.epochs += 1;
        self.process = Process::start(self.epochs);
    }

    fn turn(&mut self, request: Request) -> Result<Reply, Crashed> {
        self.trace.push(format!("{} turn {request:?}", self.now()));
        let known = std::mem::take(&mut self.process.known);
        let id = TaskId::parse(TASK).unwrap();
        let failures = self.process.wake_failures;
        // Every put guesses that the task is new, which it is only once.
        let guesses = matches!(&request, Request::Command(command) if matches!(command.kind, CommandKind::Put(_)));
        let mut machine =
            Machine::new(id, request, known, EVERYTHING_IS_NEAR, failures).presuming_new(guesses);
        let mut outcome = Outcome::Start;
        let finish = loop {
            let now = self.now();
            match machine.step(outcome, &mut self.process.outbox, now) {
                Effect::Finish(finish) => break finish,
                effect => outcome = self.perform(effect)?,
            }
        };
        let Finish { reply, known, recovery, wake_failures } = *finish;
        self.process.known = known;
        let settle_at_ms = self.now_ms + RECOVERY_PAUSE_MS;
        let doubt = |recovery| Doubt { settle_at_ms, recovery, last: false };
        self.process.doubts.extend(recovery.map(doubt));
        self.process.wake_failures = wake_failures;
        // The answer goes out before the events do: it must not depend on the broker.
        if self.pump().is_err() {
            self.restart();
        }
        Ok(reply)
    }

    fn perform(&mut self, effect: Effect) -> Result<Outcome, Crashed> {
        match effect {
            Effect::Load => self.read("load", |world| {
                let state = world.store.as_deref().map(|bytes| record::decode(bytes).unwrap());
                Outcome::Loaded(state.map(Arc::new))
            }),
            Effect::LoadWatermark(epoch) => self.read("load watermark", |world| {
                Outcome::Watermark(world.watermarks.get(&epoch).copied().unwrap_or(0))
            }),
            Effect::LoadPreferences { .. } => {
                self.read("load preferences", |_| Outcome::Preferences(Box::default()))
            }
            Effect::WaitUntil(at) => {
                self.now_ms = self.now_ms.max(at.as_millis());
                Ok(Outcome::Done)
            }
            Effect::Arm(at) => self.call(Call::Arm(at)),
            Effect::ArmIfAbsent(at) => self.call(Call::ArmIfAbsent(at)),
            Effect::Disarm => self.call(Call::Disarm),
            Effect::Commit(state) => self.call(Call::Commit(record::encode(&state))),
            Effect::Create(state) => self.call(Call::Create(record::encode_first(&state))),
            Effect::Remove(numbers) => self.call(Call::Remove(numbers)),
            Effect::LoadBirths => self.read("load births", |world| Outcome::Births(world.births)),
            Effect::Publish(handovers) => {
                // Between the commit and the hand-over a process may die as well.
                self.read("hand over", |_| Outcome::Done)?;
                let id = TaskId::parse(TASK).unwrap();
                for handover in handovers {
                    self.process.outbox.enqueue(&id, handover);
                }
                Ok(Outcome::Done)
            }
            Effect::Admit { .. } => unreachable!("there are no quotas"),
            Effect::Finish(_) => unreachable!("handled by the caller"),
        }
    }

    /// Brings what is in the outbox to the broker, and saves the watermark.
    fn pump(&mut self) -> Result<(), Crashed> {
        let silent = self.silent_topic;
        for topic in Topic::ALL.into_iter().filter(|topic| silent != Some(*topic)) {
            loop {
                let batch = match self.process.outbox.next(topic, self.now_ms) {
                    Next::Send(batch) => batch,
                    Next::WaitUntil(at_ms) | Next::IdleUntil(at_ms) => {
                        self.now_ms = at_ms;
                        continue;
                    }
                    Next::Idle => break,
                };
                let records = batch.items.iter().map(|item| {
                    let (commit, incarnation) =
                        (item.handover.commit(), item.handover.incarnation());
                    let event = &commit.events[item.index];
                    let snapshot = item.handover.snapshot();
                    Record {
                        id: cloud_event::event_id(&item.task, incarnation, topic, event.sequence),
                        topic,
                        body: cloud_event::encode(&item.task, incarnation, commit, snapshot, event),
                    }
                });
                let records = records.collect();
                let outcome = self.call(Call::Publish(records))?;
                let acknowledged = matches!(outcome, Outcome::Done);
                self.process.outbox.finished(batch, acknowledged, self.now_ms);
            }
        }
        let watermark = self.process.outbox.watermark();
        if watermark > self.process.saved_watermark {
            let epoch = self.process.outbox.epoch();
            if matches!(self.call(Call::SaveWatermark(epoch, watermark))?, Outcome::Done) {
                self.process.saved_watermark = watermark;
            }
        }
        Ok(())
    }

    /// A call that only reads: it can fail or never return.
    fn read(
        &mut self,
        what: &str,
        answer: impl FnOnce(&Self) -> Outcome,
    ) -> Result<Outcome, Crashed> {
        match self.begin(what) {
            Some(Fault::CrashBefore | Fault::CrashAfter) => Err(Crashed),
            Some(_) => Ok(Outcome::Failed(what.to_owned())),
            None => Ok(answer(self)),
        }
    }

    fn call(&mut self, call: Call) -> Result<Outcome, Crashed> {
        let failed = || Outcome::Failed("fault".into());
        match self.begin(&call.describe()) {
            None => Ok(self.take_effect(call)),
            Some(Fault::CrashBefore) => Err(Crashed),
            Some(Fault::CrashAfter) => {
                self.take_effect(call);
                Err(Crashed)
            }
            Some(Fault::Fails) => Ok(failed()),
            Some(Fault::FailsButTakesEffect) => {
                self.take_effect(call);
                Ok(failed())
            }
            Some(Fault::TakesEffectLate(calls)) => {
                let by_ms = self.now_ms + CALLS_DIE_AFTER_MS - 1;
                self.late.push(Late { after_call: self.calls + calls, by_ms, call });
                Ok(failed())
            }
        }
    }

    fn begin(&mut self, what: &str) -> Option<Fault> {
        self.calls += 1;
        self.land();
        let fault = self.faults.get(&self.calls).copied();
        self.trace.push(format!("  {} {what} {fault:?}", self.calls));
        fault
    }

    /// Lets calls that were given up take effect when their time has come.
    fn land(&mut self) {
        let (calls, now_ms) = (self.calls, self.now_ms);
        let is_due = |late: &mut Late| late.after_call < calls || late.by_ms <= now_ms;
        let due: Vec<Call> = self.late.extract_if(.., is_due).map(|late| late.call).collect();
        for call in due {
            self.trace.push(format!("  late: {}", call.describe()));
            self.take_effect(call);
        }
    }
}

impl Process {
    fn start(epoch: u64) -> Self {
        Self {
            outbox: Outbox::new(epoch),
            known: Known::Nothing,
            wake_failures: 0,
            doubts: Vec::new(),
            saved_watermark: 0,
        }
    }
}
