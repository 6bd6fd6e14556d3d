//! What happens to turns that ended in doubt: a settle turn puts their task in order later.
//!
//! A commit may have taken effect although nobody confirmed it, or a wake may not be registered as
//! it should be. The actor may live on another host by then, so the settle turn is asked for
//! through the actor API, like any caller would.

use super::draft::Ledger;
use super::effect::Recovery;
use crate::metrics::{gauge, metrics};
use crate::outbox::publisher::Publisher;
use crate::ports::{CallError, Ports};
use reminder_domain::TaskId;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The first pause before a settle turn; it doubles with every failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// After this long no call made by the doubtful turn can still take effect: the sidecar gives up on
/// the scheduler after about 10 s.
const CALLS_DIE_AFTER: Duration = Duration::from_secs(15);
/// Settle turns asked for at the same time.
const CONCURRENCY: usize = 16;
/// Tasks that may wait to be put in order; beyond it the audit has to find them.
const QUEUE_MAX: usize = 50_000;

/// Tasks to be put in order.
#[derive(Debug)]
pub struct RecoveryQueue<P> {
    ports: Arc<P>,
    publisher: Arc<Publisher<P>>,
    slots: Semaphore,
    /// What is in doubt, by task. A task is here as long as somebody looks after it: a settle turn
    /// may end in doubt itself, which adds to its entry and not a second caretaker.
    doubts: Mutex<HashMap<TaskId, Recovery>>,
    stop: CancellationToken,
}

impl<P: Ports> RecoveryQueue<P> {
    /// An empty queue; it works until `stop` is cancelled.
    pub fn new(ports: Arc<P>, publisher: Arc<Publisher<P>>, stop: CancellationToken) -> Arc<Self> {
        let slots = Semaphore::new(CONCURRENCY);
        Arc::new(Self { ports, publisher, slots, doubts: Mutex::default(), stop })
    }

    /// Takes on a task.
    pub fn add(self: &Arc<Self>, id: TaskId, recovery: Recovery) {
        let mut doubts = self.doubts();
        let full = doubts.len() >= QUEUE_MAX;
        match doubts.entry(id.clone()) {
            Entry::Occupied(mut known) => known.get_mut().merge(recovery),
            Entry::Vacant(_) if full => {
                tracing::error!(task.id = %id, "too many tasks are in doubt; one was dropped");
            }
            Entry::Vacant(new) => {
                new.insert(recovery);
                metrics().recovering.set(gauge(doubts.len()));
                let queue = Arc::clone(self);
                tokio::spawn(async move {
                    let stop = queue.stop.clone();
                    stop.run_until_cancelled(queue.look_after(&id)).await;
                });
            }
        }
    }

    async fn look_after(&self, id: &TaskId) {
        loop {
            self.settle(id, FIRST_PAUSE).await;
            // A registration that was given up may still arrive and replace the good one; once
            // none can, the wake is registered for good.
            self.settle(id, CALLS_DIE_AFTER).await;
            let mut doubts = self.doubts();
            if doubts.get(id).is_none_or(Recovery::is_nothing) {
                doubts.remove(id);
                metrics().recovering.set(gauge(doubts.len()));
                tracing::info!(task.id = %id, "put in order after a turn that ended in doubt");
                return;
            }
        }
    }

    /// Settles the task until that succeeds, and gives back the stamps that were in doubt before.
    async fn settle(&self, id: &TaskId, mut pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
            let doubt = self.doubts().get_mut(id).map(std::mem::take).unwrap_or_default();
            match self.settled(id, doubt.at_least).await {
                Ok(()) => {
                    let mut outbox = self.publisher.outbox();
                    for stamp in doubt.stamps {
                        outbox.release(stamp);
                    }
                    break;
                }
                Err(error) => {
                    tracing::warn!(task.id = %id, %error, "cannot put a task in order yet");
                    if let Some(known) = self.doubts().get_mut(id) {
                        known.merge(doubt);
                    }
                }
            }
        }
        self.publisher.watermark_may_have_moved();
    }

    async fn settled(&self, id: &TaskId, at_least: u64) -> Result<(), CallError> {
        let _slot = self.slots.acquire().await;
        let version = self.ports.settle(id, at_least).await?;
        if version >= at_least {
            return Ok(());
        }
        Err(CallError(format!("the task is at version {version}, not yet at {at_least}")))
    }

    fn doubts(&self) -> MutexGuard<'_, HashMap<TaskId, Recovery>> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
