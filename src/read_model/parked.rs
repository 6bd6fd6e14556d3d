//! Tasks whose state cannot be used: parked, tried again, counted and listed.
//!
//! A row of `task_parked` counts only while its task is at the version at which it was parked, so a
//! commit un-parks the task without knowing of it.

use super::index::QueryError;
use super::store::ReadModel;
use crate::ports::{CallError, Parking};
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use reminder_contract::names::APP_ID;
use reminder_domain::TaskId;
use serde::Serialize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_postgres::Row;

/// One parked task, for people: times as Postgres writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParkedTask {
    /// Which.
    #[serde(rename = "taskId")]
    pub task: String,
    /// The kind of reason.
    pub reason: String,
    /// The reason in words.
    pub detail: String,
    /// Since when.
    pub since: String,
    /// When it was last tried.
    pub tried_at: String,
    /// When it would have fired, or shall.
    pub next_wake: Option<String>,
    /// Whose it is.
    #[serde(rename = "userId")]
    pub user: Option<String>,
}

/// Parks by the read model, once there is one: turns run before the database is migrated.
#[derive(Default)]
pub struct ParkedTable(OnceLock<Arc<ReadModel>>);

impl ParkedTable {
    /// Uses this one.
    pub fn open(&self, model: Arc<ReadModel>) {
        // A second call would say the same.
        let _ = self.0.set(model);
    }
}

#[async_trait]
impl Parking for ParkedTable {
    async fn park(&self, id: &TaskId, why: &UnreadableState) -> Result<bool, CallError> {
        let model =
            self.0.get().ok_or_else(|| CallError("the database is not ready yet".into()))?;
        model.note_parked(id, why).await.map_err(|error| CallError(error.to_string()))
    }
}

/// The rows that count, as `parked`, with those of the index, as `idx`: a probe for each, since a plain join
/// would be planned as a scan of the whole index.
const THAT_COUNT: &str = "{schema}.task_parked AS parked
    LEFT JOIN LATERAL (
        SELECT * FROM {schema}.task_index AS one
        WHERE one.app_id = parked.app_id AND one.task_id = parked.task_id LIMIT 1
    ) AS idx ON true
    WHERE parked.app_id = $1 AND parked.version IS NOT DISTINCT FROM idx.version";

impl ReadModel {
    pub(super) async fn note_parked(
        &self,
        task: &TaskId,
        why: &UnreadableState,
    ) -> Result<bool, QueryError> {
        let sql = "INSERT INTO {schema}.task_parked AS parked
                       (app_id, task_id, version, reason, detail, schema_version)
                   SELECT $1, $2, idx.version, $3, $4, $5
                   FROM (VALUES (1)) AS one LEFT JOIN {schema}.task_index AS idx
                       ON idx.app_id = $1 AND idx.task_id = $2
                   WHERE $3 <> 'missing' OR idx.task_id IS NOT NULL
                   ON CONFLICT (app_id, task_id) DO UPDATE
                       SET version = excluded.version, reason = excluded.reason,
                           detail = excluded.detail, schema_version = excluded.schema_version,
                           tried_at = now(),
                           since = CASE WHEN parked.version IS NOT DISTINCT FROM excluded.version
                                        THEN parked.since ELSE now() END
                       WHERE excluded.reason <> 'missing'
                          OR parked.version IS DISTINCT FROM excluded.version
                   RETURNING since = now()";
        let (reason, detail) = (why.reason(), why.to_string());
        let schema = why.schema().map(i64::from);
        let rows = self.query(sql, &[&APP_ID, &task.as_str(), &reason, &detail, &schema]).await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }

    pub(super) async fn parked_to_try(
        &self,
        untried_for: Duration,
        limit: i64,
    ) -> Result<Vec<TaskId>, QueryError> {
        let forget = "DELETE FROM {schema}.task_parked AS parked
                      WHERE app_id = $1 AND version IS DISTINCT FROM (
                          SELECT idx.version FROM {schema}.task_index AS idx
                          WHERE idx.app_id = parked.app_id AND idx.task_id = parked.task_id)";
        self.query(forget, &[&APP_ID]).await?;
        let sql = "UPDATE {schema}.task_parked SET tried_at = now()
                   WHERE app_id = $1 AND task_id IN (
                       SELECT task_id FROM {schema}.task_parked
                       WHERE app_id = $1 AND tried_at <= now() - $2 * interval '1 second'
                       ORDER BY tried_at, task_id LIMIT $3)
                   RETURNING task_id";
        let rows = self.query(sql, &[&APP_ID, &untried_for.as_secs_f64(), &limit]).await?;
        let mut tasks: Vec<TaskId> =
            rows.iter().filter_map(|row| TaskId::parse(row.get::<_, String>(0)).ok()).collect();
        tasks.sort();
        Ok(tasks)
    }

    pub(super) async fn note_unparked(&self, task: &TaskId) -> Result<(), QueryError> {
        let sql = "DELETE FROM {schema}.task_parked WHERE app_id = $1 AND task_id = $2";
        self.query(sql, &[&APP_ID, &task.as_str()]).await.map(drop)
    }

    pub(super) async fn read_count_of_parked(&self) -> Result<u64, QueryError> {
        // A probe for each parked task: a join would be planned as a scan of the whole index.
        let sql = "SELECT count(*) FROM {schema}.task_parked AS parked
                   WHERE app_id = $1 AND version IS NOT DISTINCT FROM (
                       SELECT idx.version FROM {schema}.task_index AS idx
                       WHERE idx.app_id = parked.app_id AND idx.task_id = parked.task_id)";
        let rows = self.query(sql, &[&APP_ID]).await?;
        let count = rows.first().map_or(0, |row| row.get::<_, i64>(0));
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// A page of the parked tasks, by their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_parked(
        &self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ParkedTask>, QueryError> {
        let sql = format!(
            "SELECT {SHOWN} FROM {THAT_COUNT} AND parked.task_id > $2
             ORDER BY parked.task_id LIMIT $3"
        );
        let rows = self.query(&sql, &[&APP_ID, &after, &limit]).await?;
        Ok(rows.iter().map(shown).collect())
    }

    /// A task, if it is parked.
    pub(super) async fn parked_task(
        &self,
        task: &TaskId,
    ) -> Result<Option<ParkedTask>, QueryError> {
        let sql = format!("SELECT {SHOWN} FROM {THAT_COUNT} AND parked.task_id = $2");
        let rows = self.query(&sql, &[&APP_ID, &task.as_str()]).await?;
        Ok(rows.first().map(shown))
    }
}

/// What is told of a row.
const SHOWN: &str = "parked.task_id, parked.reason, parked.detail,
    date_trunc('second', parked.since)::text, date_trunc('second', parked.tried_at)::text,
    idx.next_wake::text, idx.user_id";

fn shown(row: &Row) -> ParkedTask {
    ParkedTask {
        task: row.get(0),
        reason: row.get(1),
        detail: row.get(2),
        since: row.get(3),
        tried_at: row.get(4),
        next_wake: row.get(5),
        user: row.get(6),
    }
}
