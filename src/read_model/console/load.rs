//! How much comes when: a bounded count for each bar, and the planner's estimate where there is more.

use super::{COUNTED_MAX, QueryError, ReadModel, millis};
use reminder_contract::names::APP_ID;
use reminder_domain::Timestamp;
use serde::Serialize;

/// Milliseconds of a second.
const SECOND_MS: i64 = 1_000;

/// How many tasks fire something next within a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Where the span begins.
    pub from: Timestamp,
    /// How many.
    pub count: i64,
    /// Whether that is an estimate.
    pub estimated: bool,
}

/// Counts from `now` on, in spans of so many seconds, the first of which began at `begin`.
pub(super) async fn load(
    model: &ReadModel,
    begin: Timestamp,
    now: Timestamp,
    seconds: i64,
    buckets: i32,
) -> Result<Vec<Bucket>, QueryError> {
    // The order keeps the planner to the index whatever it expects to find.
    let sql = "SELECT n, (SELECT count(*) FROM (
                   SELECT FROM {schema}.task_index AS idx
                   WHERE idx.app_id = $1 AND idx.next_wake IS NOT NULL
                     AND idx.next_wake >= greatest(to_timestamp($3::float8 / 1000),
                         to_timestamp($2::float8 / 1000 + n * $4::float8))
                     AND idx.next_wake < to_timestamp($2::float8 / 1000 + (n + 1) * $4::float8)
                   ORDER BY idx.next_wake LIMIT $6) AS counted)
               FROM generate_series(0, $5::int4 - 1) AS n ORDER BY n";
    #[expect(clippy::cast_precision_loss, reason = "a span is at most a day")]
    let width = seconds as f64;
    let (first, from) = (millis(begin), millis(now));
    let limit = COUNTED_MAX + 1;
    let rows = model.query(sql, &[&APP_ID, &first, &from, &width, &buckets, &limit]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let offset = i64::from(row.get::<_, i32>(0)) * seconds * SECOND_MS;
        let from = Timestamp::from_millis(begin.as_millis() + offset);
        let to = Timestamp::from_millis(from.as_millis() + seconds * SECOND_MS);
        let count: i64 = row.get(1);
        found.push(if count > COUNTED_MAX {
            let count = estimate(model, from.max(now), to).await?.max(count);
            Bucket { from, count, estimated: true }
        } else {
            Bucket { from, count, estimated: false }
        });
    }
    Ok(found)
}

/// How many tasks the planner expects to wake within a span.
async fn estimate(model: &ReadModel, from: Timestamp, to: Timestamp) -> Result<i64, QueryError> {
    // Not told that the time is there, which a span implies: the planner would take it for a second
    // condition that leaves out as many again.
    let sql = format!(
        "EXPLAIN SELECT FROM {{schema}}.task_index WHERE app_id = '{APP_ID}'
             AND next_wake >= to_timestamp({}::float8 / 1000)
             AND next_wake < to_timestamp({}::float8 / 1000)",
        from.as_millis(),
        to.as_millis()
    );
    let rows = model.query(&sql, &[]).await?;
    Ok(rows.first().and_then(|row| expected_rows(row.get(0))).unwrap_or(0))
}

/// The rows that the first line of a plan tells: `… (cost=0.42..8.44 rows=17 width=0)`.
fn expected_rows(line: &str) -> Option<i64> {
    let (_, rest) = line.rsplit_once("rows=")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_tells_how_many_rows_it_expects() {
        let line = "Index Only Scan using task_index_next_wake on task_index  (cost=0.42..8.44 rows=1234 width=0)";
        assert_eq!(expected_rows(line), Some(1_234));
        assert_eq!(expected_rows("Result"), None);
    }
}
