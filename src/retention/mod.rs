//! Retention: what is over goes for good, once it is old enough.
//!
//! A Dapr job begins a round ([`job`]), an operator may as well (`reminder-scheduler purge`). One round at
//! a time over all replicas: the right to it is a row that expires. Before anything is deleted, the round
//! raises the incarnation in which tasks are born, so that a task that is made anew has other event ids
//! than ever before. Each task goes by a turn of its actor, which looks at the state itself; what the
//! index says is only where to look. A round that is cut short leaves nothing half done: what is left is
//! what the next one finds.

pub mod job;
pub mod settings;

mod measure;

use crate::audit::calls::each;
use crate::audit::pace;
use crate::audit::settings::FAILURES_MAX;
use crate::clock::SharedClock;
use crate::ports::{Actors, CallError};
use crate::read_model::{Ended, Purges, QueryError};
use reminder_domain::retention::Over;
use reminder_domain::{Retention, TaskId, Timestamp};
use std::sync::Arc;
use tokio::time::{Interval, MissedTickBehavior};

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// What was left of deleted tasks.
    pub tombstones: u64,
    /// Completed tasks.
    pub completed: u64,
    /// Those that the index took for old enough and that are kept: they have changed, or the broker may not
    /// have their last events.
    pub kept: u64,
    /// Those that could not be asked; the next round tries again.
    pub failed: u64,
}

impl Purged {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn note(&mut self, over: Over, result: &Result<bool, CallError>) {
        let count = match (result, over) {
            (Ok(true), Over::Tombstone) => &mut self.tombstones,
            (Ok(true), Over::Completed) => &mut self.completed,
            (Ok(false), _) => &mut self.kept,
            (Err(_), _) => &mut self.failed,
        };
        *count += 1;
    }
}

/// How a round ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// All that was old enough was looked at.
    Done(Purged),
    /// Another process has a round under way.
    Left,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The database does not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Too many calls failed.
    #[error("{0}")]
    Call(#[from] CallError),
    /// The right to the round was lost.
    #[error(
        "the round took too long to give a sign of life, and another process may have begun one"
    )]
    Lost,
}

/// Purges on behalf of one process.
pub struct Purge<P> {
    ports: Arc<P>,
    clock: SharedClock,
    model: Arc<dyn Purges>,
    epoch: u64,
    retention: Retention,
    /// Tasks that may go between two ticks of the pace.
    burst: usize,
    pace: Interval,
}

impl<P: Actors + 'static> Purge<P> {
    /// A purge on behalf of the process run `epoch`.
    pub fn new(
        ports: Arc<P>,
        clock: SharedClock,
        model: Arc<dyn Purges>,
        epoch: u64,
        retention: Retention,
    ) -> Self {
        let (burst, every) = pace(settings::RATE);
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ports, clock, model, epoch, retention, burst, pace }
    }

    /// One round; after each page it is told how far it is.
    ///
    /// # Errors
    /// When the database does not answer, or too many actors.
    pub async fn round(&mut self, tell: &(dyn Fn(Purged) + Sync)) -> Result<Round, RoundError> {
        let mut purged = Purged::default();
        let ended = self.go_round(&mut purged, tell).await;
        // What a round did before it failed counts as well.
        measure::round(&purged, &ended, self.clock.now());
        Ok(if ended? { Round::Done(purged) } else { Round::Left })
    }

    async fn go_round(
        &mut self,
        purged: &mut Purged,
        tell: &(dyn Fn(Purged) + Sync),
    ) -> Result<bool, RoundError> {
        if !self.model.hold(self.epoch, settings::HOLD).await? {
            return Ok(false);
        }
        let mut raised = false;
        for over in Over::ALL {
            let Some(kept_ms) = self.retention.of(over) else { continue };
            let before = self.clock.now().saturating_add_ms(-kept_ms);
            let mut after = None;
            while let Some(last) =
                self.remove_page(over, before, after.as_ref(), &mut raised, purged).await?
            {
                after = Some(last);
                tell(*purged);
            }
        }
        self.model.finished(self.epoch).await?;
        Ok(true)
    }

    /// Removes a page of a kind whose last commit was before a time, and answers where it ended; `None`:
    /// there was nothing left.
    async fn remove_page(
        &mut self,
        over: Over,
        before: Timestamp,
        after: Option<&Ended>,
        raised: &mut bool,
        purged: &mut Purged,
    ) -> Result<Option<Ended>, RoundError> {
        let page = self.model.ended(over, before, after, settings::PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(None) };
        if !*raised {
            *raised = self.model.raise_births(self.epoch).await?;
            if !*raised {
                return Err(RoundError::Lost);
            }
        }
        let tasks = page.into_iter().filter_map(|ended| TaskId::parse(ended.task).ok());
        let page: Vec<TaskId> = tasks.collect();
        let mut failed_of_page = 0;
        for burst in page.chunks(self.burst) {
            self.pace.tick().await;
            if !self.model.hold(self.epoch, settings::HOLD).await? {
                return Err(RoundError::Lost);
            }
            let retention = self.retention;
            let call = |task: TaskId| {
                let ports = Arc::clone(&self.ports);
                async move { ports.purge(&task, retention).await }
            };
            let results = each(burst.to_vec(), call).await;
            for result in &results {
                purged.note(over, result);
                failed_of_page += usize::from(result.is_err());
            }
            if failed_of_page >= FAILURES_MAX
                && let Some(Err(error)) = results.into_iter().find(Result::is_err)
            {
                return Err(error.into());
            }
        }
        Ok(Some(last))
    }
}

#[cfg(test)]
mod tests;
