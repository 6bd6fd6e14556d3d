//! What the audit found and mended: a bounded list, for operators who look at more than the last round.

use super::index::QueryError;
use super::store::ReadModel;
use reminder_contract::names::APP_ID;
use reminder_domain::{TaskId, Timestamp};
use serde::Serialize;

/// Rows that are kept; of more, the oldest go.
pub const FINDINGS_KEPT: i64 = 2_000;
/// How long a row is kept, in days.
const FINDINGS_KEPT_FOR_DAYS: i32 = 30;

/// Declares the kinds with their words, which are those of the metric.
macro_rules! finding_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// What was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FindingKind {
            $($(#[$doc])* $name,)*
        }

        impl FindingKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word, in the table and in the metric.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

finding_kinds! {
    /// It was overdue, and was fired.
    Settled = "settled";
    /// A dead process had left events of it, which were published.
    Republished = "republished";
    /// Its state cannot be used.
    Parked = "parked";
    /// Its state can be used again.
    Unparked = "unparked";
    /// Dapr's scheduler had lost its data; what is near was registered again.
    SchedulerLost = "scheduler_lost";
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Of which task; `None`: of several that are not named, or of none in particular.
    pub task: Option<TaskId>,
    /// Of how many tasks.
    pub tasks: u64,
}

/// Something that was found, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptFinding {
    /// Its place in the list; later ones are higher.
    pub id: i64,
    /// When.
    pub found_at: Timestamp,
    /// What, in the words of the metric.
    pub kind: String,
    /// Of which task.
    pub task_id: Option<String>,
    /// Of how many tasks.
    pub tasks: i64,
}

impl ReadModel {
    /// Adds what was found, and drops what is old or too many.
    pub(super) async fn add_findings(&self, found: &[Finding]) -> Result<(), QueryError> {
        let kinds: Vec<&str> = found.iter().map(|one| one.kind.as_str()).collect();
        let tasks: Vec<Option<&str>> =
            found.iter().map(|one| one.task.as_ref().map(TaskId::as_str)).collect();
        let counts: Vec<i64> =
            found.iter().map(|one| i64::try_from(one.tasks).unwrap_or(i64::MAX)).collect();
        let add = "INSERT INTO {schema}.audit_finding (app_id, kind, task_id, tasks)
                   SELECT $1, item.kind, item.task_id, item.tasks
                   FROM unnest($2::text[], $3::text[], $4::int8[])
                       WITH ORDINALITY AS item (kind, task_id, tasks, n) ORDER BY item.n";
        self.query(add, &[&APP_ID, &kinds, &tasks, &counts]).await?;
        let drop = "DELETE FROM {schema}.audit_finding
                    WHERE app_id = $1 AND (found_at < now() - make_interval(days => $2) OR id <= (
                        SELECT id FROM {schema}.audit_finding
                        WHERE app_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $3))";
        self.query(drop, &[&APP_ID, &FINDINGS_KEPT_FOR_DAYS, &FINDINGS_KEPT]).await?;
        Ok(())
    }

    /// What was found before the row `before` (`None`: from the last one on), the latest first.
    pub(super) async fn list_findings(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<KeptFinding>, QueryError> {
        let sql = "SELECT id, (extract(epoch FROM found_at) * 1000)::int8, kind, task_id, tasks
                   FROM {schema}.audit_finding
                   WHERE app_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let rows = self.query(sql, &[&APP_ID, &before.unwrap_or(i64::MAX), &limit]).await?;
        let kept = |row: &tokio_postgres::Row| KeptFinding {
            id: row.get(0),
            found_at: Timestamp::from_millis(row.get(1)),
            kind: row.get(2),
            task_id: row.get(3),
            tasks: row.get(4),
        };
        Ok(rows.iter().map(kept).collect())
    }
}
