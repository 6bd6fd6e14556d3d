//! What a process asks of the read model; these calls go wrong like all others.

use super::ports::HostPorts;
use super::{Part, World};
use async_trait::async_trait;
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{
    Changed, Cursor, FiringSwitch, QueryError, Swept, TaskIndex, Waking,
};
use reminder_scheduler::turn::firing::FiringStop;
use std::time::Duration;

impl HostPorts {
    pub(super) async fn query<T: Send + 'static>(
        &self,
        name: &'static str,
        effect: impl FnOnce(&World) -> T + Send + 'static,
    ) -> Result<T, QueryError> {
        self.call(Part::Postgres, name, 0, effect).await.map_err(|error| QueryError(error.0))
    }
}

#[async_trait]
impl TaskIndex for HostPorts {
    async fn heartbeat(&self, epoch: u64, hold: Duration, _: Duration) -> Result<(), QueryError> {
        let beat = move |world: &World| {
            let now = world.now_ms();
            world.state().index.heartbeat(epoch, hold, now);
        };
        self.query("heartbeat", beat).await
    }

    async fn lease(&self, epoch: u64, hold: Duration) -> Result<Option<Swept>, QueryError> {
        let lease = move |world: &World| {
            let now = world.now_ms();
            world.state().index.lease(epoch, hold, now)
        };
        self.query("lease", lease).await
    }

    async fn begin_anew(&self, epoch: u64) -> Result<Option<u64>, QueryError> {
        let begin = move |world: &World| world.state().index.begin_anew(epoch);
        self.query("begin anew", begin).await
    }

    async fn swept(&self, epoch: u64, swept: Swept) -> Result<bool, QueryError> {
        self.query("swept", move |world| world.state().index.swept(epoch, swept)).await
    }

    async fn waking(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        let after = after.clone();
        self.query("waking", move |world| world.state().waking(&after, until, limit)).await
    }

    async fn overdue(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        let after = after.clone();
        self.query("overdue", move |world| world.state().overdue(&after, until, limit)).await
    }

    async fn dead_epochs(&self, unseen_for: Duration) -> Result<Vec<u64>, QueryError> {
        let dead = move |world: &World| {
            let now = world.now_ms();
            world.state().dead_epochs(unseen_for, now)
        };
        self.query("dead epochs", dead).await
    }

    async fn left_pending(
        &self,
        epoch: u64,
        n: u64,
        limit: i64,
    ) -> Result<Vec<(TaskId, u64)>, QueryError> {
        self.query("left pending", move |world| world.state().left_pending(epoch, n, limit)).await
    }

    async fn changed_users(
        &self,
        since: Timestamp,
        after: Option<&Person>,
        _: i64,
    ) -> Result<Vec<Changed>, QueryError> {
        let after = after.cloned();
        let changed = move |world: &World| world.state().changed_users(since, after.as_ref());
        self.query("changed users", changed).await
    }

    async fn outdated_of(
        &self,
        changed: &Changed,
        after: &Cursor<i64>,
        _: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError> {
        let (changed, after) = (changed.clone(), after.clone());
        self.query("outdated", move |world| world.state().outdated_of(&changed, &after)).await
    }

    async fn is_behind(&self, changed: &Changed) -> Result<bool, QueryError> {
        let changed = changed.clone();
        self.query("behind", move |world| world.state().is_behind(&changed)).await
    }

    async fn outdated_zones(
        &self,
        _: &str,
        _: &Cursor<String>,
        _: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError> {
        // There is one version of the zone database in a run.
        self.query("outdated zones", |_| Vec::new()).await
    }
}

#[async_trait]
impl FiringSwitch for HostPorts {
    async fn firing_stop(&self) -> Result<FiringStop, QueryError> {
        self.query("firing stop", |world| FiringStop::clone(&world.state().stop)).await
    }
}
