//! Dead letters as rows: kept once each, listed, claimed for a replay, dropped, forgotten in time.

use super::index::QueryError;
use super::store::{ReadModel, millis};
use crate::dead_letters::Status;
use crate::dead_letters::legible::shortened;
use crate::dead_letters::letter::Letter;
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_postgres::Row;

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

/// Who changes the status of a letter, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub by: String,
    /// Why.
    pub note: Option<String>,
}

impl ReadModel {
    /// Keeps letters, all of them or none, each record once; answers the topics of those that are new.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_letters(&self, letters: &[Letter]) -> Result<Vec<String>, QueryError> {
        let sql = "INSERT INTO {schema}.dead_letter AS letter
                       (app_id, topic, identity, origin_topic, origin_partition, origin_offset,
                        written_at, message_key, headers, value, reason, detail, event_id, event_type,
                        task_id)
                   SELECT $1, topic, identity, origin_topic, origin_partition, origin_offset,
                          to_timestamp(written_ms / 1000), message_key, headers::jsonb, value, reason,
                          detail, event_id, event_type, task_id
                   FROM unnest($2::text[], $3::text[], $4::text[], $5::int4[], $6::int8[],
                               $7::float8[], $8::text[], $9::text[], $10::bytea[], $11::text[],
                               $12::text[], $13::text[], $14::text[], $15::text[])
                        WITH ORDINALITY AS new (topic, identity, origin_topic, origin_partition,
                            origin_offset, written_ms, message_key, headers, value, reason, detail,
                            event_id, event_type, task_id, nth)
                   ORDER BY nth
                   ON CONFLICT (app_id, identity) DO NOTHING RETURNING topic";
        let headers: Vec<String> = letters.iter().map(|letter| json(&letter.headers)).collect();
        let rows = self
            .query(
                sql,
                &[
                    &APP_ID,
                    &column(letters, |letter| letter.topic.as_str()),
                    &column(letters, |letter| letter.identity.as_str()),
                    &column(letters, |letter| letter.origin_topic.as_deref()),
                    &column(letters, |letter| letter.origin_partition),
                    &column(letters, |letter| letter.origin_offset),
                    &column(letters, |letter| letter.written_at.map(millis)),
                    &column(letters, |letter| letter.key.as_deref()),
                    &headers,
                    &column(letters, |letter| letter.value.as_slice()),
                    &column(letters, |letter| letter.reason.as_str()),
                    &column(letters, |letter| letter.detail.as_deref()),
                    &column(letters, |letter| letter.legible.event_id.as_deref()),
                    &column(letters, |letter| letter.legible.event_type.as_deref()),
                    &column(letters, |letter| letter.legible.task.as_deref()),
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

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

    /// The value of a letter.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_value(&self, id: i64) -> Result<Option<Vec<u8>>, QueryError> {
        let sql = "SELECT value FROM {schema}.dead_letter WHERE app_id = $1 AND id = $2";
        let rows = self.query(sql, &[&APP_ID, &id]).await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Takes a letter in hand that has this status, for one attempt to send it again, and answers its
    /// value; `None`: it has another status by now, or another run has it in hand.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_letter(
        &self,
        id: i64,
        status: Status,
        run: &str,
        hold: Duration,
    ) -> Result<Option<Vec<u8>>, QueryError> {
        let sql = "UPDATE {schema}.dead_letter
                   SET attempts = attempts + 1, claimed_by = $4,
                       claimed_until = now() + $5 * interval '1 second'
                   WHERE app_id = $1 AND id = $2 AND status = $3
                     AND (claimed_by = $4 OR claimed_until IS NULL OR claimed_until < now())
                   RETURNING value";
        let rows =
            self.query(sql, &[&APP_ID, &id, &status.as_str(), &run, &hold.as_secs_f64()]).await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Notes that a letter in hand was sent again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_replayed(
        &self,
        id: i64,
        run: &str,
        change: &Change,
    ) -> Result<bool, QueryError> {
        let sql = "UPDATE {schema}.dead_letter
                   SET status = 'replayed', changed_at = now(), changed_by = $4, note = $5,
                       last_error = NULL, claimed_by = NULL, claimed_until = NULL
                   WHERE app_id = $1 AND id = $2 AND claimed_by = $3 RETURNING 1";
        let rows = self.query(sql, &[&APP_ID, &id, &run, &change.by, &change.note]).await?;
        Ok(!rows.is_empty())
    }

    /// Notes that a letter in hand could not be sent again, and lets go of it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn letter_failed(&self, id: i64, run: &str, error: &str) -> Result<(), QueryError> {
        let sql = "UPDATE {schema}.dead_letter
                   SET last_error = $4, claimed_by = NULL, claimed_until = NULL
                   WHERE app_id = $1 AND id = $2 AND claimed_by = $3";
        self.query(sql, &[&APP_ID, &id, &run, &shortened(error)]).await.map(drop)
    }

    /// Drops a letter that has this status; `false`: it has another one by now, or is in somebody's hand.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn drop_letter(
        &self,
        id: i64,
        status: Status,
        change: &Change,
    ) -> Result<bool, QueryError> {
        let sql = "UPDATE {schema}.dead_letter
                   SET status = 'dropped', changed_at = now(), changed_by = $4, note = $5
                   WHERE app_id = $1 AND id = $2 AND status = $3
                     AND (claimed_until IS NULL OR claimed_until < now()) RETURNING 1";
        let (by, note) = (&change.by, &change.note);
        let rows = self.query(sql, &[&APP_ID, &id, &status.as_str(), by, note]).await?;
        Ok(!rows.is_empty())
    }

