//! After a restore from a backup: the incarnation in which everything goes on, and a look at every
//! task that is stored.
//!
//! A restore undoes commits that others were told of. One row, `task_restore`, keeps what follows
//! from it: from then on every turn and the fence itself go by its incarnation, so a backup of any
//! size is safe to use as soon as the row is written.

use super::connect::Server;
use super::error::{MigrateError, Obstacle};
use super::index::QueryError;
use super::state_table::StateTable;
use crate::turn::record;
use reminder_contract::names::{ACTOR_TYPE, APP_ID, STATE_KEY};
use reminder_domain::decide::fence;
use reminder_domain::restored::FIRST_INCARNATION;
use reminder_domain::state::Lifecycle;
use reminder_domain::{TaskState, Timestamp, next_wake};
use std::time::Duration;
use tokio_postgres::{Client, Row, Transaction};

/// How many stored tasks are read at once.
const PAGE: i64 = 500;
/// How long a statement may take; looking for index rows without a task reads the whole index.
const STATEMENT_TIMEOUT_MS: u32 = 120_000;

/// Why what follows from a restore cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] MigrateError),
    /// A statement failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The service is not stopped.
    #[error(
        "the service runs: {processes} of its processes were seen within the last {within:?}. Stop \
         it first, or wait if it was stopped just now"
    )]
    Running {
        /// How many processes.
        processes: i64,
        /// Within which time.
        within: Duration,
    },
    /// No later incarnation can be written.
    #[error("the incarnation {0} cannot be written: is the clock of the database right?")]
    NoIncarnation(i64),
}

impl From<tokio_postgres::Error> for RestoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Query(error.into())
    }
}

/// The incarnation that everything goes on in; the first one when no backup was ever restored.
pub(super) async fn incarnation(
    transaction: &Transaction<'_>,
    schema: &str,
) -> Result<u32, Obstacle> {
    let sql = format!("SELECT incarnation FROM {schema}.task_restore WHERE app_id = $1");
    let row = transaction.query_opt(&sql, &[&APP_ID]).await?;
    let stored = row.and_then(|row| u32::try_from(row.get::<_, i64>(0)).ok());
    Ok(stored.unwrap_or(FIRST_INCARNATION))
}

/// A stored task that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id.
    pub task: String,
    /// Why it cannot be read.
    pub reason: String,
}

/// What looking at stored tasks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Tasks looked at.
    pub tasks: u64,
    /// Those whose row of the index was missing or another one's, and was written anew.
    pub reindexed: u64,
    /// Those that cannot be read; they were left as they are.
    pub unreadable: Vec<Unreadable>,
}

/// The database after a restore.
pub struct Restored {
    client: Client,
    schema: String,
    table: StateTable,
}

impl Restored {
    /// Over the database that [`super::migrate`] prepared; `schema` is what it answered.
    ///
    /// # Errors
    /// When it cannot be connected to.
    pub async fn connect(
        database_url: &str,
        schema: String,
        table: StateTable,
    ) -> Result<Self, RestoreError> {
        let client = Server::parse(database_url)?.connect().await.map_err(QueryError::from)?;
        client.batch_execute(&format!("SET statement_timeout = {STATEMENT_TIMEOUT_MS}")).await?;
        Ok(Self { client, schema, table })
    }

    /// Begins a new incarnation, the present second or a later one, and has the sweep register
    /// everything near again. All of it or nothing; once more does no harm.
    ///
    /// # Errors
    /// When a process of the service was seen within this time, unless there is none.
    pub async fn begin_incarnation(
        &mut self,
        running_within: Option<Duration>,
    ) -> Result<u32, RestoreError> {
        let schema = &self.schema;
        let transaction = self.client.transaction().await?;
        if let Some(within) = running_within {
            let running = format!(
                "SELECT count(*) FROM {schema}.task_epoch
                 WHERE app_id = $1 AND seen_at > now() - $2 * interval '1 second'"
            );
            let row = transaction.query_one(&running, &[&APP_ID, &within.as_secs_f64()]).await?;
            let processes: i64 = row.get(0);
            if processes > 0 {
                return Err(RestoreError::Running { processes, within });
            }
        }
        // The present second, since what the restore has undone cannot have been given later; the
        // rest is for clocks that were set back, and for a second restore within the same second.
        let insert = format!(
            "INSERT INTO {schema}.task_restore AS stored (app_id, incarnation, restored_at)
             SELECT $1, greatest(
                 floor(extract(epoch FROM clock_timestamp()))::bigint,
                 (SELECT coalesce(max(incarnation), 0) + 1 FROM {schema}.task_index
                  WHERE app_id = $1),
                 (SELECT births + 1 FROM {schema}.retention WHERE app_id = $1)), clock_timestamp()
             ON CONFLICT (app_id) DO UPDATE
                 SET incarnation = greatest(excluded.incarnation, stored.incarnation + 1),
                     restored_at = excluded.restored_at
             RETURNING incarnation"
        );
        let incarnation: i64 = transaction.query_one(&insert, &[&APP_ID]).await?.get(0);
        let begun =
            u32::try_from(incarnation).map_err(|_| RestoreError::NoIncarnation(incarnation))?;
        // What Dapr's scheduler knows is of the future that was undone.
        let sweep = format!("UPDATE {schema}.task_audit SET swept_until_ms = 0 WHERE app_id = $1");
        transaction.execute(&sweep, &[&APP_ID]).await?;
        transaction.commit().await?;
        Ok(begun)
    }

