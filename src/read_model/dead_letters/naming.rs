//! Letters that name a user go with the user.

use crate::dead_letters::naming::{detail_names, headers_name, value_names};
use crate::erasure::settings::{LETTERS_BYTES, LETTERS_PAGE};
use crate::read_model::index::QueryError;
use crate::read_model::store::ReadModel;
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Person;
use tokio_postgres::Row;

impl ReadModel {
    /// Forgets dead letters that name a user, page by page; tells whether there were any.
    pub(in crate::read_model) async fn forget_letters_of(
        &self,
        user: &Person,
    ) -> Result<bool, QueryError> {
        // A value that has neither the id as it is nor a backslash cannot spell it, so it stays where it is.
        let sql = "WITH looked AS MATERIALIZED (
                       SELECT id, octet_length(value) AS size FROM {schema}.dead_letter
                       WHERE app_id = $1 AND id > $3 ORDER BY id LIMIT $4
                   ), page AS (
                       SELECT id, sum(size) OVER (ORDER BY id) - size AS bytes_before FROM looked
                   )
                   SELECT letter.id, letter.message_key, letter.headers::text, letter.detail,
                          CASE WHEN position(convert_to($2, 'UTF8') IN letter.value) > 0
                                 OR position('\\x5c'::bytea IN letter.value) > 0
                               THEN letter.value END
                   FROM page JOIN {schema}.dead_letter AS letter
                       ON letter.app_id = $1 AND letter.id = page.id
                   WHERE page.bytes_before < $5 ORDER BY letter.id";
        let forget = "DELETE FROM {schema}.dead_letter
                      WHERE app_id = $1 AND id = ANY ($2) RETURNING 1";
        let (mut after, mut found) = (0_i64, false);
        loop {
            let id = user.as_str();
            let rows =
                self.query(sql, &[&APP_ID, &id, &after, &LETTERS_PAGE, &LETTERS_BYTES]).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after = last.get(0);
            let named = rows.iter().filter(|row| names(row, user));
            let named: Vec<i64> = named.map(|row| row.get(0)).collect();
            if !named.is_empty() {
                found = true;
                let gone = self.query(forget, &[&APP_ID, &named]).await?.len();
                tracing::info!(letters = gone, "dead letters that name an erased user are gone");
            }
        }
    }
}

/// Whether a letter names a user: by its key, its headers, why it lies there, or its value.
fn names(row: &Row, user: &Person) -> bool {
    let (key, headers): (Option<&str>, &str) = (row.get(1), row.get(2));
    let (detail, value): (Option<&str>, Option<&[u8]>) = (row.get(3), row.get(4));
    key == Some(user.as_str())
        || serde_json::from_str(headers).is_ok_and(|headers| headers_name(&headers, user))
        || detail.is_some_and(|detail| detail_names(detail, user))
        || value.is_some_and(|value| value_names(value, user))
}
