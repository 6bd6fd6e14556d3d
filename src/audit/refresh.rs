//! Has tasks follow their users: those that are outdated are refreshed, at a bounded rate.
//!
//! It runs beside the rounds, under the same lease, so that a user with very many tasks holds up
//! nothing else. What is outdated, the rows say: when a pass is cut short, whoever has the lease
//! next finds what is left.
//!
//! Users come before zones, which somebody waits for less: a page of zones at a time fills what users
//! leave. Among users each has a page in turn, and who changed something meanwhile comes next. Tasks
//! whose calls fail, for the replica that hosts them is sick, keep no other from its turn.

use super::calls::tally;
use super::paced::{FirstFailure, Paced, PassError};
use super::settings::{self, Settings};
use crate::clock::SharedClock;
use crate::metrics::metrics;
use crate::ports::Actors;
use crate::read_model::{Changed, Cursor, QueryError, TaskIndex};
use reminder_domain::ids::Person;
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior};

/// Refreshes outdated tasks on behalf of one replica.
pub(super) struct Refresh<P> {
    ports: Arc<P>,
    clock: SharedClock,
    model: Arc<dyn TaskIndex>,
    timer: Interval,
    /// Told when a user of this replica changed something.
    changed: Arc<Notify>,
    /// Whether it turned out during the last pass that it is time for another.
    due: bool,
    paced: Paced,
    /// Whatever fell behind before this is known to have followed. Kept in memory: the next holder of
    /// the lease looks at all users once.
    followed_until: Timestamp,
    /// When users were last looked for.
    looked: Timestamp,
    /// Of users whose calls failed, the place behind those: what follows comes first the next time.
    places: HashMap<Person, Cursor<i64>>,
    /// The place among zones.
    zones: Cursor<String>,
}

/// What a pass did.
#[derive(Default)]
struct Tally {
    refreshed: usize,
    failed: usize,
    /// Why pages were given up.
    failure: FirstFailure,
}

/// A user whose tasks are under way.
struct Following {
    changed: Changed,
    after: Cursor<i64>,
}