    /// How many tasks are stored, roughly: what the planner believes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn estimate(&self) -> Result<u64, RestoreError> {
        let sql = "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass($1)";
        let row = self.client.query_opt(sql, &[&self.table.as_str()]).await?;
        Ok(row.map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
    }

    /// Looks at the page of stored tasks after a key, and answers the last key of it; `None` when
    /// there was none. A task whose row of the index does not say what its state says is committed
    /// once more, unchanged, whereupon the trigger writes that row.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn check_page(
        &mut self,
        after: &str,
        incarnation: u32,
        now: Timestamp,
        checked: &mut Checked,
    ) -> Result<Option<String>, RestoreError> {
        let (schema, table) = (&self.schema, &self.table);
        let sql = format!(
            "SELECT s.key, s.value, i.version, i.incarnation, i.status,
                    (extract(epoch FROM i.next_wake) * 1000)::int8
             FROM {table} AS s LEFT JOIN {schema}.task_index AS i
                 ON i.app_id = $1 AND i.task_id = split_part(s.key, '||', 3)
             WHERE s.key > $2 AND s.key LIKE $3
             ORDER BY s.key LIMIT $4"
        );
        let pattern = format!("{APP_ID}||{ACTOR_TYPE}||%||{STATE_KEY}");
        let rows = self.client.query(&sql, &[&APP_ID, &after, &pattern, &PAGE]).await?;
        for row in &rows {
            checked.tasks += 1;
            let (key, value): (&str, &[u8]) = (row.get(0), row.get(1));
            match record::decode(value) {
                Err(error) => {
                    let task = key.split("||").nth(2).unwrap_or_default().to_owned();
                    checked.unreadable.push(Unreadable { task, reason: error.to_string() });
                }
                Ok(state) if is_indexed(&state, row) => {}
                Ok(mut state) => {
                    state.go_on_in(incarnation);
                    let next = record::encode(&fence(Some(&state), now).state);
                    let write = format!("UPDATE {table} SET value = $2 WHERE key = $1");
                    match self.client.execute(&write, &[&key, &next]).await {
                        Ok(_) => checked.reindexed += 1,
                        // The service runs again, and a turn has written it meanwhile.
                        Err(error) if is_fenced(&error) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
        }
        Ok(rows.last().map(|row| row.get(0)))
    }

    /// Forgets rows of the index whose task is not stored, which the audit would try to settle for
    /// ever; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_lost(&self) -> Result<u64, RestoreError> {
        let (schema, table) = (&self.schema, &self.table);
        let sql = format!(
            "DELETE FROM {schema}.task_index AS i WHERE i.app_id = $1 AND NOT EXISTS (
                 SELECT FROM {table} AS s WHERE s.key = $1 || $2 || i.task_id || $3)"
        );
        let (before, after) = (format!("||{ACTOR_TYPE}||"), format!("||{STATE_KEY}"));
        Ok(self.client.execute(&sql, &[&APP_ID, &before, &after]).await?)
    }
}

fn is_fenced(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code() == super::FENCED_SQLSTATE)
}

/// Whether a task's row of the index says what its state says.
fn is_indexed(state: &TaskState, row: &Row) -> bool {
    let status = match &state.lifecycle {
        Lifecycle::Live(live) => live.task.status.as_str(),
        Lifecycle::Deleted { .. } => "deleted",
    };
    let expected = (
        i64::try_from(state.version).ok(),
        Some(i64::from(state.incarnation)),
        Some(status),
        next_wake(state).map(Timestamp::as_millis),
    );
    expected == (row.get(2), row.get(3), row.get(4), row.get(5))
}
