//! The worker: one lane per task and channel, so that what a task says on a channel stays in order,
//! and what is slow or broken holds up nobody else.
//!
//! The lanes are only a memory of what the ledger's lists say, so a crash loses nothing: the next
//! process, or another replica, fills its lanes from the lists.

use crate::channels::Channel;
use crate::courier::{Courier, Step};
use crate::ledger::{Entry, SHARDS};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::clock;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest sleep of a lane before it looks again, whatever it waits for: another replica may have
/// ended what it waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Shortest sleep of a lane, so that a clock that stands still makes no lane spin.
const SLEEP_MIN: Duration = Duration::from_millis(10);

/// A task on a channel.
type LaneKey = (TaskId, Channel);

/// What waits in a lane, in the order of the task's facts.
#[derive(Default)]
struct Lane {
    waiting: BTreeMap<(u64, String), Entry>,
    nudge: Arc<Notify>,
}

/// The lanes of this process. Clones are the same lanes.
#[derive(Clone)]
pub(crate) struct Lanes {
    inner: Arc<Inner>,
}

struct Inner {
    courier: Courier,
    lanes: Mutex<HashMap<LaneKey, Lane>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Lanes {
    /// None yet. When `stop` is cancelled, what is being delivered is finished and nothing else begun.
    pub(crate) fn new(courier: Courier, stop: CancellationToken) -> Self {
        let (lanes, tasks) = (Mutex::default(), TaskTracker::new());
        Self { inner: Arc::new(Inner { courier, lanes, tasks, stop }) }
    }

    /// Takes up deliveries; those that are known already stay where they are.
    pub(crate) fn take_up(&self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            let key = (entry.task.clone(), entry.channel);
            let mut lanes = self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = !lanes.contains_key(&key);
            let lane = lanes.entry(key.clone()).or_default();
            lane.waiting.insert((entry.sequence, entry.event_id.clone()), entry);
            if is_new {
                let (inner, nudge) = (Arc::clone(&self.inner), Arc::clone(&lane.nudge));
                self.inner.tasks.spawn(async move { inner.run(key, nudge).await });
            }
        }
    }

    /// Has the lanes of a task look at what they wait for again.
    pub(crate) fn nudge(&self, task: &TaskId) {
        let lanes = self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, lane) in lanes.iter().filter(|((of, _), _)| of == task) {
            lane.nudge.notify_one();
        }
    }

    /// Goes through the lists, now and then: for what a process that died has left, and what could
    /// not be taken up when it was accepted.
    pub(crate) async fn follow_lists(&self, every: Duration) {
        let mut rounds = interval(every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = rounds.tick() => {}
                () = self.inner.stop.cancelled() => return,
            }
            for shard in 0..SHARDS {
                match self.inner.courier.ledger().waiting(shard).await {
                    Ok(waiting) => self.take_up(waiting),
                    Err(error) => {
                        tracing::warn!(shard, %error, "a list of deliveries cannot be read");
                        break;
                    }
                }
            }
        }
    }

    /// Waits for what is under way, as long as `grace` allows.
    pub(crate) async fn finish(&self, grace: Duration) {
        self.inner.tasks.close();
        if timeout(grace, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!(
                "some deliveries were not finished; they go on when their claims run out"
            );
        }
    }
}

impl Inner {
    /// Delivers what is in a lane, one after the other, until it is empty.
    async fn run(&self, key: LaneKey, nudge: Arc<Notify>) {
        while let Some(entry) = self.first(&key) {
            if self.stop.is_cancelled() {
                return;
            }
            match self.courier.step(&entry).await {
                Step::Ended => self.remove(&key, &entry),
                Step::Later(at) => {
                    tokio::select! {
                        () = sleep(until(at)) => {}
                        () = nudge.notified() => {}
                        () = self.stop.cancelled() => return,
                    }
                }
            }
        }
    }

    /// What is next in a lane. An empty lane is gone before anything can be put into it.
    fn first(&self, key: &LaneKey) -> Option<Entry> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lanes.get(key)?.waiting.values().next().cloned();
        if first.is_none() {
            lanes.remove(key);
        }
        first
    }

    fn remove(&self, key: &LaneKey, entry: &Entry) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get_mut(key) {
            lane.waiting.remove(&(entry.sequence, entry.event_id.clone()));
        }
    }
}

fn until(at: Timestamp) -> Duration {
    let ms = u64::try_from(at.millis_since(clock::now())).unwrap_or(0);
    Duration::from_millis(ms).clamp(SLEEP_MIN, LOOK_AGAIN)
}
