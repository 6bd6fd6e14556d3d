//! The second level of the wheel, and the healer.
//!
//! Postgres holds the future, Dapr the near part: the *sweep* registers the wakes that come within
//! the arm horizon. The *audit* settles tasks that are overdue (which fires them even while Dapr's
//! scheduler is down), has the events published that a dead process left pending, and notices by a
//! *canary* reminder that the scheduler has lost its data; then the sweep begins anew.
//!
//! Every replica runs the same timer; a lease row lets one of them work at a time. It is not a Dapr
//! job: those live in the very store that may be lost. All it does is idempotent, paged and bounded,
//! and it goes on where the last holder of the lease stopped.
//!
//! Beside its rounds the holder has tasks *follow* their users: see `refresh`.

pub mod settings;

pub(crate) mod calls;
mod measure;
mod noted;
mod overdue;
pub(crate) mod paced;
mod pending;
mod refresh;
mod round;

pub(crate) use paced::pace;

use crate::clock::SharedClock;
use crate::firing::Firing;
use crate::metrics::metrics;
use crate::ports::{Ports, ReminderIndex};
use crate::read_model::{TaskIndex, Waking};
use noted::Noted;
use prometheus_client::metrics::gauge::Gauge;
use refresh::Refresh;
use settings::Settings;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What the audit hears and tells within its process.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Told by others when preferences change.
    pub changed: Arc<Notify>,
    /// Told by the audit when the scheduler has lost its data: who keeps something else there looks after it.
    pub scheduler_lost: Arc<Notify>,
}

/// The sweep and the audit of one replica.
pub struct Audit<P> {
    ports: Arc<P>,
    clock: SharedClock,
    model: Arc<dyn TaskIndex>,
    epoch: u64,
    settings: Settings,
    signals: Signals,
    firing: Firing,
    /// Of the dead epochs, the watermarks as they were last loaded.
    watermarks: HashMap<u64, u64>,
    /// Where calls failed, so that what follows comes first the next time: tasks that always fail
    /// must not keep the others from their turn.
    resume: Option<Waking>,
    /// The same among what dead epochs left, for each the number of its stamp.
    resume_left: HashMap<u64, u64>,
    /// How long the oldest overdue task is so, in seconds.
    oldest_overdue: Gauge<f64, AtomicU64>,
    /// Whether the parked tasks were tried since this process holds the lease.
    tried_parked: bool,
    /// Whether the present round holds the lease.
    held: bool,
    /// What the last round registered near the sweep's edge, which the next one looks at again.
    edge: HashSet<Waking>,
    /// What the present round found, for operators.
    noted: Noted,
    /// When what is pending was counted last, while this process holds the lease.
    counted: Option<Instant>,
}

impl<P: Ports + ReminderIndex> Audit<P> {
    /// An audit on behalf of the process run `epoch`.
    pub fn new(
        ports: Arc<P>,
        clock: SharedClock,
        model: Arc<dyn TaskIndex>,
        epoch: u64,
        settings: Settings,
        signals: Signals,
        firing: Firing,
    ) -> Self {
        let (watermarks, edge) = (HashMap::new(), HashSet::new());
        Self {
            ports,
            clock,
            model,
            epoch,
            settings,
            signals,
            firing,
            watermarks,
            resume: None,
            resume_left: HashMap::new(),
            oldest_overdue: metrics().oldest_overdue.clone(),
            tried_parked: false,
            held: false,
            edge,
            noted: Noted::default(),
            counted: None,
        }
    }

    /// Works at once and then at every interval, for ever.
    pub async fn run(self) {
        let beats = heartbeats(Arc::clone(&self.model), self.epoch);
        let (ports, clock) = (Arc::clone(&self.ports), Arc::clone(&self.clock));
        let (model, changed) = (Arc::clone(&self.model), Arc::clone(&self.signals.changed));
        let refresh = Refresh::new(ports, clock, model, self.epoch, self.settings, changed);
        tokio::join!(beats, refresh.run(), self.rounds());
    }

    async fn rounds(mut self) {
        let mut timer = tokio::time::interval(self.settings.interval);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut firing = self.firing.clone();
        let mut stop = Arc::clone(&firing.borrow_and_update());
        loop {
            // In a fixed order, so that the same seed simulates the same.
            tokio::select! {
                biased;
                Ok(()) = firing.changed() => {
                    let now = Arc::clone(&firing.borrow_and_update());
                    let released = stop.is_released_by(&now);
                    stop = now;
                    if released {
                        self.catch_up().await;
                    }
                }
                _ = timer.tick() => self.work(self.settings.grace_ms).await,
            }
        }
    }

    /// Fires what waited for the release, at once; and what a replica let be that saw it later.
    async fn catch_up(&mut self) {
        self.work(0).await;
        tokio::time::sleep(settings::RELEASE_SEEN_AFTER).await;
        self.work(0).await;
    }

    async fn work(&mut self, grace_ms: i64) {
        let began = Instant::now();
        self.held = false;
        let ended = self.round(grace_ms).await;
        measure::round(self.held, &ended, began.elapsed(), self.clock.now());
        self.tell_pending().await;
        match ended {
            Ok(findings) if findings.is_nothing() => {}
            Ok(findings) => tracing::info!(?findings, "the audit found something to do"),
            Err(error) => tracing::warn!(%error, "the audit could not finish; it tries again"),
        }
    }
}

/// Says again and again that this run of the process is alive, and keeps its lease if it has it:
/// a round may take longer than either lasts.
async fn heartbeats(model: Arc<dyn TaskIndex>, epoch: u64) {
    let mut timer = tokio::time::interval(settings::HEARTBEAT);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let beat = model.heartbeat(epoch, settings::LEASE, settings::FORGET_AFTER);
        if let Err(error) = beat.await {
            tracing::warn!(%error, "cannot say that this process is alive");
        }
        if let Ok(parked) = model.count_parked().await {
            metrics().parked.set(i64::try_from(parked).unwrap_or(i64::MAX));
        }
    }
}

#[cfg(test)]
mod tests;
