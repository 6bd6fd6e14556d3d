//! How far a `rearm` came, so that the next one can go on there.

use super::index::{QueryError, Waking};
use super::store::ReadModel;
use reminder_contract::names::APP_ID;
use reminder_domain::{TaskId, Timestamp};

/// A `rearm` that has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RearmPlace {
    /// The last wake that was registered.
    pub after: Waking,
    /// How many were, up to here.
    pub done: u64,
}

impl ReadModel {
    /// How far the last `rearm` came; `None`: it came to its end, or there was none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rearm_place(&self) -> Result<Option<RearmPlace>, QueryError> {
        let sql = "SELECT at_ms, task_id, done FROM {schema}.task_rearm WHERE app_id = $1";
        let rows = self.query(sql, &[&APP_ID]).await?;
        Ok(rows.first().and_then(|row| {
            let task = TaskId::parse(row.get::<_, String>(1)).ok()?;
            let after = Waking { at: Timestamp::from_millis(row.get(0)), task };
            Some(RearmPlace { after, done: u64::try_from(row.get::<_, i64>(2)).ok()? })
        }))
    }

    /// Notes how far it came.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_rearm(&self, place: &RearmPlace) -> Result<(), QueryError> {
        let sql = "INSERT INTO {schema}.task_rearm (app_id, at_ms, task_id, done)
                   VALUES ($1, $2, $3, $4)
                   ON CONFLICT (app_id) DO UPDATE
                       SET at_ms = excluded.at_ms, task_id = excluded.task_id,
                           done = excluded.done, updated_at = now()";
        let (at, task) = (place.after.at.as_millis(), place.after.task.as_str());
        let done = i64::try_from(place.done).unwrap_or(i64::MAX);
        self.query(sql, &[&APP_ID, &at, &task, &done]).await.map(drop)
    }

    /// Notes that it came to its end, or shall begin anew.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_rearm(&self) -> Result<(), QueryError> {
        let sql = "DELETE FROM {schema}.task_rearm WHERE app_id = $1";
        self.query(sql, &[&APP_ID]).await.map(drop)
    }

    /// How many tasks wake after a place and up to a time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_waking(&self, after: &Waking, until: Timestamp) -> Result<u64, QueryError> {
        let sql = "SELECT count(*) FROM {schema}.task_index
                   WHERE app_id = $1 AND next_wake IS NOT NULL
                     AND (next_wake, task_id) > (to_timestamp($2::float8 / 1000), $3)
                     AND next_wake <= to_timestamp($4::float8 / 1000)";
        let (from, to) = (super::store::millis(after.at), super::store::millis(until));
        let rows = self.query(sql, &[&APP_ID, &from, &after.task.as_str(), &to]).await?;
        Ok(rows.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
    }
}
