//! What is over and old enough, the rounds that remove it, and how one row goes.

use super::error::Obstacle;
use super::index::QueryError;
use super::repair::{key, qualified};
use super::store::{PARKED, ReadModel, millis};
use crate::ports::{CallError, Removal};
use crate::turn::effect::Numbers;
use async_trait::async_trait;
use reminder_contract::names::APP_ID;
use reminder_domain::restored::FIRST_INCARNATION;
use reminder_domain::retention::Over;
use reminder_domain::{TaskId, Timestamp};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_postgres::{Row, Transaction};

/// A task that is over, and since when nothing was committed of it; pages are ordered by both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    /// Its last commit.
    pub at: Timestamp,
    /// The task.
    pub task: String,
}

/// The rows that the rounds of the purge go by.
#[async_trait]
pub trait Purges: Send + Sync + 'static {
    /// Takes the right to a round, or keeps it; `false`: another process has it.
    async fn hold(&self, epoch: u64, hold: Duration) -> Result<bool, QueryError>;
    /// Raises the incarnation in which tasks are born, so that what was born before may go; `false`: the
    /// right to the round was lost.
    async fn raise_births(&self, epoch: u64) -> Result<bool, QueryError>;
    /// Tasks of a kind whose last commit was before `before`, after a place, in order.
    async fn ended(
        &self,
        over: Over,
        before: Timestamp,
        after: Option<&Ended>,
        limit: i64,
    ) -> Result<Vec<Ended>, QueryError>;
    /// Gives the right to the round back.
    async fn finished(&self, epoch: u64) -> Result<(), QueryError>;
    /// When a round last came to its end, by whichever process; `None`: none ever did.
    async fn last_finished(&self) -> Result<Option<Timestamp>, QueryError>;
}

/// The incarnation in which tasks are born since the last purge.
pub(super) async fn births(transaction: &Transaction<'_>, schema: &str) -> Result<u32, Obstacle> {
    let sql = format!("SELECT births FROM {schema}.retention WHERE app_id = $1");
    Ok(incarnation(transaction.query_opt(&sql, &[&APP_ID]).await?.as_ref()))
}

fn incarnation(row: Option<&Row>) -> u32 {
    let stored = row.and_then(|row| u32::try_from(row.get::<_, i64>(0)).ok());
    stored.unwrap_or(FIRST_INCARNATION)
}

/// How the status of what is over is stored.
const fn status(over: Over) -> &'static str {
    match over {
        Over::Completed => "completed",
        Over::Tombstone => "deleted",
    }
}

/// Tasks of a kind whose last commit was before the second parameter. The status is written out, so that
/// the planner knows the index for it.
fn that_ended(over: Over) -> String {
    format!(
        "{{schema}}.task_index AS idx
         WHERE app_id = $1 AND status = '{}' AND updated_at < to_timestamp($2::float8 / 1000)
           AND next_wake IS NULL {PARKED}",
        status(over)
    )
}

#[async_trait]
impl Purges for ReadModel {
    async fn hold(&self, epoch: u64, hold: Duration) -> Result<bool, QueryError> {
        let sql = "INSERT INTO {schema}.retention AS round (app_id, holder, held_until)
                   VALUES ($1, $2, now() + $3 * interval '1 second')
                   ON CONFLICT (app_id) DO UPDATE
                       SET holder = excluded.holder, held_until = excluded.held_until
                       WHERE round.holder = excluded.holder OR round.held_until < now()
                   RETURNING 1";
        let rows = self.query(sql, &[&APP_ID, &epoch.to_string(), &hold.as_secs_f64()]).await?;
        Ok(!rows.is_empty())
    }

