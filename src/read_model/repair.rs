//! A task as it is stored, for who has to repair it; and the one statement that replaces it.

use super::index::QueryError;
use super::store::ReadModel;
use reminder_contract::names::{ACTOR_TYPE, APP_ID, STATE_KEY};
use reminder_domain::TaskId;

/// Everything that the database has of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The actor's state; `None`: there is no row.
    pub value: Option<Vec<u8>>,
    /// Its row of the index.
    pub index: Option<IndexRow>,
    /// Why it is parked, if it is.
    pub parked: Option<String>,
}

/// What the index knows of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The last version that the fence let in.
    pub version: u64,
    /// Its incarnation.
    pub incarnation: u32,
    /// Whose it is.
    pub user: Option<String>,
    /// Where it stands.
    pub status: String,
    /// When it wakes, as Postgres writes it.
    pub next_wake: Option<String>,
    /// Whether it is paused, by itself or by its user.
    pub paused: bool,
    /// When it was last committed, as Postgres writes it.
    pub updated_at: String,
}

impl ReadModel {
    /// Reads everything that is stored of a task; `table` is the state table.
    ///
    /// # Errors
    /// When the database does not answer, or does not let this user read the state table.
    pub async fn stored(&self, table: &str, task: &TaskId) -> Result<Stored, QueryError> {
        let sql = format!("SELECT value FROM {} WHERE key = $1", qualified(table));
        let rows = self.query(&sql, &[&key(task)]).await?;
        let value = rows.first().map(|row| row.get(0));
        let sql = "SELECT idx.version, idx.incarnation, idx.user_id, idx.status,
                          idx.next_wake::text, idx.updated_at::text, idx.paused
                   FROM {schema}.task_index AS idx WHERE app_id = $1 AND task_id = $2";
        let rows = self.query(sql, &[&APP_ID, &task.as_str()]).await?;
        let index = rows.first().map(|row| IndexRow {
            version: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
            incarnation: u32::try_from(row.get::<_, i64>(1)).unwrap_or(u32::MAX),
            user: row.get(2),
            status: row.get(3),
            next_wake: row.get(4),
            updated_at: row.get(5),
            paused: row.get(6),
        });
        let sql = "SELECT parked.reason FROM {schema}.task_parked AS parked
                   LEFT JOIN {schema}.task_index AS idx
                       ON idx.app_id = parked.app_id AND idx.task_id = parked.task_id
                   WHERE parked.app_id = $1 AND parked.task_id = $2
                     AND parked.version IS NOT DISTINCT FROM idx.version";
        let rows = self.query(sql, &[&APP_ID, &task.as_str()]).await?;
        Ok(Stored { value, index, parked: rows.first().map(|row| row.get(0)) })
    }

    /// Replaces a task's state in one statement, if it is still `old`; `false`: it is not any more. After
    /// that it is not parked: a state that begins anew may be at the very version at which it was.
    ///
    /// # Errors
    /// When the database does not answer, or the fence refuses it.
    pub async fn replace_state(
        &self,
        table: &str,
        task: &TaskId,
        old: Option<&[u8]>,
        new: &[u8],
    ) -> Result<bool, QueryError> {
        let table = qualified(table);
        let rows = if let Some(old) = old {
            let sql = format!(
                "UPDATE {table} SET value = $2, updated_at = now(), etag = gen_random_uuid()
                 WHERE key = $1 AND value = $3 RETURNING 1"
            );
            self.query(&sql, &[&key(task), &new, &old]).await?
        } else {
            let sql = format!(
                "INSERT INTO {table} (key, value) VALUES ($1, $2)
                 ON CONFLICT (key) DO NOTHING RETURNING 1"
            );
            self.query(&sql, &[&key(task), &new]).await?
        };
        let replaced = !rows.is_empty();
        if replaced && let Err(error) = self.note_unparked(task).await {
            // The audit finds out by itself within a minute.
            tracing::warn!(task.id = %task, %error, "a task that was repaired is still parked");
        }
        Ok(replaced)
    }
}

/// The state table with its schema. Its name needs no quotes: see [`super::StateTable`].
pub(super) fn qualified(table: &str) -> String {
    let name = table.rsplit('.').next().unwrap_or(table);
    format!("{{schema}}.{name}")
}

/// The key under which Dapr keeps a task's state.
pub(super) fn key(task: &TaskId) -> String {
    format!("{APP_ID}||{ACTOR_TYPE}||{task}||{STATE_KEY}")
}
