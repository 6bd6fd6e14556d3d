//! Has tasks follow their users: those that are outdated are refreshed, at a bounded rate.
//!
//! It runs beside the rounds, under the same lease, so that a user with very many tasks holds up
//! nothing else. What is outdated, the rows say: when a pass is cut short, whoever has the lease
//! next finds what is left.

use super::calls::tally;
use super::paced::{Paced, PassError};
use super::settings::{self, Settings};
use crate::clock::SharedClock;
use crate::metrics::metrics;
use crate::ports::Actors;
use crate::read_model::{Changed, Cursor, TaskIndex};
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// Refreshes outdated tasks on behalf of one replica.
pub(super) struct Refresh<P> {
    ports: Arc<P>,
    clock: SharedClock,
    model: Arc<dyn TaskIndex>,
    interval: Duration,
    /// Told when a user of this replica changed something.
    changed: Arc<Notify>,
    paced: Paced,
    /// Whatever fell behind before this is known to have followed. Kept in memory: the next holder of
    /// the lease looks at all users once.
    followed_until: Timestamp,
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
        let paced = Paced::new(Arc::clone(&model), epoch, settings.refresh_rate);
        let (interval, followed_until) = (settings.interval, beginning());
        Self { ports, clock, model, interval, changed, paced, followed_until }
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
        if !self.paced.holds_lease().await? {
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

    /// Refreshes one page.
    async fn refresh(&mut self, page: Vec<TaskId>, tally: &mut Tally) -> Result<(), PassError> {
        let call = |task: TaskId| {
            let ports = Arc::clone(&self.ports);
            async move { ports.refresh(&task).await }
        };
        let mut page = self.paced.page(page).await?;
        while let Some(results) = self.paced.burst(&mut page, &call).await {
            let (refreshed, failed) = self::tally(&results);
            let count = |outcome| metrics().refreshed.get_or_create_owned(&[("outcome", outcome)]);
            count("done").inc_by(refreshed as u64);
            count("failed").inc_by(failed as u64);
            tally.refreshed += refreshed;
            tally.failed += failed;
            page.judge(results)?;
        }
        Ok(())
    }
}

fn beginning() -> Timestamp {
    Timestamp::from_millis(0)
}
