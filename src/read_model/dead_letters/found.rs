//! Which letters are meant, and what is told of them.

use super::{Status, shortened};
use crate::read_model::index::QueryError;
use crate::read_model::store::{ReadModel, millis};
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// A time as it is told: RFC 3339 with milliseconds.
const TIME: &str = r#"'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'"#;

/// Which letters are meant; what is `None` or empty leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// These alone.
    pub ids: Vec<i64>,
    /// On these dead-letter topics.
    pub topics: Vec<String>,
    /// With this reason.
    pub reason: Option<String>,
    /// About this task.
    pub task: Option<String>,
    /// Of the event with this id.
    pub event_id: Option<String>,
    /// Of events of this type.
    pub event_type: Option<String>,
    /// That came at this time or later.
    pub since: Option<Timestamp>,
    /// That came before this time.
    pub until: Option<Timestamp>,
    /// About which this was done.
    pub status: Option<Status>,
}

/// A letter as it is kept, without its value; times as they are told.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptLetter {
    /// What it is called by.
    pub id: i64,
    /// The dead-letter topic.
    pub topic: String,
    /// What was done about it.
    pub status: String,
    /// Why it lies here, in a word.
    pub reason: String,
    /// The same in words.
    pub detail: Option<String>,
    /// The id of the event.
    pub event_id: Option<String>,
    /// The type of the event.
    pub event_type: Option<String>,
    /// The task.
    pub task: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// Where the record lay that could not be handled: topic, partition, offset.
    pub origin: (Option<String>, Option<i32>, Option<i64>),
    /// When it was written.
    pub written_at: Option<String>,
    /// When it came here.
    pub received_at: String,
    /// How many bytes its value has.
    pub size: i64,
    /// How often it was about to be sent again.
    pub attempts: i32,
    /// What the last failure of that said.
    pub last_error: Option<String>,
    /// When its status was changed.
    pub changed_at: Option<String>,
    /// By whom.
    pub changed_by: Option<String>,
    /// And why.
    pub note: Option<String>,
    /// The headers.
    pub headers: BTreeMap<String, String>,
}

impl ReadModel {
    /// A page of letters, in the order in which they came.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_letters(
        &self,
        filter: &LetterFilter,
        after: i64,
        limit: i64,
    ) -> Result<Vec<KeptLetter>, QueryError> {
        let time = |column: &str| format!("to_char({column} AT TIME ZONE 'UTC', {TIME})");
        let sql = format!(
            "SELECT id, topic, status, reason, detail, event_id, event_type, task_id, message_key,
                    origin_topic, origin_partition, origin_offset, {}, {}, octet_length(value)::int8,
                    attempts, last_error, {}, changed_by, note, headers::text
             FROM {{schema}}.dead_letter WHERE {MEANT} AND id > $11 ORDER BY id LIMIT $12",
            time("written_at"),
            time("received_at"),
            time("changed_at"),
        );
        let rows = self.query_meant(&sql, filter, &[&after, &limit]).await?;
        Ok(rows.iter().map(kept).collect())
    }

    /// How many letters are meant.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_letters(&self, filter: &LetterFilter) -> Result<u64, QueryError> {
        let sql = format!("SELECT count(*) FROM {{schema}}.dead_letter WHERE {MEANT}");
        let rows = self.query_meant(&sql, filter, &[]).await?;
        let count = rows.first().map_or(0, |row| row.get::<_, i64>(0));
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// A query about the letters that are meant; parameters of its own begin at `$11`.
    async fn query_meant(
        &self,
        sql: &str,
        filter: &LetterFilter,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let ids = (!filter.ids.is_empty()).then_some(&filter.ids);
        let topics = (!filter.topics.is_empty()).then_some(&filter.topics);
        let cut = |text: &Option<String>| text.as_deref().map(shortened);
        let (reason, task) = (cut(&filter.reason), cut(&filter.task));
        let (event_id, event_type) = (cut(&filter.event_id), cut(&filter.event_type));
        let (since, until) = (filter.since.map(millis), filter.until.map(millis));
        let status = filter.status.map(Status::as_str);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &APP_ID,
            &ids,
            &topics,
            &reason,
            &task,
            &event_id,
            &event_type,
            &since,
            &until,
            &status,
        ];
        parameters.extend(more);
        self.query(sql, &parameters).await
    }
}

/// The condition of [`LetterFilter`].
const MEANT: &str = "app_id = $1
    AND ($2::int8[] IS NULL OR id = ANY ($2)) AND ($3::text[] IS NULL OR topic = ANY ($3))
    AND ($4::text IS NULL OR reason = $4) AND ($5::text IS NULL OR task_id = $5)
    AND ($6::text IS NULL OR event_id = $6) AND ($7::text IS NULL OR event_type = $7)
    AND ($8::float8 IS NULL OR received_at >= to_timestamp($8 / 1000))
    AND ($9::float8 IS NULL OR received_at < to_timestamp($9 / 1000))
    AND ($10::text IS NULL OR status = $10)";

fn kept(row: &Row) -> KeptLetter {
    let headers: Value = serde_json::from_str(row.get(20)).unwrap_or_default();
    KeptLetter {
        id: row.get(0),
        topic: row.get(1),
        status: row.get(2),
        reason: row.get(3),
        detail: row.get(4),
        event_id: row.get(5),
        event_type: row.get(6),
        task: row.get(7),
        key: row.get(8),
        origin: (row.get(9), row.get(10), row.get(11)),
        written_at: row.get(12),
        received_at: row.get(13),
        size: row.get(14),
        attempts: row.get(15),
        last_error: row.get(16),
        changed_at: row.get(17),
        changed_by: row.get(18),
        note: row.get(19),
        headers: serde_json::from_value(headers).unwrap_or_default(),
    }
}
