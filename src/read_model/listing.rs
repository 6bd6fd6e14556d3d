//! Pages of tasks, and of what fires next, for callers.
//!
//! Whatever is asked, a page reads a bounded number of rows along an index: one whose filter leaves most of
//! them out is short, and says where to go on.

use super::erasure::ErasureProgress;
use super::error::MigrateError;
use super::index::{QueryError, Waking};
use super::store::{ReadModel, millis};
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use std::sync::OnceLock;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// How long a page may take, waiting for others included.
const PAGE_DEADLINE: Duration = Duration::from_secs(5);

/// Rows that a page of tasks looks at.
const SCANNED_MAX: i64 = 500;

/// Comes after every character that an id may have, in the order of the index.
const AFTER_EVERY_ID: char = '\u{7f}';

/// Answers from `task_index`. Until [`Listing::open`] it answers errors.
#[derive(Default)]
pub struct Listing(OnceLock<ReadModel>);

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The task.
    pub task: String,
    /// Whose it is.
    pub user: Option<String>,
    /// Where it stands.
    pub status: String,
    /// When something of it fires next.
    pub next_wake: Option<Timestamp>,
    /// Whether it is paused, so that nothing does.
    pub paused: bool,
    /// The version it is at.
    pub version: u64,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A page, and the place after which the next one begins; `None` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPage<P> {
    /// The rows.
    pub rows: Vec<Listed>,
    /// Where the next page begins.
    pub next: Option<P>,
}

pub(super) const COLUMNS: &str =
    "task_id, user_id, status, (extract(epoch FROM next_wake) * 1000)::int8,
                       version, (extract(epoch FROM updated_at) * 1000)::int8, paused";

impl Listing {
    /// Uses the database that [`super::migrate`] prepared; `schema` is what it answered.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn open(&self, database_url: &str, schema: String) -> Result<(), MigrateError> {
        // A second call would say the same.
        let _ = self.0.set(ReadModel::new(database_url, schema)?);
        Ok(())
    }

    /// Asks for a user to be erased.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn request_erasure(&self, user: &Person) -> Result<(), QueryError> {
        self.model()?.request_erasure(user).await
    }

    /// How the erasure of a user stands.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn erasure(&self, user: &Person) -> Result<ErasureProgress, QueryError> {
        self.model()?.erasure(user).await
    }

    /// Tasks in the order of their ids: those of one user or of all, that stand at one of these, whose ids
    /// begin so.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tasks(
        &self,
        user: Option<&Person>,
        statuses: &[&str],
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<ListedPage<String>, QueryError> {
        let of_user = if user.is_some() { "user_id = $5" } else { "$5::text IS NULL" };
        let sql = format!(
            "WITH scanned AS MATERIALIZED (
                 SELECT {COLUMNS} FROM {{schema}}.task_index
                 WHERE app_id = $1 AND {of_user} AND task_id > $2 AND task_id >= $7 AND task_id < $8
                 ORDER BY task_id LIMIT $3
             ), seen AS (SELECT count(*) AS rows, max(task_id) AS last FROM scanned)
             SELECT found.*, seen.rows, seen.last FROM seen LEFT JOIN LATERAL (
                 SELECT * FROM scanned WHERE status = ANY($4) ORDER BY task_id LIMIT $6
             ) AS found ON true"
        );
        let (user, more) = (user.map(Person::as_str), one_more(limit));
        let end = format!("{prefix}{AFTER_EVERY_ID}");
        let parameters: [&(dyn ToSql + Sync); 8] =
            [&APP_ID, &after, &SCANNED_MAX, &statuses, &user, &more, &prefix, &end];
        let rows = self.query(&sql, &parameters).await?;
        let Some(first) = rows.first() else {
            return Ok(ListedPage { rows: Vec::new(), next: None });
        };
        let (scanned, last): (i64, Option<String>) = (first.get(7), first.get(8));
        let mut found: Vec<Listed> = rows.iter().filter_map(listed).collect();
        let next = if found.len() > limit {
            found.truncate(limit);
            found.last().map(|last| last.task.clone())
        } else {
            last.filter(|_| scanned == SCANNED_MAX)
        };
        Ok(ListedPage { rows: found, next })
    }

    /// What fires next of each task, of one user or of all, after `after` (exclusive) and before `to`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reminders(
        &self,
        user: Option<&Person>,
        (at, task): (Timestamp, &str),
        to: Timestamp,
        limit: usize,
    ) -> Result<ListedPage<Waking>, QueryError> {
        let of_user = if user.is_some() { "user_id = $5" } else { "$5::text IS NULL" };
        let sql = format!(
            "SELECT {COLUMNS} FROM {{schema}}.task_index
             WHERE app_id = $1 AND {of_user} AND next_wake IS NOT NULL
               AND (next_wake, task_id) > (to_timestamp($2::float8 / 1000), $3)
               AND next_wake < to_timestamp($4::float8 / 1000)
             ORDER BY next_wake, task_id LIMIT $6"
        );
        let (user, more) = (user.map(Person::as_str), one_more(limit));
        let rows =
            self.query(&sql, &[&APP_ID, &millis(at), &task, &millis(to), &user, &more]).await?;
        let mut found: Vec<Listed> = rows.iter().filter_map(listed).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let place = |last: &Listed| {
            let task = reminder_domain::TaskId::parse(last.task.as_str()).ok()?;
            Some(Waking { at: last.next_wake?, task })
        };
        let next = found.last().filter(|_| more).and_then(place);
        Ok(ListedPage { rows: found, next })
    }

    fn model(&self) -> Result<&ReadModel, QueryError> {
        self.0.get().ok_or_else(|| QueryError("is not ready yet".into()))
    }

    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let model = self.model()?;
        let answer = tokio::time::timeout(PAGE_DEADLINE, model.query(sql, parameters)).await;
        answer.map_err(|_| QueryError("no answer in time".into()))?
    }
}

/// One row more than the page has tells whether there is another page.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// A row; none where only the count came.
pub(super) fn listed(row: &Row) -> Option<Listed> {
    Some(Listed {
        task: row.get::<_, Option<String>>(0)?,
        user: row.get(1),
        status: row.get(2),
        next_wake: row.get::<_, Option<i64>>(3).map(Timestamp::from_millis),
        version: u64::try_from(row.get::<_, i64>(4)).unwrap_or(0),
        updated: Timestamp::from_millis(row.get(5)),
        paused: row.get(6),
    })
}
