//! Has tasks follow the records of a batch: each task its own in order, tasks beside one another.

use super::batch::{self, Record, Verdict};
use super::letters::Fault;
use super::ports::{DeadLetters, Followed, NotFollowed, Tasks};
use super::settings::{BATCH_DEADLINE, RETRY_FIRST, RETRY_MAX, Settings};
use crate::clock::SharedClock;
use crate::metrics::{metrics, seconds};
use reminder_contract::incoming::TaskNews;
use reminder_domain::TaskId;
use reminder_domain::ids::CorrelationId;
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Follows what others publish.
pub struct Ingest<P> {
    ports: Arc<P>,
    clock: SharedClock,
    enabled: bool,
    /// Says once that there should be no deliveries.
    unasked: Once,
    /// Tasks that follow events at the same time, of all batches.
    places: Semaphore,
    stopping: CancellationToken,
}

/// One task and what it must follow.
struct Work {
    id: TaskId,
    news: Vec<(usize, TaskNews)>,
}

impl<P: Tasks + DeadLetters> Ingest<P> {
    /// Ingestion by these ports, until `stopping`.
    pub fn new(
        ports: Arc<P>,
        clock: SharedClock,
        settings: Settings,
        stopping: CancellationToken,
    ) -> Arc<Self> {
        let places = Semaphore::new(settings.concurrency);
        let enabled = settings.enabled;
        Arc::new(Self { ports, clock, enabled, unasked: Once::new(), places, stopping })
    }

    /// A verdict for each record of a batch, in its order.
    pub async fn take(self: &Arc<Self>, records: Vec<Record>) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Done; records.len()];
        if !self.enabled {
            self.unasked.call_once(|| {
                tracing::error!("INGEST=false, but the sidecar delivers task-events: delete the Subscription of that name, or its events go to the dead letters in a quarter of an hour");
            });
        }
        if !self.enabled || self.stopping.is_cancelled() {
            verdicts.fill(Verdict::Again);
            return verdicts;
        }
        let deadline = Instant::now() + BATCH_DEADLINE;
        let sorted = batch::sorted(&records);
        count("own", sorted.own);
        count("unknown", sorted.unknown);
        let records = Arc::new(records);
        let mut running = JoinSet::new();
        for (id, news) in sorted.tasks {
            let (ingest, records) = (Arc::clone(self), Arc::clone(&records));
            // Should the task that does it not come to its end, nobody knows what became of these.
            for (index, _) in &news {
                verdicts[*index] = Verdict::Again;
            }
            running.spawn(async move { ingest.work(Work { id, news }, &records, deadline).await });
        }
        for (index, unreadable) in sorted.unreadable {
            verdicts[index] = Verdict::Again;
            let (ingest, records) = (Arc::clone(self), Arc::clone(&records));
            running.spawn(async move {
                let fault = Fault::unreadable(&unreadable);
                vec![(index, ingest.bury(&records[index], &fault, deadline).await)]
            });
        }
        while let Some(done) = running.join_next().await {
            for (index, verdict) in done.unwrap_or_default() {
                verdicts[index] = verdict;
            }
        }
        let again = verdicts.iter().filter(|verdict| **verdict == Verdict::Again).count();
        count("retried", again);
        verdicts
    }

    /// What a task follows, in order. What comes after one that must come again must come again too.
    async fn work(
        &self,
        work: Work,
        records: &[Record],
        deadline: Instant,
    ) -> Vec<(usize, Verdict)> {
        // The semaphore is never closed.
        let Ok(_place) = self.places.acquire().await else { return Vec::new() };
        let mut verdicts = Vec::with_capacity(work.news.len());
        for (index, news) in &work.news {
            let record = &records[*index];
            let verdict = match self.follow(news, record, deadline).await {
                Ok(followed) => {
                    count(if followed == Followed::Applied { "applied" } else { "known" }, 1);
                    self.measure_age(record);
                    Verdict::Done
                }
                Err(NotFollowed::Refused(detail)) => {
                    self.bury(record, &Fault::refused(news, detail), deadline).await
                }
                Err(NotFollowed::Transient(reason)) => {
                    tracing::warn!(
                        task.id = %work.id,
                        event.id = news.event_id,
                        correlation.id = news.command.origin.correlation_id.as_ref().map(CorrelationId::as_str),
                        reason,
                        "an event could not be followed; it comes again"
                    );
                    break;
                }
            };
            verdicts.push((*index, verdict));
            if verdict == Verdict::Again {
                break;
            }
        }
        verdicts
    }

    async fn follow(
        &self,
        news: &TaskNews,
        record: &Record,
        deadline: Instant,
    ) -> Result<Followed, NotFollowed> {
        let mut retry = Retry::until(deadline, &self.stopping);
        loop {
            let result = self.ports.follow(news, &record.value).await;
            if !matches!(result, Err(NotFollowed::Transient(_))) || !retry.pause().await {
                return result;
            }
        }
    }

    /// Puts a record away, so that those behind it can be followed.
    async fn bury(&self, record: &Record, fault: &Fault, deadline: Instant) -> Verdict {
        let mut retry = Retry::until(deadline, &self.stopping);
        loop {
            let letter = fault.letter(record, self.clock.now());
            match self.ports.bury(letter).await {
                Ok(()) => {
                    count("dead_lettered", 1);
                    let (partition, offset) = record.place();
                    tracing::warn!(
                        event.id = fault.event_id(),
                        correlation.id = fault.correlation_id(),
                        partition,
                        offset,
                        reason = fault.reason(),
                        detail = fault.detail(),
                        "an event cannot be handled; it is a dead letter now"
                    );
                    return Verdict::Done;
                }
                Err(error) => {
                    if !retry.pause().await {
                        tracing::warn!(%error, "a dead letter could not be published");
                        return Verdict::Again;
                    }
                }
            }
        }
    }

    fn measure_age(&self, record: &Record) {
        if let Some(published) = record.published() {
            let age = self.clock.now().millis_since(published).max(0);
            metrics().ingest_age.observe(seconds(age));
        }
    }
}

/// Pauses between attempts: doubling up to a cap, until a deadline.
struct Retry<'a> {
    pause: Duration,
    deadline: Instant,
    stopping: &'a CancellationToken,
}

impl<'a> Retry<'a> {
    fn until(deadline: Instant, stopping: &'a CancellationToken) -> Self {
        Self { pause: RETRY_FIRST, deadline, stopping }
    }

    /// Waits for the next attempt; `false`: there is no time for another.
    async fn pause(&mut self) -> bool {
        let wakes = Instant::now() + self.pause;
        if wakes >= self.deadline {
            return false;
        }
        self.pause = (self.pause * 2).min(RETRY_MAX);
        let slept = self.stopping.run_until_cancelled(tokio::time::sleep_until(wakes));
        slept.await.is_some()
    }
}

fn count(outcome: &'static str, events: usize) {
    let events = u64::try_from(events).unwrap_or(u64::MAX);
    if events > 0 {
        metrics().ingested.get_or_create(&[("outcome", outcome)]).inc_by(events);
    }
}

impl<P> std::fmt::Debug for Ingest<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("places", &self.places).finish_non_exhaustive()
    }
}