/// How far a page was gone through.
struct Walked<F> {
    place: Cursor<F>,
    /// Too many of its calls failed, and what comes after the place was left.
    gave_up: bool,
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
        let mut timer = tokio::time::interval(settings.interval);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ports,
            clock,
            model,
            timer,
            changed,
            due: false,
            paced,
            followed_until: beginning(),
            looked: beginning(),
            places: HashMap::new(),
            zones: Cursor::default(),
        }
    }

    /// Works at once, at every interval, and whenever a change is told; for ever.
    pub(super) async fn run(mut self) {
        loop {
            if !std::mem::take(&mut self.due) {
                // In a fixed order, so that the same seed simulates the same.
                tokio::select! {
                    biased;
                    _ = self.timer.tick() => {}
                    () = self.changed.notified() => {}
                }
            }
            let mut tally = Tally::default();
            let ended = self.pass(&mut tally).await;
            let Tally { refreshed, failed, failure } = tally;
            if refreshed + failed > 0 {
                tracing::info!(refreshed, failed, "tasks follow changed preferences or zones");
            }
            if let Err(error) = ended.and(failure.tell()) {
                tracing::warn!(%error, "outdated tasks are left for the next pass");
            }
        }
    }

    /// Whether the next look at users is due, which counts as taken then. It does not wait.
    async fn is_due(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.timer.tick() => true,
            () = self.changed.notified() => true,
            () = std::future::ready(()) => false,
        }
    }

    async fn pass(&mut self, tally: &mut Tally) -> Result<(), PassError> {
        if !self.paced.holds_lease().await? {
            // Another replica looks after all of it; nobody knows how far it will come.
            self.followed_until = beginning();
            self.places.clear();
            self.zones = Cursor::default();
            return Ok(());
        }
        let began = self.clock.now();
        if self.follow_users(tally).await? {
            self.followed_until = began.saturating_add_ms(-settings::FOLLOWED_EDGE_MS);
            self.places.clear();
        }
        self.follow_zones(tally).await
    }

    /// Goes through all users who may have fallen behind; answers whether all of them follow now.
    async fn follow_users(&mut self, tally: &mut Tally) -> Result<bool, PassError> {
        let mut under_way = VecDeque::new();
        let (mut last, mut listed, mut all) = (None, false, true);
        self.looked = self.clock.now();
        loop {
            if !listed && under_way.len() < settings::UNDER_WAY {
                let (since, page) = (self.followed_until, settings::USERS_PAGE);
                let page = self.model.changed_users(since, last.as_ref(), page).await?;
                listed = page.is_empty();
                last = page.last().map(|changed| changed.user.clone());
                for changed in page {
                    let joining = self.joins(changed, &mut under_way);
                    under_way.extend(joining);
                }
            }
            if self.is_due().await {
                self.look_again(&mut under_way).await?;
            }
            match under_way.pop_front() {
                Some(user) => all &= self.follow(user, &mut under_way, tally).await?,
                None if listed => return Ok(all),
                None => {}
            }
        }
    }

    /// Looks for users who changed something since the last look: they wait for nobody who has had a turn.
    /// Whom this misses, the next pass finds.
    async fn look_again(&mut self, under_way: &mut VecDeque<Following>) -> Result<(), QueryError> {
        let since = self.looked.saturating_add_ms(-settings::LOOKED_EDGE_MS);
        self.looked = self.clock.now();
        for changed in self.model.changed_users(since, None, settings::USERS_PAGE).await? {
            if under_way.len() >= settings::UNDER_WAY_MAX {
                break;
            }
            if let Some(joining) = self.joins(changed, under_way) {
                under_way.push_front(joining);
            }
        }
        Ok(())
    }

    /// Who is under way already goes on, to the version that the preferences are at now: what follows the one
    /// before comes last of all.
    fn joins(
        &mut self,
        changed: Changed,
        under_way: &mut VecDeque<Following>,
    ) -> Option<Following> {
        if let Some(known) = under_way.iter_mut().find(|known| known.changed.user == changed.user) {
            known.changed = changed;
            return None;
        }
        let after = self.places.remove(&changed.user).unwrap_or_default();
        Some(Following { changed, after })
    }

    /// Has a page of a user's tasks follow, and the user wait for the next if there is more; answers whether
    /// nothing was left behind.
    async fn follow(
        &mut self,
        mut user: Following,
        under_way: &mut VecDeque<Following>,
        tally: &mut Tally,
    ) -> Result<bool, PassError> {
        let page = self.model.outdated_of(&user.changed, &user.after, settings::PAGE).await?;
        if let Some(Walked { place, gave_up }) = self.refresh(page, tally).await? {
            if !gave_up {
                user.after = place;
                under_way.push_back(user);
                return Ok(true);
            }
            if self.places.len() < settings::PLACES_MAX {
                self.places.insert(user.changed.user, place);
            }
            return Ok(false);
        }
        // What failed, what is parked and what comes before the place where it began: the user has to be
        // found again, however long ago this one fell behind.
        Ok(!self.model.is_behind(&user.changed).await?)
    }

    /// Tasks whose times were resolved by older rules than this process has: a page, and more until users
    /// are due.
    async fn follow_zones(&mut self, tally: &mut Tally) -> Result<(), PassError> {
        loop {
            let (current, after) = (zone_database(), &self.zones);
            let page = self.model.outdated_zones(current, after, settings::PAGE).await?;
            let Some(walked) = self.refresh(page, tally).await? else {
                self.zones = Cursor::default();
                return Ok(());
            };
            // Behind what failed as well: it is tried again when all others have had their turn.
            self.zones = walked.place;
            self.due = self.is_due().await;
            if self.due {
                return Ok(());
            }
        }
    }

    /// Refreshes one page; `None`: there is nothing on it.
    async fn refresh<F: Clone>(
        &mut self,
        found: Vec<Cursor<F>>,
        tally: &mut Tally,
    ) -> Result<Option<Walked<F>>, PassError> {
        let Some(end) = found.last().cloned() else { return Ok(None) };
        let task = |cursor: Cursor<F>| cursor.task().map(|task| (cursor, task));
        let (places, tasks): (Vec<Cursor<F>>, Vec<TaskId>) =
            found.into_iter().filter_map(task).unzip();
        let call = |task: TaskId| {
            let ports = Arc::clone(&self.ports);
            async move { ports.refresh(&task).await }
        };
        let mut page = self.paced.page(tasks).await?;
        while let Some(results) = self.paced.burst(&mut page, &call).await {
            let (refreshed, failed) = self::tally(&results);
            let count = |outcome| metrics().refreshed.get_or_create_owned(&[("outcome", outcome)]);
            count("done").inc_by(refreshed as u64);
            count("failed").inc_by(failed as u64);
            tally.refreshed += refreshed;
            tally.failed += failed;
            if let Err(error) = page.judge(results) {
                tally.failure.put_off(Err(error))?;
                let called = places.len() - page.left();
                let place = places.into_iter().nth(called.saturating_sub(1)).unwrap_or(end);
                return Ok(Some(Walked { place, gave_up: true }));
            }
        }
        Ok(Some(Walked { place: end, gave_up: false }))
    }
}

fn beginning() -> Timestamp {
    Timestamp::from_millis(0)
}
