//! Erasure: everything of one user goes, on request.
//!
//! The request is a row. Every replica looks at the rows each second, and has what still waits in its
//! outbox go out without a word of those users. The holder of the audit's lease works them off: each task
//! by a turn of its actor, then what else is kept, then the user's name in tasks of others (`search`). It goes
//! on looking for a while after nothing was left, so that a task which comes to the user meanwhile, and what
//! other replicas have on its way, is met as well; then the row goes, which names the user too. Whatever is cut
//! short, the next look goes on with what is there.

mod search;
pub mod settings;

use self::search::Searches;
use crate::audit::paced::{Paced, PassError};
use crate::metrics::metrics;
use crate::outbox::publisher::Publisher;
use crate::ports::{CallError, Ports};
use crate::read_model::{ErasureRequest, ErasureTable, TaskIndex, UnderWay};
use async_trait::async_trait;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// How a task goes whose state cannot be read.
#[async_trait]
pub trait Unreadable: Send + Sync + 'static {
    /// Puts a tombstone of nobody's in its place.
    async fn bury(&self, task: &TaskId) -> Result<(), CallError>;
}

/// Erases on behalf of one replica.
pub struct Erasing<P> {
    ports: Arc<P>,
    publisher: Arc<Publisher<P>>,
    table: Arc<dyn ErasureTable>,
    unreadable: Arc<dyn Unreadable>,
    paced: Paced,
    /// Whom a look has begun for that has not come to its end.
    cut_short: BTreeSet<Person>,
    /// How long the last look took, for all users: until then a user's turn does not come again.
    took: Duration,
    /// How far the searches are. The table has it for who holds the lease next: a note that was given up may
    /// land there late, and knows nothing of what was found since.
    searches: Searches,
}

impl<P: Ports> Erasing<P> {
    /// Erasing on behalf of the process run `epoch`.
    pub fn new(
        ports: Arc<P>,
        publisher: Arc<Publisher<P>>,
        index: Arc<dyn TaskIndex>,
        table: Arc<dyn ErasureTable>,
        unreadable: Arc<dyn Unreadable>,
        epoch: u64,
    ) -> Self {
        let paced = Paced::new(index, epoch, settings::RATE);
        let (cut_short, searches) = (BTreeSet::new(), Searches::default());
        let took = Duration::ZERO;
        Self { ports, publisher, table, unreadable, paced, cut_short, took, searches }
    }

    /// Looks again and again, for ever.
    pub async fn run(mut self) {
        let mut timer = tokio::time::interval(settings::LOOK_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut works = true;
        loop {
            timer.tick().await;
            let ended = self.look().await;
            if let Err(error) = &ended {
                metrics().erasure_failures.inc();
                if works {
                    tracing::warn!(%error, "an erasure cannot go on now; it is tried again");
                }
            }
            works = ended.is_ok();
        }
    }

    async fn look(&mut self) -> Result<(), PassError> {
        let UnderWay { requests, oldest } = self.table.under_way(settings::USERS_MAX).await?;
        metrics().erasures.set(crate::metrics::gauge(requests.len()));
        metrics().erasure_age.set(oldest.as_secs_f64());
        if requests.is_empty() {
            return Ok(());
        }
        let users: Vec<Person> = requests.iter().map(|request| request.user.clone()).collect();
        self.publisher.outbox().erase(&users);
        if !self.paced.holds_lease().await? {
            self.cut_short.clear();
            self.searches.clear();
            self.took = Duration::ZERO;
            return Ok(());
        }
        self.cut_short.retain(|user| users.contains(user));
        self.searches.keep(&requests);
        let began = Instant::now();
        for request in &requests {
            let user = &request.user;
            // What was cut short may have found something, which is still on its way. Should this process end
            // instead, the lease is nobody's for longer than `LOOKED_LATELY`.
            let unsure = !self.cut_short.insert(user.clone());
            self.work_off(request, unsure).await?;
            self.cut_short.remove(user);
        }
        self.took = began.elapsed();
        Ok(())
    }

    /// One look for a user; `unsure` whether the one before found something.
    async fn work_off(&mut self, request: &ErasureRequest, unsure: bool) -> Result<(), PassError> {
        let user = &request.user;
        let mut found = unsure;
        let mut after = String::new();
        loop {
            let page = self.table.tasks_of(user, &after, settings::PAGE).await?;
            let Some(last) = page.last() else { break };
            (found, after) = (true, last.to_string());
            self.erase(user, page).await?;
        }
        found |= self.table.forget(user).await?;
        let searched = self.search(request).await?;
        let lately = settings::LOOKED_LATELY + self.took * 2;
        if self.table.settled(user, !found && searched, settings::CLEAN_FOR, lately).await? {
            self.searches.remove(user);
            tracing::info!("an erasure is done: nothing of the user is left");
            metrics().erased_users.inc();
        }
        Ok(())
    }

    /// Erases one page of the user's tasks.
    async fn erase(&mut self, user: &Person, page: Vec<TaskId>) -> Result<(), PassError> {
        let call = |task: TaskId| {
            let (ports, user) = (Arc::clone(&self.ports), user.clone());
            let unreadable = Arc::clone(&self.unreadable);
            async move {
                if ports.erase(&task, &user).await? == 0 {
                    unreadable.bury(&task).await?;
                }
                Ok(task)
            }
        };
        let mut page = self.paced.page(page).await?;
        while let Some(results) = self.paced.burst(&mut page, &call).await {
            let erased: Vec<TaskId> = results.iter().filter_map(|one| one.clone().ok()).collect();
            self.table.erased(user, &erased).await?;
            metrics().erased_tasks.inc_by(erased.len() as u64);
            page.judge(results)?;
        }
        Ok(())
    }
}
