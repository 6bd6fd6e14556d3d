//! The loop that takes batches from the outbox to the broker, and saves the watermark.

use super::lanes::{Batch, Next, Outbox};
use super::measure;
use super::shared::SharedLedger;
use crate::clock::{self, SharedClock};
use crate::metrics::metrics;
use crate::planted::{self, Bug};
use crate::ports::{Message, Ports};
use crate::turn::draft::Ledger;
use crate::turn::effect::Handover;
use reminder_contract::cloud_event;
use reminder_domain::{TaskId, Topic};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The pause after a watermark could not be saved.
const WATERMARK_RETRY: Duration = Duration::from_millis(500);
/// The least time between two watermark writes: a watermark that lags a little costs only
/// duplicates after a crash, a write for every batch costs a transaction.
const WATERMARK_INTERVAL: Duration = Duration::from_millis(100);

/// The outbox and the tasks that empty it.
pub struct Publisher<P> {
    ports: Arc<P>,
    clock: SharedClock,
    outbox: Mutex<Outbox>,
    work: BTreeMap<Topic, Notify>,
    progress: Notify,
    /// A batch came back from the broker; for [`Publisher::flush`].
    returned: Notify,
}

impl<P: Ports> Publisher<P> {
    /// A publisher for the process run named `epoch`; [`start`](Self::start) makes it work.
    pub fn new(ports: Arc<P>, clock: SharedClock, epoch: u64) -> Arc<Self> {
        Arc::new(Self {
            ports,
            clock,
            outbox: Mutex::new(Outbox::new(epoch)),
            work: Topic::ALL.into_iter().map(|topic| (topic, Notify::new())).collect(),
            progress: Notify::new(),
            returned: Notify::new(),
        })
    }

    /// Starts publishing, until `stop` is cancelled.
    pub fn start(self: &Arc<Self>, stop: &CancellationToken) {
        for topic in Topic::ALL {
            let (publisher, stop) = (Arc::clone(self), stop.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(publisher.publish_topic(topic)).await;
            });
        }
        let (publisher, stop) = (Arc::clone(self), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(publisher.save_watermarks()).await;
        });
    }

    /// The outbox. Held only for moments, never across a wait.
    pub fn outbox(&self) -> MutexGuard<'_, Outbox> {
        // A panic elsewhere leaves counts in it that may be off; going on beats stopping to remind.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a turn asks of the outbox, which is taken for each question by itself.
    pub fn ledger(&self) -> SharedLedger<'_> {
        SharedLedger::new(&self.outbox)
    }

    /// Takes on the events of a commit.
    pub fn enqueue(&self, task: &TaskId, handovers: Vec<Handover>) {
        {
            let mut outbox = self.outbox();
            for handover in measure::taken_on(handovers) {
                outbox.enqueue(task, handover);
            }
            measure::waiting(&outbox);
        }
        self.work.values().for_each(Notify::notify_one);
    }

    /// Tells that stamps were given back.
    pub fn watermark_may_have_moved(&self) {
        self.progress.notify_one();
    }

    /// Waits until the broker has everything or the deadline has passed, then saves the watermark
    /// a last time. Returns how many events are left.
    pub async fn flush(&self, deadline: Duration) -> usize {
        let empty = async {
            loop {
                let returned = self.returned.notified();
                if self.outbox().waiting() == 0 {
                    return;
                }
                returned.await;
            }
        };
        // What is left is published by the next turn of its task.
        let _ = tokio::time::timeout(deadline, empty).await;
        let (epoch, n, left) = {
            let outbox = self.outbox();
            (outbox.epoch(), outbox.watermark(), outbox.waiting())
        };
        if n > 0
            && let Err(error) = self.ports.save_watermark(epoch, n).await
        {
            tracing::warn!(%error, "the last watermark was not saved; some events will come twice");
        }
        left
    }

    async fn publish_topic(self: Arc<Self>, topic: Topic) {
        let work = &self.work[&topic];
        loop {
            let next = self.outbox().next(topic, self.clock.now().as_millis());
            match next {
                Next::Send(batch) => {
                    let publisher = Arc::clone(&self);
                    tokio::spawn(async move { publisher.send(batch).await });
                }
                Next::WaitUntil(at_ms) => tokio::time::sleep(self.pause_until(at_ms)).await,
                Next::IdleUntil(at_ms) => {
                    let _ = tokio::time::timeout(self.pause_until(at_ms), work.notified()).await;
                }
                Next::Idle => work.notified().await,
            }
        }
    }

    /// How long to sleep if nothing is to be done before then. The clock may be stepped meanwhile.
    fn pause_until(&self, at_ms: i64) -> Duration {
        let pause = at_ms.saturating_sub(self.clock.now().as_millis()).max(1);
        Duration::from_millis(pause.unsigned_abs()).min(clock::LOOK_AGAIN)
    }

    async fn send(&self, batch: Batch) {
        let topic = batch.topic;
        let messages = batch.items.iter().map(|item| {
            let commit = item.handover.commit();
            let event = &commit.events[item.index];
            let snapshot = item.handover.snapshot();
            let incarnation = item.handover.incarnation();
            Message {
                id: cloud_event::event_id(&item.task, incarnation, event.topic(), event.sequence),
                key: item.task.clone(),
                body: cloud_event::encode(&item.task, incarnation, commit, snapshot, event),
            }
        });
        let call = measure::Call::begin();
        let result = self.ports.publish(topic, messages.collect()).await;
        call.end(&batch, result.is_ok());
        let size = batch.items.len();
        let failed_before = {
            let mut outbox = self.outbox();
            let failures = outbox.failures(topic);
            let acknowledged = result.is_ok() || planted::is(Bug::FailedBatchForgotten);
            outbox.finished(batch, acknowledged, self.clock.now().as_millis());
            measure::waiting(&outbox);
            failures
        };
        let name = [("topic", cloud_event::topic_name(topic))];
        match &result {
            Ok(()) => metrics().published.get_or_create(&name).inc_by(size as u64),
            Err(_) => metrics().publish_failures.get_or_create(&name).inc(),
        };
        match (result, failed_before) {
            (Ok(()), 1..) => tracing::info!(?topic, "the broker takes events again"),
            (Err(error), _) => tracing::warn!(?topic, size, %error, "a batch was not published"),
            _ => {}
        }
        self.work[&topic].notify_one();
        self.progress.notify_one();
        self.returned.notify_waiters();
    }

    async fn save_watermarks(self: Arc<Self>) {
        let mut saved = 0;
        loop {
            let (epoch, n) = {
                let outbox = self.outbox();
                (outbox.epoch(), outbox.watermark())
            };
            if n <= saved {
                self.progress.notified().await;
                continue;
            }
            let pause = match self.ports.save_watermark(epoch, n).await {
                Ok(()) => {
                    saved = n;
                    WATERMARK_INTERVAL
                }
                Err(error) => {
                    tracing::warn!(%error, "the watermark was not saved; trying again");
                    WATERMARK_RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

impl<P> std::fmt::Debug for Publisher<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}
