//! Dead letters as rows: kept once each, listed, claimed for a replay, dropped, forgotten in time.

mod found;
mod naming;

pub use found::{KeptLetter, LetterFilter};

use super::index::QueryError;
use super::store::{ReadModel, millis};
use crate::dead_letters::Status;
use crate::dead_letters::legible::shortened;
use crate::dead_letters::letter::Letter;
use reminder_contract::names::APP_ID;
use std::collections::BTreeMap;
use std::time::Duration;

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
        // Those that another replica forgets at the same time are left to it. As a mere subquery the
        // planner may ask for the oldest ones again and again, each time for others.
        let sql = "WITH oldest AS MATERIALIZED (
                       SELECT id FROM {schema}.dead_letter
                       WHERE app_id = $1 AND received_at < now() - $2 * interval '1 second'
                         AND (claimed_until IS NULL OR claimed_until < now())
                       ORDER BY received_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                   DELETE FROM {schema}.dead_letter AS letter USING oldest
                   WHERE letter.app_id = $1 AND letter.id = oldest.id
                   RETURNING letter.status = 'open'";
        let rows = self.query(sql, &[&APP_ID, &older_than.as_secs_f64(), &limit]).await?;
        let open = rows.iter().filter(|row| row.get(0)).count();
        Ok((rows.len(), open))
    }
}

fn column<'a, T>(letters: &'a [Letter], of: impl Fn(&'a Letter) -> T) -> Vec<T> {
    letters.iter().map(of).collect()
}

fn json(headers: &BTreeMap<String, String>) -> String {
    // A map of texts has nothing that JSON could not hold.
    serde_json::to_string(headers).unwrap_or_else(|_| "{}".to_owned())
}
