//! Queries over `task_index` and the audit's own rows.

use super::connect::Server;
use super::error::{MigrateError, Obstacle};
use super::findings::Finding;
use super::index::{Changed, Cursor, QueryError, Swept, TaskIndex, Waking};
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

/// How long a query may take; each reads at most one page through an index.
const QUERY_DEADLINE: Duration = Duration::from_secs(10);

/// Leaves out parked tasks: those of `idx` that are still at the version at which they were parked.
pub(super) const PARKED: &str = "AND NOT EXISTS (
    SELECT FROM {schema}.task_parked AS parked
    WHERE parked.app_id = idx.app_id AND parked.task_id = idx.task_id
      AND parked.version = idx.version)";
/// Leaves out the tasks of those whose firing is stopped.
pub(super) const STOPPED: &str = "AND NOT EXISTS (
    SELECT FROM {schema}.firing_stop AS stop
    WHERE stop.app_id = idx.app_id AND stop.user_id IN ('', coalesce(idx.user_id, '')))";

impl From<Obstacle> for QueryError {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Passing(reason) => Self(format!("waits for {reason}")),
            Obstacle::Final(error) => Self(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for QueryError {
    fn from(error: tokio_postgres::Error) -> Self {
        let detail = error.as_db_error().map(ToString::to_string);
        Self(detail.unwrap_or_else(|| error.to_string()))
    }
}

/// The read model, over one connection that is made again when it is lost.
pub struct ReadModel {
    server: Server,
    schema: String,
    client: Mutex<Option<Client>>,
}

impl ReadModel {
    /// Over the database that [`super::migrate`] prepared; `schema` is what it answered.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(database_url: &str, schema: String) -> Result<Self, MigrateError> {
        let server = Server::parse(database_url)?;
        Ok(Self { server, schema, client: Mutex::new(None) })
    }

    /// A page of what wakes, without the tasks that a condition on `idx` leaves out.
    async fn waking_but_for(
        &self,
        left_out: &str,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        let sql = format!(
            "SELECT task_id, (extract(epoch FROM next_wake) * 1000)::int8
             FROM {{schema}}.task_index AS idx
             WHERE app_id = $1 AND next_wake IS NOT NULL
               AND (next_wake, task_id) > (to_timestamp($2::float8 / 1000), $3)
               AND next_wake <= to_timestamp($4::float8 / 1000) {left_out}
             ORDER BY next_wake, task_id LIMIT $5"
        );
        let (from, to) = (millis(after.at), millis(until));
        let rows = self.query(&sql, &[&APP_ID, &from, &after.task.as_str(), &to, &limit]).await?;
        let waking = |row: &Row| {
            let task = TaskId::parse(row.get::<_, String>(0)).ok()?;
            Some(Waking { at: Timestamp::from_millis(row.get(1)), task })
        };
        Ok(rows.iter().filter_map(waking).collect())
    }

    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        self.query_within(QUERY_DEADLINE, sql, parameters).await
    }

    /// The same with another deadline.
    pub(super) async fn query_within(
        &self,
        deadline: Duration,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let sql = sql.replace("{schema}", &self.schema);
        let mut slot = self.client.lock().await;
        let client = match slot.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.server.connect().await?,
        };
        // A query cut short leaves the connection busy, so it is kept only after an answer.
        let answer = tokio::time::timeout(deadline, client.query(&sql, parameters)).await;
        let rows = answer.map_err(|_| QueryError("no answer in time".into()))??;
        *slot = Some(client);
        Ok(rows)
    }
}

#[async_trait]
impl TaskIndex for ReadModel {
    async fn heartbeat(
        &self,
        epoch: u64,
        hold: Duration,
        forget_after: Duration,
    ) -> Result<(), QueryError> {
        let seen = "INSERT INTO {schema}.task_epoch (app_id, epoch, seen_at) VALUES ($1, $2, now())
                    ON CONFLICT (app_id, epoch) DO UPDATE SET seen_at = now()";
        self.query(seen, &[&APP_ID, &epoch.to_string()]).await?;
        let keep = "UPDATE {schema}.task_audit SET held_until = now() + $3 * interval '1 second'
                    WHERE app_id = $1 AND holder = $2 AND held_until > now()";
        self.query(keep, &[&APP_ID, &epoch.to_string(), &hold.as_secs_f64()]).await?;
        let forget = "DELETE FROM {schema}.task_epoch
                      WHERE app_id = $1 AND seen_at < now() - $2 * interval '1 second'";
        self.query(forget, &[&APP_ID, &forget_after.as_secs_f64()]).await?;
        Ok(())
    }