    /// How many letters are open, by dead-letter topic.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_letters(&self) -> Result<BTreeMap<String, i64>, QueryError> {
        let sql = "SELECT topic, count(*) FROM {schema}.dead_letter
                   WHERE app_id = $1 AND status = 'open' GROUP BY topic";
        let rows = self.query(sql, &[&APP_ID]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Forgets letters that came longer ago than that, a bounded number; answers how many went, and how
    /// many of them were open.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_letters(
        &self,
        older_than: Duration,
        limit: i64,
    ) -> Result<(usize, usize), QueryError> {
        // Those that another replica forgets at the same time are left to it.
        let sql = "DELETE FROM {schema}.dead_letter
                   WHERE app_id = $1 AND id IN (
                       SELECT id FROM {schema}.dead_letter
                       WHERE app_id = $1 AND received_at < now() - $2 * interval '1 second'
                         AND (claimed_until IS NULL OR claimed_until < now())
                       ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                   RETURNING status = 'open'";
        let rows = self.query(sql, &[&APP_ID, &older_than.as_secs_f64(), &limit]).await?;
        let open = rows.iter().filter(|row| row.get(0)).count();
        Ok((rows.len(), open))
    }

    /// A query about the letters that are meant; parameters of its own begin at `$11`.
    async fn query_meant(
        &self,
        sql: &str,
        filter: &LetterFilter,
        more: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        let ids = (!filter.ids.is_empty()).then_some(&filter.ids);
        let topics = (!filter.topics.is_empty()).then_some(&filter.topics);
        let cut = |text: &Option<String>| text.as_deref().map(shortened);
        let (reason, task) = (cut(&filter.reason), cut(&filter.task));
        let (event_id, event_type) = (cut(&filter.event_id), cut(&filter.event_type));
        let (since, until) = (filter.since.map(millis), filter.until.map(millis));
        let status = filter.status.map(Status::as_str);
        let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
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

fn column<'a, T>(letters: &'a [Letter], of: impl Fn(&'a Letter) -> T) -> Vec<T> {
    letters.iter().map(of).collect()
}

fn json(headers: &BTreeMap<String, String>) -> String {
    // A map of texts has nothing that JSON could not hold.
    serde_json::to_string(headers).unwrap_or_else(|_| "{}".to_owned())
}
