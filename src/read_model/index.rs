//! What the sweep, the audit and the refresh ask of the read model, as a trait: the simulation
//! answers the same questions from memory.

use super::findings::Finding;
use crate::turn::firing::FiringStop;
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use std::time::Duration;

/// A query that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read model: {0}")]
pub struct QueryError(pub String);

/// A task and when it wakes; pages are ordered by both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waking {
    /// The earliest alarm that has yet to fire.
    pub at: Timestamp,
    /// The task.
    pub task: TaskId,
}

/// How far the sweep came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Every wake up to here was registered.
    pub until: Timestamp,
    /// The canary that was released before; 0: none yet.
    pub canary: u64,
}

/// A user with outdated tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Who.
    pub user: Person,
    /// The version that the preferences are at.
    pub version: u64,
}

/// A place among outdated tasks: what they follow, and the task. A page begins after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor<F> {
    /// What it follows; nothing comes before the default.
    pub follows: F,
    /// Its id; empty at the beginning.
    pub task: String,
}

impl<F> Cursor<F> {
    /// The task of this place; `None` for one that no task may have.
    pub fn task(&self) -> Option<TaskId> {
        TaskId::parse(&self.task).ok()
    }
}

/// The rows that the database keeps beside the states, and those that the replicas agree by. Every
/// question has a deadline of its own, and an error means that the database did not answer.
///
/// Being outdated is a fact that the rows show, not an entry in a list of work: whoever asks finds
/// what is left to do, whatever became of those who asked before.
#[async_trait]
pub trait TaskIndex: Send + Sync + 'static {
    /// Says that this run of the process is alive, and keeps the lease if it has it.
    async fn heartbeat(
        &self,
        epoch: u64,
        hold: Duration,
        forget_after: Duration,
    ) -> Result<(), QueryError>;
    /// Takes the lease, or keeps it; answers how far the sweep came. `None`: another replica has it.
    async fn lease(&self, epoch: u64, hold: Duration) -> Result<Option<Swept>, QueryError>;
    /// Has the sweep begin anew, under another canary; its number. `None`: the lease was lost.
    async fn begin_anew(&self, epoch: u64) -> Result<Option<u64>, QueryError>;
    /// Notes how far the sweep came under its canary; `false`: the lease was lost, or the sweep has begun
    /// anew, which a note that was given up and takes effect late must not undo.
    async fn swept(&self, epoch: u64, swept: Swept) -> Result<bool, QueryError>;
    /// Tasks that wake after `after` (exclusive) and up to `until`, in this order.
    async fn waking(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError>;
    /// As [`waking`](Self::waking), without the tasks that are to be left alone: they are parked, or
    /// their firing is stopped. In a world that knows neither, these are the same.
    async fn overdue(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        self.waking(after, until, limit).await
    }
    /// Parks a task whose state cannot be used; tells whether that is news. One that is merely missing
    /// is parked only where the index knows it, and changes no other reason.
    async fn park(&self, _task: &TaskId, _why: &UnreadableState) -> Result<bool, QueryError> {
        Ok(false)
    }
    /// Parked tasks that were not tried for so long, in order; they count as tried from now on.
    async fn parked(&self, _untried_for: Duration, _limit: i64) -> Result<Vec<TaskId>, QueryError> {
        Ok(Vec::new())
    }
    /// How many tasks are parked.
    async fn count_parked(&self) -> Result<u64, QueryError> {
        Ok(0)
    }
    /// How many tasks wake up to each of these times and after the one before it, and how many later than
    /// all. Only the nearest `limit` are counted. A world that is not measured has no need of it.
    async fn count_pending(
        &self,
        _until: &[Timestamp],
        _limit: i64,
    ) -> Result<Vec<i64>, QueryError> {
        Ok(Vec::new())
    }
    /// Notes that a parked task can be used again.
    async fn unpark(&self, _task: &TaskId) -> Result<(), QueryError> {
        Ok(())
    }
    /// Keeps what a round found, for operators to look at. A world without operators has no need of it.
    async fn note_findings(&self, _found: &[Finding]) -> Result<(), QueryError> {
        Ok(())
    }
    /// Runs of a process that left pending stamps and have not been seen for a while.
    async fn dead_epochs(&self, unseen_for: Duration) -> Result<Vec<u64>, QueryError>;
    /// Tasks whose last events an epoch committed after `n`, with the stamp's number, in its order.
    async fn left_pending(
        &self,
        epoch: u64,
        n: u64,
        limit: i64,
    ) -> Result<Vec<(TaskId, u64)>, QueryError>;
    /// Users with outdated tasks that may have fallen behind at `since` or later, by their ids.
    async fn changed_users(
        &self,
        since: Timestamp,
        after: Option<&Person>,
        limit: i64,
    ) -> Result<Vec<Changed>, QueryError>;
    /// Open tasks of a user that follow an older version of the preferences.
    async fn outdated_of(
        &self,
        changed: &Changed,
        after: &Cursor<i64>,
        limit: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError>;
    /// Whether any open task of a user follows an older version, those included that are to be left alone.
    async fn is_behind(&self, changed: &Changed) -> Result<bool, QueryError>;
    /// Open tasks that follow an older zone database than `current`.
    async fn outdated_zones(
        &self,
        current: &str,
        after: &Cursor<String>,
        limit: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError>;
}

/// The operator's switch that stops firing, as the database has it.
#[async_trait]
pub trait FiringSwitch: Send + Sync + 'static {
    /// Whose reminders shall not fire now.
    async fn firing_stop(&self) -> Result<FiringStop, QueryError>;
}
