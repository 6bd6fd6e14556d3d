//! Hosts: their processes start, die, stop properly and stand still.

use super::ports::{HostPorts, SLOW_MS};
use super::{World, sleep_ms};
use crate::plan::Class;
use reminder_domain::TaskId;
use reminder_scheduler::audit::settings::Settings;
use reminder_scheduler::audit::{Audit, Signals};
use reminder_scheduler::erasure::Erasing;
use reminder_scheduler::firing;
use reminder_scheduler::outbox::publisher::Publisher;
use reminder_scheduler::turn::cell::Cell;
use reminder_scheduler::turn::driver::{Driver, Limits};
use reminder_scheduler::turn::oversight::Oversight;
use reminder_scheduler::turn::recovery::RecoveryQueue;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Turns of one kind at the same time, few enough to be met.
const CONCURRENCY: usize = 4;
/// How many outdated tasks are refreshed in a second.
const REFRESH_RATE: usize = 100;
/// A process that stands still for this long loses its actors, in ms.
const UNHEALTHY_AFTER_MS: i64 = 3_000;
/// How many of a thousand calls go by a table from before the last move.
const STALE_TABLES: u64 = 30;
/// How long a process that stops waits for its turns, and for the broker.
const DRAIN: Duration = Duration::from_secs(5);

/// A place where a process runs, or will again.
#[derive(Default)]
pub struct Host {
    pub(super) running: Option<Arc<Running>>,
    /// The process stands still until then, in ms after the start.
    pub(super) stalled_until_ms: i64,
    /// It has lost its actors until then.
    pub(super) unhealthy_until_ms: i64,
}

/// A process.
pub(super) struct Running {
    pub(super) process: Arc<Process>,
    pub(super) driver: Arc<Driver<HostPorts>>,
    pub(super) changed: Arc<Notify>,
    publisher: Arc<Publisher<HostPorts>>,
    background: CancellationToken,
    actors: Mutex<BTreeMap<TaskId, Arc<Actor>>>,
}

/// One run of a process.
pub(super) struct Process {
    pub(super) host: usize,
    pub(super) epoch: u64,
    pub(super) died: CancellationToken,
    pub(super) stopping: AtomicBool,
}

/// An actor as a host knows it, and the sidecar's lock.
pub(super) struct Actor {
    pub(super) cell: Arc<Cell>,
    pub(super) turn: tokio::sync::Mutex<()>,
    active: AtomicBool,
}

impl Running {
    /// What the process calls.
    pub(super) fn ports(&self, world: &Arc<World>) -> Arc<HostPorts> {
        let process = Arc::clone(&self.process);
        Arc::new(HostPorts { world: Arc::clone(world), process })
    }

    /// The actor, known to live here from now on.
    pub(super) fn activate(&self, task: &TaskId) -> Arc<Actor> {
        let mut actors = self.actors.lock().expect("nobody panics here");
        let actor = actors.entry(task.clone()).or_insert_with(|| {
            let (turn, active) = (tokio::sync::Mutex::new(()), AtomicBool::new(true));
            Arc::new(Actor { cell: Cell::new(task.clone()), turn, active })
        });
        if !actor.active.swap(true, Ordering::Relaxed) {
            // It may have lived elsewhere meanwhile.
            actor.cell.forget();
        }
        Arc::clone(actor)
    }

    fn deactivate(&self, task: &TaskId) {
        if let Some(actor) = self.actors.lock().expect("nobody panics here").get(task) {
            actor.active.store(false, Ordering::Relaxed);
        }
    }
}

impl World {
    /// Starts a process, with all that a process has.
    pub fn start(self: &Arc<Self>, host: usize) {
        let epoch = {
            let mut state = self.state();
            if state.hosts[host].running.is_some() {
                return;
            }
            state.epochs += 1;
            state.epochs
        };
        self.note(|| format!("host {host} starts run {epoch}"), ("start", host));
        let stopping = AtomicBool::new(false);
        let died = CancellationToken::new();
        let process = Arc::new(Process { host, epoch, died, stopping });
        let ports = Arc::new(HostPorts { world: Arc::clone(self), process: Arc::clone(&process) });
        let background = CancellationToken::new();
        let clock = Arc::clone(&self.clocks[host]);
        let publisher = Publisher::new(Arc::clone(&ports), clock.clone(), epoch);
        let recovery =
            RecoveryQueue::new(Arc::clone(&ports), Arc::clone(&publisher), background.clone());
        let (wakes, wakes_waiting) =
            if self.plan.puts_wakes_off { (1, 0) } else { (CONCURRENCY, usize::MAX) };
        let horizon_ms = self.plan.horizon_ms;
        let limits =
            Limits { horizon_ms, history_ms: None, wakes, wakes_waiting, commands: CONCURRENCY };
        let firing = if self.plan.stops_firing() {
            let (switch, firing) = tokio::sync::watch::channel(Arc::default());
            let follow = firing::follow(ports.clone(), switch);
            tokio::spawn(background.clone().run_until_cancelled_owned(follow));
            firing
        } else {
            // Nobody has to look every second where nobody stops anything.
            firing::never_stopped()
        };
        let oversight =
            Oversight { firing: firing.clone(), removal: ports.clone(), ..Oversight::default() };
        let driver = Driver::new(
            Arc::clone(&ports),
            clock.clone(),
            ports.clone(),
            Arc::clone(&publisher),
            recovery,
            limits,
            oversight,
        );
        publisher.start(&background);
        let changed = Arc::new(Notify::new());
        if matches!(self.plan.class, Class::Everything | Class::SweepOnly) {
            let settles = self.plan.class == Class::Everything;
            let settings = Settings {
                horizon_ms: self.plan.horizon_ms,
                grace_ms: if settles { self.plan.grace_ms } else { i64::MAX },
                interval: Duration::from_millis(self.plan.audit_interval_ms),
                refresh_rate: REFRESH_RATE,
            };
            let signals = Signals { changed: Arc::clone(&changed), ..Signals::default() };
            let (model, to_call) = (ports.clone(), ports.clone());
            let audit = Audit::new(to_call, clock, model, epoch, settings, signals, firing);
            tokio::spawn(background.clone().run_until_cancelled_owned(audit.run()));
        }
        if self.plan.erased.is_some() {
            let (told, table) = (Arc::clone(&publisher), Arc::clone(&ports));
            let (index, unreadable) = (Arc::clone(&ports), Arc::clone(&ports));
            let erasing = Erasing::new(Arc::clone(&ports), told, index, table, unreadable, epoch);
            tokio::spawn(background.clone().run_until_cancelled_owned(erasing.run()));
        }
        let actors = Mutex::default();
        let running = Running { process, driver, changed, publisher, background, actors };
        let mut state = self.state();
        state.hosts[host].running = Some(Arc::new(running));
        state.placement += 1;
    }

