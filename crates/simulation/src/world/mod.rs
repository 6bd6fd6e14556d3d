//! The world: what the hosts share, virtual time, chance, and the books.

mod actors;
mod broker;
mod erase;
mod hosts;
mod index;
mod ports;
mod purge;
mod queries;
mod reminders;
mod store;
mod users;

pub use erase::personal;
pub use hosts::Host;

use crate::dice::Dice;
use crate::judge::Judge;
use crate::plan::{Class, FAULTS_END_MS, Plan, Rates};
use reminder_domain::{TaskId, Timestamp};
use reminder_reference::calendar;
use reminder_scheduler::clock::Clock;
use reminder_scheduler::turn::firing::FiringStop;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Everything beside the processes.
pub struct World {
    /// What the run is made of.
    pub plan: Plan,
    dice: Dice,
    started: Instant,
    clocks: Vec<Arc<HostClock>>,
    state: Mutex<State>,
    reminders_changed: Notify,
    traced: bool,
}

/// What changes in the world.
pub struct State {
    /// Says what is wrong.
    pub judge: Judge,
    store: store::Store,
    index: index::Rows,
    reminders: reminders::Reminders,
    users: users::Users,
    erasures: erase::Erasures,
    /// Whose reminders shall not fire now.
    stop: Arc<FiringStop>,
    hosts: Vec<Host>,
    /// Raised when actors move.
    placement: u64,
    epochs: u64,
    away: BTreeMap<Part, i64>,
    counts: BTreeMap<(&'static str, u64), u64>,
    trace: Vec<String>,
    digest: u64,
    calls: u64,
}

/// A part of the world that can be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The state store and the read model.
    Postgres,
    /// Dapr's scheduler.
    Scheduler,
    /// Kafka.
    Broker,
}

/// The clock of a host: true time, and how far it is off.
pub struct HostClock {
    started: Instant,
    off_by_ms: AtomicI64,
    /// The latest that it ever showed.
    latest_ms: AtomicI64,
}

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        let elapsed = millis(self.started.elapsed()) + self.off_by_ms.load(Ordering::Relaxed);
        self.latest_ms.fetch_max(elapsed, Ordering::Relaxed);
        calendar::instant(elapsed)
    }
}

impl World {
    /// A world in which nothing has happened yet. It must be made inside a runtime whose time is
    /// paused.
    pub fn new(plan: Plan, traced: bool) -> Arc<Self> {
        let started = Instant::now();
        let dice = Dice::new(plan.seed);
        let clock = |host: usize| {
            let off = if matches!(plan.class, Class::Everything) {
                dice.of(("clock", host)).within("off", -300, 300)
            } else {
                0
            };
            Arc::new(HostClock {
                started,
                off_by_ms: AtomicI64::new(off),
                latest_ms: AtomicI64::new(i64::MIN),
            })
        };
        let clocks = (0..plan.hosts).map(clock).collect();
        let state = State {
            judge: Judge::default(),
            store: store::Store::default(),
            index: index::Rows::default(),
            reminders: reminders::Reminders::default(),
            users: users::Users::default(),
            erasures: erase::Erasures::default(),
            stop: Arc::default(),
            hosts: (0..plan.hosts).map(|_| Host::default()).collect(),
            placement: 0,
            epochs: 0,
            away: BTreeMap::new(),
            counts: BTreeMap::new(),
            trace: Vec::new(),
            digest: 0,
            calls: 0,
        };
        let state = Mutex::new(state);
        Arc::new(Self {
            plan,
            dice,
            started,
            clocks,
            state,
            reminders_changed: Notify::new(),
            traced,
        })
    }

    /// True time, in ms after the start.
    pub fn now_ms(&self) -> i64 {
        millis(self.started.elapsed())
    }

    /// Whether things still go wrong.
    pub fn is_hostile(&self) -> bool {
        self.now_ms() < FAULTS_END_MS
    }

    /// What may go wrong with calls now.
    fn rates(&self) -> Rates {
        if self.is_hostile() { self.plan.rates } else { Rates::default() }
    }

    /// What changes, for a moment: never held across a wait.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a run that panicked goes no further")
    }

    /// Dice for the next thing of this kind, and of this key.
    fn dice(&self, kind: &'static str, key: u64) -> Dice {
        let mut state = self.state();
        let count = state.counts.entry((kind, key)).or_default();
        *count += 1;
        self.dice.of((kind, key, *count))
    }

    /// Books what happens, for the trace and for telling runs apart.
    pub fn note(&self, what: impl FnOnce() -> String, digest: impl Hash) {
        let now = self.now_ms();
        let mut state = self.state();
        state.digest = Dice::new(state.digest).roll((now, digest));
        if self.traced {
            let line = format!(
                "{:>9.3} {}",
                Duration::from_millis(now.unsigned_abs()).as_secs_f64(),
                what()
            );
            state.trace.push(line);
        }
    }

    /// Something that must never happen has happened.
    pub fn violation(&self, what: impl Display) {
        let now = self.now_ms();
        self.note(|| format!("VIOLATION {what}"), "violation");
        self.state().judge.violated(now, what.to_string());
    }

    /// Whether a part does not answer now.
    fn is_away(&self, part: Part) -> bool {
        let now = self.now_ms();
        self.state().away.get(&part).is_some_and(|until| *until > now)
    }

    /// A part does not answer for so long.
    pub fn take_away(&self, part: Part, for_ms: i64) {
        let until = self.now_ms() + for_ms;
        self.note(|| format!("{part:?} is away for {for_ms} ms"), (part, for_ms));
        self.state().away.insert(part, until);
        self.reminders_changed.notify_one();
    }

    /// A host's clock is set; back to the truth when nothing is said.
    pub fn step_clock(&self, host: usize, by_ms: Option<i64>) {
        let clock = &self.clocks[host];
        match by_ms {
            Some(by) => clock.off_by_ms.fetch_add(by, Ordering::Relaxed),
            None => clock.off_by_ms.swap(0, Ordering::Relaxed),
        };
        self.note(|| format!("the clock of host {host} is set by {by_ms:?} ms"), (host, by_ms));
    }

    /// Whether anything may go wrong in this run as long as it is hostile.
    pub fn can_go_wrong(&self) -> bool {
        self.plan.rates != Rates::default() || !self.plan.faults.is_empty()
    }

    /// Whether every open task follows what its user prefers.
    pub fn everyone_follows(&self) -> bool {
        self.state().everyone_follows()
    }

    /// What was noted; and a number that two runs share if they went the same way.
    pub fn into_trace(self: &Arc<Self>) -> (Vec<String>, u64, u64) {
        let mut state = self.state();
        (std::mem::take(&mut state.trace), state.digest, state.calls)
    }
}

/// A task's number, for dice.
fn key(task: &TaskId) -> u64 {
    task.as_str().bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Lets so many ms pass.
pub(crate) async fn sleep_ms(ms: i64) {
    tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
}