    async fn lease(&self, epoch: u64, hold: Duration) -> Result<Option<Swept>, QueryError> {
        let sql = "INSERT INTO {schema}.task_audit AS audit (app_id, holder, held_until)
                   VALUES ($1, $2, now() + $3 * interval '1 second')
                   ON CONFLICT (app_id) DO UPDATE
                       SET holder = excluded.holder, held_until = excluded.held_until
                       WHERE audit.holder = excluded.holder OR audit.held_until < now()
                   RETURNING swept_until_ms, canary";
        let rows = self.query(sql, &[&APP_ID, &epoch.to_string(), &hold.as_secs_f64()]).await?;
        Ok(rows.first().map(|row| Swept {
            until: Timestamp::from_millis(row.get(0)),
            canary: counted(row.get(1)),
        }))
    }

    async fn begin_anew(&self, epoch: u64) -> Result<Option<u64>, QueryError> {
        let sql = "UPDATE {schema}.task_audit SET swept_until_ms = 0, canary = canary + 1
                   WHERE app_id = $1 AND holder = $2 RETURNING canary";
        let rows = self.query(sql, &[&APP_ID, &epoch.to_string()]).await?;
        Ok(rows.first().map(|row| counted(row.get(0))))
    }

    async fn swept(&self, epoch: u64, swept: Swept) -> Result<bool, QueryError> {
        let sql = "UPDATE {schema}.task_audit SET swept_until_ms = $3
                   WHERE app_id = $1 AND holder = $2 AND canary = $4 RETURNING 1";
        let canary = i64::try_from(swept.canary).unwrap_or(i64::MAX);
        let (holder, until) = (epoch.to_string(), swept.until.as_millis());
        let rows = self.query(sql, &[&APP_ID, &holder, &until, &canary]).await?;
        Ok(!rows.is_empty())
    }

    async fn waking(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        self.waking_but_for("", after, until, limit).await
    }

    async fn overdue(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        self.waking_but_for(&format!("{PARKED} {STOPPED}"), after, until, limit).await
    }

    async fn park(&self, task: &TaskId, why: &UnreadableState) -> Result<bool, QueryError> {
        self.note_parked(task, why).await
    }

    async fn parked(&self, untried_for: Duration, limit: i64) -> Result<Vec<TaskId>, QueryError> {
        self.parked_to_try(untried_for, limit).await
    }

    async fn count_parked(&self) -> Result<u64, QueryError> {
        self.read_count_of_parked().await
    }

    async fn count_pending(&self, until: &[Timestamp], limit: i64) -> Result<Vec<i64>, QueryError> {
        self.pending_by_time(until, limit).await
    }

    async fn unpark(&self, task: &TaskId) -> Result<(), QueryError> {
        self.note_unparked(task).await
    }

    async fn note_findings(&self, found: &[Finding]) -> Result<(), QueryError> {
        self.add_findings(found).await
    }

