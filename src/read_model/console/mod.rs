//! What the console asks: how much comes when, how much there is, who holds the lease, what is parked.
//!
//! Every question reads a bounded number of rows along an index, however many tasks there are. Where a
//! count would pass its bound, the planner's estimate is told instead, and said to be one.

mod load;
mod totals;

pub use load::Bucket;
pub use totals::Totals;

use super::error::MigrateError;
use super::findings::KeptFinding;
use super::index::QueryError;
use super::listing::{COLUMNS, Listed, listed};
use super::lookup::UserLookup;
use super::migrate::Migrated;
use super::parked::ParkedTask;
use super::store::{ReadModel, millis};
use crate::repair::Place;
use reminder_contract::names::APP_ID;
use reminder_domain::{TaskId, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

/// How long an answer may take, waiting for others included.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Rows that are counted for one number.
const COUNTED_MAX: i64 = 2_000;
/// Users whose stops are listed.
const STOPS_SHOWN_MAX: i64 = 100;

/// Answers from the read model, over a connection of its own: a console must not hold up the audit. Until
/// [`ConsoleModel::open`] it answers errors.
#[derive(Default)]
pub struct ConsoleModel(OnceLock<Opened>);

struct Opened {
    model: ReadModel,
    table: String,
    incarnation: u32,
}

/// Who sweeps and audits, and how far it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The epoch of the holder, as logs have it.
    pub epoch: String,
    /// Until when it holds the lease unless it says more.
    pub held_until: Timestamp,
    /// Every wake up to here is registered.
    pub swept_until: Timestamp,
    /// Runs of the service that were alive within the last minute.
    pub replicas: i64,
}

/// What the index knows of a task, and why it is parked, if it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its row.
    pub row: Option<Listed>,
    /// Why its state cannot be used.
    pub parked: Option<ParkedTask>,
}

impl ConsoleModel {
    /// Uses the database with this state table that [`super::migrate`] prepared.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn open(
        &self,
        database_url: &str,
        table: &str,
        migrated: &Migrated,
    ) -> Result<(), MigrateError> {
        let model = ReadModel::new(database_url, migrated.schema.clone())?;
        let (table, incarnation) = (table.to_owned(), migrated.incarnation);
        // A second call would say the same.
        let _ = self.0.set(Opened { model, table, incarnation });
        Ok(())
    }

    /// Where tasks are repaired.
    pub(crate) fn place<'a>(&'a self, users: &'a UserLookup) -> Result<Place<'a>, QueryError> {
        let Opened { model, table, incarnation } = self.opened()?;
        Ok(Place { model, table, incarnation: *incarnation, users })
    }

    fn opened(&self) -> Result<&Opened, QueryError> {
        self.0.get().ok_or_else(|| QueryError("is not ready yet".into()))
    }

    /// How much comes from `now` on, in spans of so many seconds, the first of which began at `begin`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load(
        &self,
        begin: Timestamp,
        now: Timestamp,
        seconds: i64,
        buckets: i32,
    ) -> Result<Vec<Bucket>, QueryError> {
        self.ask(async |model| load::load(model, begin, now, seconds, buckets).await).await
    }

    /// How many tasks are overdue, counted up to a bound that the answer never passes by more than one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn overdue(&self, now: Timestamp) -> Result<(i64, i64), QueryError> {
        self.ask(async |model| {
            let sql = "SELECT count(*) FROM (
                           SELECT FROM {schema}.task_index AS idx
                           WHERE idx.app_id = $1 AND idx.next_wake IS NOT NULL
                             AND idx.next_wake < to_timestamp($2::float8 / 1000)
                           ORDER BY idx.next_wake LIMIT $3) AS counted";
            let rows = model.query(sql, &[&APP_ID, &millis(now), &(COUNTED_MAX + 1)]).await?;
            Ok((rows.first().map_or(0, |row| row.get(0)), COUNTED_MAX))
        })
        .await
    }

    /// How many tasks there are: counted while they are few, else as the statistics have it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn totals(&self) -> Result<Totals, QueryError> {
        self.ask(totals::totals).await
    }

    /// Who sweeps and audits; `None`: nobody ever did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn holder(&self) -> Result<Option<Holder>, QueryError> {
        self.ask(async |model| {
            let sql =
                "SELECT holder, (extract(epoch FROM held_until) * 1000)::int8, swept_until_ms,
                              (SELECT count(*) FROM {schema}.task_epoch AS epoch
                               WHERE epoch.app_id = $1 AND seen_at > now() - interval '1 minute')
                       FROM {schema}.task_audit WHERE app_id = $1";
            let rows = model.query(sql, &[&APP_ID]).await?;
            Ok(rows.first().map(|row| Holder {
                epoch: row.get::<_, String>(0).parse().map_or_else(|_| String::new(), epoch_name),
                held_until: Timestamp::from_millis(row.get(1)),
                swept_until: Timestamp::from_millis(row.get(2)),
                replicas: row.get(3),
            }))
        })
        .await
    }

    /// Whose firing is stopped, and why: that of everyone (the empty text) first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stops(&self) -> Result<Vec<(String, String)>, QueryError> {
        self.ask(async |model| {
            let sql = "SELECT user_id, reason FROM {schema}.firing_stop
                       WHERE app_id = $1 ORDER BY user_id LIMIT $2";
            let rows = model.query(sql, &[&APP_ID, &STOPS_SHOWN_MAX]).await?;
            Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
        })
        .await
    }

    /// Dead letters that nobody has replayed or dropped, by topic.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_letters(&self) -> Result<BTreeMap<String, i64>, QueryError> {
        self.ask(async |model| model.open_letters().await).await
    }

    /// A page of the parked tasks, by their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn parked(&self, after: &str, limit: i64) -> Result<Vec<ParkedTask>, QueryError> {
        self.ask(async |model| model.list_parked(after, limit).await).await
    }

    /// What the audit found before the row `before` (`None`: from the last one on), the latest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn findings(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<KeptFinding>, QueryError> {
        self.ask(async |model| model.list_findings(before, limit).await).await
    }

    /// What is known of a task without its actor.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn entry(&self, task: &TaskId) -> Result<Entry, QueryError> {
        self.ask(async |model| {
            let sql = format!(
                "SELECT {COLUMNS} FROM {{schema}}.task_index WHERE app_id = $1 AND task_id = $2"
            );
            let rows = model.query(&sql, &[&APP_ID, &task.as_str()]).await?;
            let row = rows.first().and_then(listed);
            Ok(Entry { row, parked: model.parked_task(task).await? })
        })
        .await
    }

    /// Asks within the deadline.
    async fn ask<'a, T, F>(
        &'a self,
        question: impl FnOnce(&'a ReadModel) -> F,
    ) -> Result<T, QueryError>
    where
        F: Future<Output = Result<T, QueryError>>,
    {
        let answer = tokio::time::timeout(ANSWER_DEADLINE, question(&self.opened()?.model)).await;
        answer.map_err(|_| QueryError("no answer in time".into()))?
    }
}

/// An epoch as logs have it.
pub(crate) fn epoch_name(epoch: u64) -> String {
    format!("{epoch:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn until_it_is_opened_it_says_so() {
        let error = ConsoleModel::default().totals().await.unwrap_err();
        assert_eq!(error.to_string(), "the read model: is not ready yet");
    }
}