    async fn raise_births(&self, epoch: u64) -> Result<bool, QueryError> {
        // The present second, like the incarnation of a restore; the rest is for clocks that were set
        // back, and for two rounds within one second.
        let sql = "UPDATE {schema}.retention AS round SET births = greatest(
                       floor(extract(epoch FROM clock_timestamp()))::bigint,
                       round.births + 1,
                       (SELECT restore.incarnation + 1 FROM {schema}.task_restore AS restore
                        WHERE restore.app_id = round.app_id))
                   WHERE app_id = $1 AND holder = $2 AND held_until > now() RETURNING 1";
        Ok(!self.query(sql, &[&APP_ID, &epoch.to_string()]).await?.is_empty())
    }

    async fn ended(
        &self,
        over: Over,
        before: Timestamp,
        after: Option<&Ended>,
        limit: i64,
    ) -> Result<Vec<Ended>, QueryError> {
        let sql = format!(
            "SELECT task_id, (extract(epoch FROM updated_at) * 1000)::int8 FROM {}
               AND (updated_at, task_id) > (to_timestamp($3::float8 / 1000), $4)
             ORDER BY updated_at, task_id LIMIT $5",
            that_ended(over)
        );
        let beginning = Timestamp::from_millis(0);
        let (at, task) = after.map_or((beginning, ""), |after| (after.at, after.task.as_str()));
        let (before, at) = (millis(before), millis(at));
        let rows = self.query(&sql, &[&APP_ID, &before, &at, &task, &limit]).await?;
        let ended = |row: &Row| Ended { at: Timestamp::from_millis(row.get(1)), task: row.get(0) };
        Ok(rows.iter().map(ended).collect())
    }

    async fn finished(&self, epoch: u64) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.retention SET held_until = now(), finished_at = now()
                   WHERE app_id = $1 AND holder = $2";
        self.query(sql, &[&APP_ID, &epoch.to_string()]).await.map(drop)
    }

    async fn last_finished(&self) -> Result<Option<Timestamp>, QueryError> {
        let sql = "SELECT (extract(epoch FROM finished_at) * 1000)::int8
                   FROM {schema}.retention WHERE app_id = $1";
        let rows = self.query(sql, &[&APP_ID]).await?;
        Ok(rows.first().and_then(|row| row.get::<_, Option<i64>>(0)).map(Timestamp::from_millis))
    }
}

impl ReadModel {
    /// The incarnation in which tasks are born since the last purge.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn births(&self) -> Result<u32, QueryError> {
        let sql = "SELECT births FROM {schema}.retention WHERE app_id = $1";
        Ok(incarnation(self.query(sql, &[&APP_ID]).await?.first()))
    }

    /// How many tasks of a kind were last committed before a time; counted up to a bound.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_ended(
        &self,
        over: Over,
        before: Timestamp,
        count_max: i64,
    ) -> Result<i64, QueryError> {
        let sql =
            format!("SELECT count(*) FROM (SELECT FROM {} LIMIT $3) AS ended", that_ended(over));
        let rows = self.query(&sql, &[&APP_ID, &millis(before), &count_max]).await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// Deletes the state of a task, if its index line says these numbers and that it was born before
    /// tasks are born now; the trigger takes along what else is kept of it. The line itself is looked at
    /// and not the row of the index: it is what a concurrent commit makes this statement wait for, and look
    /// at again.
    ///
    /// # Errors
    /// When the database does not answer, or does not let this user delete from the state table.
    pub async fn remove_state(
        &self,
        table: &str,
        task: &TaskId,
        numbers: Numbers,
    ) -> Result<bool, QueryError> {
        let table = qualified(table);
        let sql = format!(
            "DELETE FROM {table} AS stored WHERE stored.key = $1 AND EXISTS (
                 SELECT FROM convert_from(
                     substring(stored.value FOR position('\\x0a'::bytea IN substring(stored.value FOR 2048)) - 1),
                     'UTF8') AS line
                 WHERE (line::jsonb ->> 'v')::bigint = $2 AND (line::jsonb ->> 'i')::bigint = $3
                   AND (line::jsonb ->> 'i')::bigint <
                       (SELECT births FROM {{schema}}.retention WHERE app_id = $4))
             RETURNING 1"
        );
        let version = i64::try_from(numbers.version).unwrap_or(i64::MAX);
        let incarnation = i64::from(numbers.incarnation);
        let rows = self.query(&sql, &[&key(task), &version, &incarnation, &APP_ID]).await?;
        Ok(!rows.is_empty())
    }
}

/// Removes by the read model, once there is one: turns run before the database is migrated.
#[derive(Default)]
pub struct RemovalTable(OnceLock<(Arc<ReadModel>, String)>);

impl RemovalTable {
    /// Uses this one, and this state table.
    pub fn open(&self, model: Arc<ReadModel>, table: &str) {
        // A second call would say the same.
        let _ = self.0.set((model, table.to_owned()));
    }

    fn database(&self) -> Result<&(Arc<ReadModel>, String), CallError> {
        self.0.get().ok_or_else(|| CallError("the database is not ready yet".into()))
    }
}

#[async_trait]
impl Removal for RemovalTable {
    async fn births(&self) -> Result<u32, CallError> {
        let (model, _) = self.database()?;
        model.births().await.map_err(|error| CallError(error.to_string()))
    }

    async fn remove(&self, id: &TaskId, numbers: Numbers) -> Result<bool, CallError> {
        let (model, table) = self.database()?;
        let removed = model.remove_state(table, id, numbers).await;
        removed.map_err(|error| CallError(error.to_string()))
    }
}