    async fn dead_epochs(&self, unseen_for: Duration) -> Result<Vec<u64>, QueryError> {
        // One index probe per distinct epoch, however many tasks there are.
        let sql = "WITH RECURSIVE epochs AS (
                       (SELECT pending_epoch FROM {schema}.task_index
                        WHERE app_id = $1 AND pending_epoch IS NOT NULL
                        ORDER BY pending_epoch LIMIT 1)
                       UNION ALL
                       SELECT (SELECT pending_epoch FROM {schema}.task_index
                               WHERE app_id = $1 AND pending_epoch > epochs.pending_epoch
                               ORDER BY pending_epoch LIMIT 1)
                       FROM epochs WHERE epochs.pending_epoch IS NOT NULL
                   )
                   SELECT pending_epoch FROM epochs
                   WHERE pending_epoch IS NOT NULL AND NOT EXISTS (
                       SELECT FROM {schema}.task_epoch alive
                       WHERE alive.app_id = $1 AND alive.epoch = epochs.pending_epoch
                         AND alive.seen_at > now() - $2 * interval '1 second')";
        let rows = self.query(sql, &[&APP_ID, &unseen_for.as_secs_f64()]).await?;
        Ok(rows.iter().filter_map(|row| row.get::<_, String>(0).parse().ok()).collect())
    }

    async fn left_pending(
        &self,
        epoch: u64,
        n: u64,
        limit: i64,
    ) -> Result<Vec<(TaskId, u64)>, QueryError> {
        let sql = format!(
            "SELECT task_id, pending_n FROM {{schema}}.task_index AS idx
             WHERE app_id = $1 AND pending_epoch = $2 AND pending_n > $3 {PARKED}
             ORDER BY pending_n LIMIT $4"
        );
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let rows = self.query(&sql, &[&APP_ID, &epoch.to_string(), &n, &limit]).await?;
        let left = |row: &Row| {
            let task = TaskId::parse(row.get::<_, String>(0)).ok()?;
            Some((task, u64::try_from(row.get::<_, i64>(1)).ok()?))
        };
        Ok(rows.iter().filter_map(left).collect())
    }

    async fn changed_users(
        &self,
        since: Timestamp,
        after: Option<&Person>,
        limit: i64,
    ) -> Result<Vec<Changed>, QueryError> {
        // One probe per user: the LIMIT keeps the planner from joining with all open tasks, which it
        // prefers to EXISTS.
        let sql = "SELECT u.user_id, u.version FROM {schema}.user_index AS u
                   WHERE u.app_id = $1 AND u.behind_at >= to_timestamp($2::float8 / 1000)
                     AND u.user_id > $3
                     AND (SELECT true FROM {schema}.task_index AS t
                          WHERE t.app_id = u.app_id AND t.user_id = u.user_id
                            AND t.status IN ('pending', 'in_progress') AND t.preferences < u.version
                          LIMIT 1)
                   ORDER BY u.user_id LIMIT $4";
        let after = after.map_or("", Person::as_str);
        let rows = self.query(sql, &[&APP_ID, &millis(since), &after, &limit]).await?;
        let changed = |row: &Row| {
            let user = Person::parse(row.get::<_, String>(0)).ok()?;
            Some(Changed { user, version: u64::try_from(row.get::<_, i64>(1)).ok()? })
        };
        Ok(rows.iter().filter_map(changed).collect())
    }

    async fn outdated_of(
        &self,
        changed: &Changed,
        after: &Cursor<i64>,
        limit: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError> {
        let sql = format!(
            "SELECT preferences, task_id FROM {{schema}}.task_index AS idx
             WHERE app_id = $1 AND user_id = $2 AND status IN ('pending', 'in_progress')
               AND preferences < $3 AND (preferences, task_id) > ($4, $5) {PARKED}
             ORDER BY preferences, task_id LIMIT $6"
        );
        let version = i64::try_from(changed.version).unwrap_or(i64::MAX);
        let user = changed.user.as_str();
        let (follows, task) = (after.follows, after.task.as_str());
        let rows = self.query(&sql, &[&APP_ID, &user, &version, &follows, &task, &limit]).await?;
        Ok(rows.iter().map(|row| Cursor { follows: row.get(0), task: row.get(1) }).collect())
    }

    async fn is_behind(&self, changed: &Changed) -> Result<bool, QueryError> {
        let sql = "SELECT true FROM {schema}.task_index
                   WHERE app_id = $1 AND user_id = $2 AND status IN ('pending', 'in_progress')
                     AND preferences < $3 LIMIT 1";
        let version = i64::try_from(changed.version).unwrap_or(i64::MAX);
        let rows = self.query(sql, &[&APP_ID, &changed.user.as_str(), &version]).await?;
        Ok(!rows.is_empty())
    }

    async fn outdated_zones(
        &self,
        current: &str,
        after: &Cursor<String>,
        limit: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError> {
        let sql = format!(
            "SELECT zone_database, task_id FROM {{schema}}.task_index AS idx
             WHERE app_id = $1 AND status IN ('pending', 'in_progress')
               AND zone_database IS NOT NULL AND zone_database < $2
               AND (zone_database, task_id) > ($3, $4) {PARKED}
             ORDER BY zone_database, task_id LIMIT $5"
        );
        let (follows, task) = (after.follows.as_str(), after.task.as_str());
        let rows = self.query(&sql, &[&APP_ID, &current, &follows, &task, &limit]).await?;
        Ok(rows.iter().map(|row| Cursor { follows: row.get(0), task: row.get(1) }).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 9999 fit a double")]
pub(super) fn millis(time: Timestamp) -> f64 {
    time.as_millis() as f64
}

/// A number that the database counts up from 0.
fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
