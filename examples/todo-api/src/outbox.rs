//! Publishes the events that tasks hold, in the order of each task, and then takes them off.
//!
//! What a process leaves unpublished, by a crash or a broker that is away, is found again by the sweep:
//! at the start, and on a timer. An event may go out twice, with the same id; the first time that each
//! is seen is in order, since whoever publishes a task begins with the oldest that is left.

use crate::store::{Store, StoreError};
use reminder_domain::TaskId;
use reminder_member::{Flow, Sidecar, SidecarError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument as _;

/// Tasks whose events are published at the same time.
const PLACES: usize = 16;

/// Tasks that may wait for a place; more are left to the sweep.
const WAITING_MAX: usize = 10_000;

/// The pause after a failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// Failures after which a task is left to the sweep.
const ATTEMPTS_MAX: u32 = 10;

/// Between two looks for what was left behind.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// The publisher.
pub(crate) struct Outbox {
    store: Store,
    sidecar: Sidecar,
    places: Semaphore,
    /// Tasks at work; true: there is more since it was last looked at.
    at_work: Mutex<HashMap<TaskId, bool>>,
}

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Sidecar(#[from] SidecarError),
}

impl Outbox {
    pub(crate) fn new(store: Store, sidecar: Sidecar) -> Arc<Self> {
        let (places, at_work) = (Semaphore::new(PLACES), Mutex::default());
        Arc::new(Self { store, sidecar, places, at_work })
    }

    /// Says that a task has events to publish.
    pub(crate) fn wake(self: &Arc<Self>, id: &TaskId) {
        let mut at_work = self.lock();
        if let Some(more) = at_work.get_mut(id) {
            *more = true;
            return;
        }
        if at_work.len() >= WAITING_MAX {
            return;
        }
        at_work.insert(id.clone(), false);
        let (outbox, id) = (Arc::clone(self), id.clone());
        tokio::spawn(async move { outbox.work(&id).await });
    }

    /// Looks for what was left behind, for ever.
    pub(crate) async fn sweep(self: Arc<Self>) {
        loop {
            match self.store.unpublished().await {
                Ok(left) => left.iter().for_each(|id| self.wake(id)),
                Err(error) => tracing::debug!(%error, "cannot look for unpublished events"),
            }
            tokio::time::sleep(SWEEP_INTERVAL).await;
        }
    }

    async fn work(self: Arc<Self>, id: &TaskId) {
        let (mut pause, mut failures) = (PAUSE_FIRST, 0);
        loop {
            let published = {
                let _place = self.places.acquire().await;
                self.publish(id).await
            };
            match published {
                Ok(()) => {
                    (pause, failures) = (PAUSE_FIRST, 0);
                    let mut at_work = self.lock();
                    match at_work.get_mut(id) {
                        Some(more) if *more => *more = false,
                        _ => {
                            at_work.remove(id);
                            return;
                        }
                    }
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(task.id = %id, %error, failures, "events wait to be published");
                    if failures >= ATTEMPTS_MAX {
                        self.lock().remove(id);
                        return;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (2 * pause).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Publishes what a task holds, the oldest first; stops at the first failure.
    async fn publish(&self, id: &TaskId) -> Result<(), PublishError> {
        let Some((document, _)) = self.store.load(id).await? else {
            return Ok(self.store.published(id, u64::MAX).await?);
        };
        let mut last = 0;
        let mut failure = None;
        for pending in &document.pending {
            let span = Flow::of_event(&pending.event).span();
            let publish = self.sidecar.publish(&pending.topic, &pending.event);
            if let Err(error) = publish.instrument(span.clone()).await {
                failure = Some(error);
                break;
            }
            span.in_scope(|| {
                let event = &pending.event;
                tracing::info!(
                    "event.id" = %event.id,
                    "event.type" = %event.event_type,
                    topic = pending.topic,
                    "published"
                );
            });
            last = pending.number;
        }
        if last > 0 || document.pending.is_empty() {
            self.store.published(id, last).await?;
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, bool>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