    /// The process of a host dies, and another one starts after a while.
    pub(super) fn kill(self: &Arc<Self>, process: &Process) {
        if process.died.is_cancelled() {
            return;
        }
        let (host, epoch) = (process.host, process.epoch);
        self.note(|| format!("run {epoch} on host {host} dies"), ("dies", host));
        process.died.cancel();
        self.gone(process);
    }

    /// As [`Self::kill`], from outside.
    pub fn kill_host(self: &Arc<Self>, host: usize) {
        let running = self.state().hosts[host].running.clone();
        if let Some(running) = running {
            self.kill(&running.process);
        }
    }

    fn gone(self: &Arc<Self>, process: &Process) {
        let (host, epoch) = (process.host, process.epoch);
        {
            let mut state = self.state();
            let running = &mut state.hosts[host].running;
            if let Some(running) = running.take_if(|running| running.process.epoch == epoch) {
                running.background.cancel();
            }
            state.hosts[host].stalled_until_ms = 0;
            state.placement += 1;
        }
        // Without an audit nobody would find what a call of the dead process does to the next one.
        let lands_first = self.plan.class == Class::CrashesOnly;
        let least = if lands_first { SLOW_MS + 200 } else { 200 };
        let pause = self.dice("restart", 0).within("after", least, 12_000);
        let world = Arc::clone(self);
        tokio::spawn(async move {
            sleep_ms(pause).await;
            world.start(host);
        });
    }

    /// The process of a host stops properly.
    pub async fn stop_host(self: &Arc<Self>, host: usize) {
        let Some(running) = self.state().hosts[host].running.clone() else { return };
        let epoch = running.process.epoch;
        self.note(|| format!("run {epoch} on host {host} stops"), ("stops", host));
        running.process.stopping.store(true, Ordering::Relaxed);
        self.state().placement += 1;
        let _ = tokio::time::timeout(DRAIN, running.driver.drain()).await;
        let left = running.publisher.flush(DRAIN).await;
        self.note(
            || format!("run {epoch} has stopped, {left} events left"),
            ("stopped", host, left),
        );
        running.process.died.cancel();
        self.gone(&running.process);
    }

    /// The process of a host stands still; when that lasts, its actors move.
    pub async fn stall_host(self: &Arc<Self>, host: usize, for_ms: i64) {
        self.note(|| format!("host {host} stands still for {for_ms} ms"), ("stall", host, for_ms));
        let until = self.now_ms() + for_ms;
        self.state().hosts[host].stalled_until_ms = until;
        if for_ms > UNHEALTHY_AFTER_MS {
            sleep_ms(UNHEALTHY_AFTER_MS).await;
            let mut state = self.state();
            state.hosts[host].unhealthy_until_ms = until;
            state.placement += 1;
        }
    }

    /// Actors move between the hosts.
    pub fn move_actors(&self) {
        self.note(|| "actors move".into(), "move");
        self.state().placement += 1;
    }

    /// Where a task lives now; `None`: nowhere. Some sidecars have yet to hear of the last move.
    pub(super) fn route(&self, task: &TaskId) -> Option<Arc<Running>> {
        let now = self.now_ms();
        let moves = self.plan.class == Class::Everything && self.is_hostile();
        let outdated = moves && self.dice("route", super::key(task)).happens("stale", STALE_TABLES);
        let state = self.state();
        let hosts = &state.hosts;
        let usable = |host: &&Host| host.unhealthy_until_ms <= now;
        let running = hosts.iter().filter(usable).filter_map(|host| host.running.as_ref());
        let live: Vec<&Arc<Running>> =
            running.filter(|running| !running.process.stopping.load(Ordering::Relaxed)).collect();
        let place = |generation: u64| {
            let place = self.dice.below(("place", super::key(task), generation), live.len() as u64);
            live.get(usize::try_from(place).ok()?).map(|home| Arc::clone(home))
        };
        if outdated {
            return place(state.placement.saturating_sub(1));
        }
        let home = place(state.placement)?;
        // A process that stands still is not told.
        let others = live.iter().filter(|other| {
            let process = &other.process;
            process.epoch != home.process.epoch && hosts[process.host].stalled_until_ms <= now
        });
        others.for_each(|other| other.deactivate(task));
        Some(home)
    }

    /// Ends what binds the parts of the world together, so that its memory is given back.
    pub fn end(&self) {
        let hosts = std::mem::take(&mut self.state().hosts);
        for running in hosts.into_iter().filter_map(|host| host.running) {
            running.background.cancel();
        }
    }
}
