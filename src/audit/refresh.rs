//! Has tasks follow their users: those that are outdated are refreshed, at a bounded rate.
//!
//! It runs beside the rounds, under the same lease, so that a user with very many tasks holds up
//! nothing else. What is outdated, the rows say: when a pass is cut short, whoever has the lease
//! next finds what is left.

use super::calls::{each, tally};
use super::settings::{self, Settings};
use crate::clock::SharedClock;
use crate::metrics::metrics;
use crate::ports::{Actors, CallError};
use crate::read_model::{Changed, Cursor, QueryError, TaskIndex};
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior};

/// What the rate counts tasks in.
const RATE_UNIT: Duration = Duration::from_secs(1);

/// Refreshes outdated tasks on behalf of one replica.
pub(super) struct Refresh<P> {
    ports: Arc<P>,
    clock: SharedClock,
    model: Arc<dyn TaskIndex>,
    epoch: u64,
    interval: Duration,
    /// Told when a user of this replica changed something.
    changed: Arc<Notify>,
    /// Tasks that may be refreshed between two ticks of the pace.
    burst: usize,
    pace: Interval,
    /// Whatever fell behind before this is known to have followed. Kept in memory: the next holder of
    /// the lease looks at all users once.
    followed_until: Timestamp,
}

/// Why a pass ended early.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("the lease went to another replica")]
    LeaseLost,
}

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    refreshed: usize,
    failed: usize,
}

impl<P: Actors + 'static> Refresh<P> {
    pub(super) fn new(
        ports: Arc<P>,
        clock: SharedClock,
        model: Arc<dyn TaskIndex>,
        epoch: u64,
        settings: Settings,
        changed: Arc<Notify>,
    ) -> Self {
        let (burst, every) = pace(settings.refresh_rate);
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let followed_until = beginning();
        let interval = settings.interval;
        Self { ports, clock, model, epoch, interval, changed, burst, pace, followed_until }
    }

    /// Works at once, at every interval, and whenever a change is told; for ever.
    pub(super) async fn run(mut self) {
        let mut timer = tokio::time::interval(self.interval);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let changed = Arc::clone(&self.changed);
        loop {
            // In a fixed order, so that the same seed simulates the same.
            tokio::select! {
                biased;
                _ = timer.tick() => {}
                () = changed.notified() => {}
            }
            let mut tally = Tally::default();
            let ended = self.pass(&mut tally).await;
            if tally != Tally::default() {
                let Tally { refreshed, failed } = tally;
                tracing::info!(refreshed, failed, "tasks follow changed preferences or zones");
            }
            if let Err(error) = ended {
                tracing::warn!(%error, "outdated tasks are left for the next pass");
            }
        }
    }

    async fn pass(&mut self, tally: &mut Tally) -> Result<(), PassError> {
        if self.model.lease(self.epoch, settings::LEASE).await?.is_none() {
            // Another replica looks after all of it; nobody knows how far it will come.
            self.followed_until = beginning();
            return Ok(());
        }
        let began = self.clock.now();
        self.follow_zones(tally).await?;
        let mut after = None;
        loop {
            let since = self.followed_until;
            let page =
                self.model.changed_users(since, after.as_ref(), settings::USERS_PAGE).await?;
            for changed in &page {
                self.follow_user(changed, tally).await?;
            }
            let Some(last) = page.into_iter().next_back() else { break };
            after = Some(last.user);
        }
        if tally.failed == 0 {
            self.followed_until = began.saturating_add_ms(-settings::FOLLOWED_EDGE_MS);
        }
        Ok(())
    }

    /// Tasks whose times were resolved by older rules than this process has.
    async fn follow_zones(&mut self, tally: &mut Tally) -> Result<(), PassError> {
        let mut after = Cursor::default();
        loop {
            let page = self.model.outdated_zones(zone_database(), &after, settings::PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            self.refresh(page.iter().filter_map(Cursor::task).collect(), tally).await?;
            after = last;
        }
    }

    async fn follow_user(&mut self, changed: &Changed, tally: &mut Tally) -> Result<(), PassError> {
        let mut after = Cursor::default();
        loop {
            let page = self.model.outdated_of(changed, &after, settings::PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            self.refresh(page.iter().filter_map(Cursor::task).collect(), tally).await?;
            after = last;
        }
    }

    /// Refreshes one page. The heartbeat keeps the lease meanwhile; should it have gone all the
    /// same, two replicas refresh some tasks twice, which changes nothing.
    async fn refresh(&mut self, page: Vec<TaskId>, tally: &mut Tally) -> Result<(), PassError> {
        if self.model.lease(self.epoch, settings::LEASE).await?.is_none() {
            return Err(PassError::LeaseLost);
        }
        let mut failed_of_page = 0;
        for burst in page.chunks(self.burst) {
            self.pace.tick().await;
            let call = |task: TaskId| {
                let ports = Arc::clone(&self.ports);
                async move { ports.refresh(&task).await }
            };
            let results = each(burst.to_vec(), call).await;
            let (refreshed, failed) = self::tally(&results);
            let count = |outcome| metrics().refreshed.get_or_create_owned(&[("outcome", outcome)]);
            count("done").inc_by(refreshed as u64);
            count("failed").inc_by(failed as u64);
            tally.refreshed += refreshed;
            tally.failed += failed;
            failed_of_page += failed;
            if let (true, Some(Err(error))) =
                (failed_of_page >= settings::FAILURES_MAX, results.into_iter().find(Result::is_err))
            {
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// How many tasks may be refreshed at once, and how often, for so many in a second.
pub(crate) fn pace(per_second: usize) -> (usize, Duration) {
    let burst = settings::CONCURRENCY.min(per_second).max(1);
    let seconds = u32::try_from(burst).unwrap_or(u32::MAX);
    let per_second = u32::try_from(per_second).unwrap_or(u32::MAX).max(1);
    (burst, RATE_UNIT * seconds / per_second)
}

fn beginning() -> Timestamp {
    Timestamp::from_millis(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_keeps_the_rate() {
        for rate in [1_u32, 3, 15, 16, 17, 200, 1_000, 100_000] {
            let (burst, every) = pace(rate as usize);
            let per_second = f64::from(u32::try_from(burst).unwrap()) / every.as_secs_f64();
            let wanted = f64::from(rate);
            assert!((per_second - wanted).abs() < wanted / 100.0, "{rate}: {per_second}");
            assert!(every <= Duration::from_secs(1) && burst <= settings::CONCURRENCY);
        }
    }
}
