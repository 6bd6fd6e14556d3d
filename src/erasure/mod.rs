//! Erasure: everything of one user goes, on request.
//!
//! The request is a row. Every replica looks at the rows each second, and has what still waits in its
//! outbox go out without a word of those users. The holder of the audit's lease works them off: each task
//! by a turn of its actor, then what else is kept. It goes on looking for a while after nothing was left,
//! so that a task which comes to the user meanwhile, and what other replicas have on its way, is met as
//! well; then the row goes, which names the user too. Whatever is cut short, the next look goes on with
//! what is there.

pub mod settings;

use crate::audit::calls::each;
use crate::audit::pace;
use crate::audit::settings::{FAILURES_MAX, LEASE};
use crate::metrics::metrics;
use crate::outbox::publisher::Publisher;
use crate::ports::{CallError, Ports};
use crate::read_model::{ErasureTable, QueryError, TaskIndex};
use async_trait::async_trait;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::sync::Arc;
use tokio::time::{Interval, MissedTickBehavior};

/// How a task goes whose state cannot be read.
#[async_trait]
pub trait Unreadable: Send + Sync + 'static {
    /// Puts a tombstone of nobody's in its place.
    async fn bury(&self, task: &TaskId) -> Result<(), CallError>;
}

/// Why a look ended early.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("the lease went to another replica")]
    LeaseLost,
}

/// Erases on behalf of one replica.
pub struct Erasing<P> {
    ports: Arc<P>,
    publisher: Arc<Publisher<P>>,
    index: Arc<dyn TaskIndex>,
    table: Arc<dyn ErasureTable>,
    unreadable: Arc<dyn Unreadable>,
    epoch: u64,
    /// Tasks that may be erased between two ticks of the pace.
    burst: usize,
    pace: Interval,
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
        let (burst, every) = pace(settings::RATE);
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ports, publisher, index, table, unreadable, epoch, burst, pace }
    }

    /// Looks again and again, for ever.
    pub async fn run(mut self) {
        let mut timer = tokio::time::interval(settings::LOOK_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut works = true;
        loop {
            timer.tick().await;
            let ended = self.look().await;
            if let (Err(error), true) = (&ended, works) {
                tracing::warn!(%error, "an erasure cannot go on now; it is tried again");
                metrics().erasure_failures.inc();
            }
            works = ended.is_ok();
        }
    }

    async fn look(&mut self) -> Result<(), LookError> {
        let users = self.table.under_way(settings::USERS_MAX).await?;
        metrics().erasures.set(crate::metrics::gauge(users.len()));
        if users.is_empty() {
            return Ok(());
        }
        self.publisher.outbox().erase(&users);
        if self.index.lease(self.epoch, LEASE).await?.is_none() {
            return Ok(());
        }
        for user in &users {
            self.work_off(user).await?;
        }
        Ok(())
    }

    async fn work_off(&mut self, user: &Person) -> Result<(), LookError> {
        let mut found = false;
        let mut after = String::new();
        loop {
            let page = self.table.tasks_of(user, &after, settings::PAGE).await?;
            let Some(last) = page.last() else { break };
            (found, after) = (true, last.to_string());
            self.erase(user, page).await?;
        }
        found |= self.table.forget(user).await?;
        if self.table.settled(user, !found, settings::CLEAN_FOR).await? {
            tracing::info!("an erasure is done: nothing of the user is left");
            metrics().erased_users.inc();
        }
        Ok(())
    }

    /// Erases one page. The heartbeat of the audit keeps the lease meanwhile.
    async fn erase(&mut self, user: &Person, page: Vec<TaskId>) -> Result<(), LookError> {
        if self.index.lease(self.epoch, LEASE).await?.is_none() {
            return Err(LookError::LeaseLost);
        }
        let mut failed_of_page = 0;
        for burst in page.chunks(self.burst) {
            self.pace.tick().await;
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
            let results = each(burst.to_vec(), call).await;
            let erased: Vec<TaskId> = results.iter().filter_map(|one| one.clone().ok()).collect();
            self.table.erased(user, &erased).await?;
            metrics().erased_tasks.inc_by(erased.len() as u64);
            failed_of_page += results.len() - erased.len();
            if failed_of_page >= FAILURES_MAX
                && let Some(Err(error)) = results.into_iter().find(Result::is_err)
            {
                return Err(error.into());
            }
        }
        Ok(())
    }
}
