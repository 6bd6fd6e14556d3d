//! How many tasks there are: counted while they are few, else as the statistics of Postgres have it.

use super::{QueryError, ReadModel};
use reminder_contract::names::APP_ID;
use serde::Serialize;
use std::collections::BTreeMap;

/// Tasks that are counted; beyond them it is estimated.
const COUNTED_MAX: i64 = 10_000;

/// How many tasks there are, by their status.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Whether these are estimates, by the statistics that Postgres keeps.
    pub estimated: bool,
    /// By status; empty while nothing is known.
    pub by_status: BTreeMap<String, i64>,
}

/// Counts or estimates.
pub(super) async fn totals(model: &ReadModel) -> Result<Totals, QueryError> {
    let sql = "SELECT class.reltuples::float8, stats.most_common_vals::text::text[],
                      stats.most_common_freqs
               FROM pg_catalog.pg_class AS class
               JOIN pg_catalog.pg_namespace AS place ON place.oid = class.relnamespace
               LEFT JOIN pg_catalog.pg_stats AS stats
                   ON stats.schemaname = place.nspname AND stats.tablename = class.relname
                  AND stats.attname = 'status'
               WHERE class.oid = '{schema}.task_index'::regclass";
    let rows = model.query(sql, &[]).await?;
    let known = rows.first().map(|row| {
        let words: Option<Vec<String>> = row.get(1);
        let shares: Option<Vec<f32>> = row.get(2);
        let shares = words.unwrap_or_default().into_iter().zip(shares.unwrap_or_default());
        (row.get::<_, f64>(0), shares.collect::<Vec<_>>())
    });
    let (rows, shares) = known.unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let few = rows <= COUNTED_MAX as f64;
    if few && let Some(counted) = count_all(model).await? {
        return Ok(counted);
    }
    Ok(Totals { estimated: true, by_status: estimated(rows, &shares) })
}

/// Counts all tasks by their status; `None`: there are too many for that.
async fn count_all(model: &ReadModel) -> Result<Option<Totals>, QueryError> {
    let sql = "SELECT status, count(*) FROM (
                   SELECT status FROM {schema}.task_index WHERE app_id = $1
                   ORDER BY task_id LIMIT $2) AS counted GROUP BY status";
    let rows = model.query(sql, &[&APP_ID, &(COUNTED_MAX + 1)]).await?;
    let by_status: BTreeMap<String, i64> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let few = by_status.values().sum::<i64>() <= COUNTED_MAX;
    Ok(few.then_some(Totals { estimated: false, by_status }))
}

/// Shares of so many rows.
fn estimated(rows: f64, shares: &[(String, f32)]) -> BTreeMap<String, i64> {
    #[expect(clippy::cast_possible_truncation, reason = "no table has so many rows")]
    let of = |share: f32| (rows.max(0.0) * f64::from(share)).round() as i64;
    shares.iter().map(|(status, share)| (status.clone(), of(*share))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_rows_and_an_unknown_size_is_none() {
        let shares = [("completed".to_owned(), 0.65), ("pending".to_owned(), 0.25)];
        assert_eq!(estimated(1_000_000.0, &shares)["pending"], 250_000);
        assert_eq!(estimated(-1.0, &shares)["completed"], 0);
    }
}
