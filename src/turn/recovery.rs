//! What happens to turns that ended in doubt: a settle turn puts their task in order later.
//!
//! A commit may have taken effect although nobody confirmed it, or a wake may not be registered as
//! it should be. The actor may live on another host by then, so the settle turn is asked for
//! through the actor API, like any caller would.

use super::effect::Recovery;
use crate::outbox::publisher::Publisher;
use crate::ports::Ports;
use reminder_domain::TaskId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl<P: Ports> RecoveryQueue<P> {
    /// An empty queue; it works until `stop` is cancelled.
    pub fn new(ports: Arc<P>, publisher: Arc<Publisher<P>>, stop: CancellationToken) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(CONCURRENCY));
        Arc::new(Self { ports, publisher, slots, tasks: TaskTracker::new(), stop })
    }

    /// Takes on a task.
    pub fn add(self: &Arc<Self>, id: TaskId, recovery: Recovery) {
        if self.tasks.len() >= QUEUE_MAX {
            tracing::error!(task.id = %id, "too many tasks wait to be put in order; one was dropped");
            return;
        }
        let queue = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = queue.stop.clone();
            stop.run_until_cancelled(queue.recover(&id, recovery)).await;
        });
    }

    async fn recover(&self, id: &TaskId, recovery: Recovery) {
        self.settle(id, recovery.at_least, FIRST_PAUSE).await;
        {
            let mut outbox = self.publisher.outbox();
            for stamp in recovery.stamps {
                crate::turn::draft::Ledger::release(&mut *outbox, stamp);
            }
        }
        self.publisher.watermark_may_have_moved();
        // A registration that was given up may still arrive and replace the good one; once none
        // can, the wake is registered for good.
        self.settle(id, recovery.at_least, CALLS_DIE_AFTER).await;
        tracing::info!(task.id = %id, "put in order after a turn that ended in doubt");
    }

    async fn settle(&self, id: &TaskId, at_least: u64, mut pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
            let _slot = self.slots.acquire().await;
            match self.ports.settle(id, at_least).await {
                Ok(version) if version >= at_least => return,
                Ok(version) => {
                    tracing::warn!(task.id = %id, version, at_least, "still in doubt; trying again");
                }
                Err(error) => {
                    tracing::warn!(task.id = %id, %error, "cannot put a task in order yet");
                }
            }
        }
    }
}
