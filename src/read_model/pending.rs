//! How much waits, and until when: for people who plan, never for a decision.

use super::index::QueryError;
use super::store::{ReadModel, millis};
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use std::time::Duration;

/// How long the count may take. Well below the lease of the audit, which is kept over the same connection.
const COUNT_DEADLINE: Duration = Duration::from_secs(3);

impl ReadModel {
    /// The counts of [`count_pending`](super::TaskIndex::count_pending): one walk along the index, from
    /// the nearest on.
    pub(super) async fn pending_by_time(
        &self,
        until: &[Timestamp],
        limit: i64,
    ) -> Result<Vec<i64>, QueryError> {
        // A bucket begins with its bound, and a time belongs to those before: hence the millisecond.
        let sql = "SELECT width_bucket(near.next_wake, (SELECT ARRAY(
                       SELECT to_timestamp(bound / 1000) FROM unnest($2::float8[]) AS bound))) AS bucket,
                       count(*)
                   FROM (SELECT next_wake FROM {schema}.task_index
                         WHERE app_id = $1 AND next_wake IS NOT NULL
                         ORDER BY next_wake, task_id LIMIT $3) AS near
                   GROUP BY bucket";
        let bounds: Vec<f64> = until.iter().map(|time| millis(time.saturating_add_ms(1))).collect();
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&APP_ID, &bounds, &limit];
        let rows = self.query_within(COUNT_DEADLINE, sql, &parameters).await?;
        let mut counts = vec![0; until.len() + 1];
        for row in rows {
            let bucket = usize::try_from(row.get::<_, i32>(0)).unwrap_or(0);
            if let Some(count) = counts.get_mut(bucket) {
                *count = row.get(1);
            }
        }
        Ok(counts)
    }
}
