//! What the console asks: exact while there is little, an honest estimate where there is much.

use crate::support::{Database, TABLE};
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{
    ConsoleModel, FINDINGS_KEPT, Finding, FindingKind, ReadModel, TaskIndex,
};
use std::time::{SystemTime, UNIX_EPOCH};

const HOUR_MS: i64 = 3_600_000;

async fn console(database: &Database) -> ConsoleModel {
    let migrated = database.migrate().await.unwrap();
    let console = ConsoleModel::default();
    console.open(&database.url, TABLE, &migrated).unwrap();
    console
}

/// This hour's beginning.
fn hour() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let now = i64::try_from(now).unwrap();
    Timestamp::from_millis(now - now % HOUR_MS)
}

/// Tasks that wake so many seconds after a moment, past the trigger.
async fn tasks(database: &Database, prefix: &str, count: i64, at: Timestamp, status: &str) {
    let sql = format!(
        "INSERT INTO task_index (app_id, task_id, status, next_wake, version, incarnation, updated_at)
         SELECT 'reminder-scheduler', '{prefix}' || n, '{status}',
                CASE WHEN '{status}' = 'pending' THEN to_timestamp({} / 1000.0) END, 1, 1, now()
         FROM generate_series(1, {count}) AS n",
        at.as_millis()
    );
    database.client.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn the_load_counts_each_bar_and_leaves_out_what_is_past() {
    let database = Database::migrated().await;
    let (console, begin) = (console(&database).await, hour());
    let at = |minutes: i64| Timestamp::from_millis(begin.as_millis() + minutes * 60_000);
    tasks(&database, "past", 3, at(5), "pending").await;
    tasks(&database, "this", 2, at(50), "pending").await;
    tasks(&database, "edge", 4, at(60), "pending").await;
    tasks(&database, "done", 9, at(50), "completed").await;
    let bars = console.load(begin, at(30), 3_600, 24).await.unwrap();
    let counts: Vec<i64> = bars.iter().map(|bar| bar.count).collect();
    assert_eq!(counts[..3], [2, 4, 0]);
    assert_eq!((bars.len(), bars[1].from), (24, at(60)));
    assert!(bars.iter().all(|bar| !bar.estimated));
    assert_eq!(console.overdue(at(30)).await.unwrap().0, 3);
    let totals = console.totals().await.unwrap();
    assert!(!totals.estimated);
    assert_eq!((totals.by_status["pending"], totals.by_status["completed"]), (9, 9));
}

#[tokio::test]
async fn a_herd_is_estimated_and_said_to_be() {
    let database = Database::migrated().await;
    let (console, begin) = (console(&database).await, hour());
    tasks(&database, "done", 15_000, begin, "completed").await;
    tasks(
        &database,
        "herd",
        5_000,
        Timestamp::from_millis(begin.as_millis() + 2 * HOUR_MS),
        "pending",
    )
    .await;
    database.client.batch_execute("ANALYZE task_index").await.unwrap();
    let bars = console.load(begin, begin, 3_600, 24).await.unwrap();
    assert!(bars[2].estimated && (4_000..6_000).contains(&bars[2].count), "{:?}", bars[2]);
    assert!(!bars[1].estimated);
    let totals = console.totals().await.unwrap();
    let pending = totals.by_status["pending"];
    assert!(totals.estimated && (4_000..6_000).contains(&pending), "{totals:?}");
}

#[tokio::test]
async fn a_parked_task_is_told_with_its_row_until_a_commit_unparks_it() {
    let database = Database::migrated().await;
    let console = console(&database).await;
    tasks(&database, "t", 1, hour(), "pending").await;
    let park = "INSERT INTO task_parked (app_id, task_id, version, reason, detail)
                VALUES ('reminder-scheduler', 't1', 1, 'damaged', 'why')";
    database.client.batch_execute(park).await.unwrap();
    let task = TaskId::parse("t1").unwrap();
    let entry = console.entry(&task).await.unwrap();
    assert_eq!(entry.row.unwrap().version, 1);
    assert_eq!(entry.parked.unwrap().detail, "why");
    assert_eq!(console.parked("", 10).await.unwrap().len(), 1);
    assert!(console.parked("t1", 10).await.unwrap().is_empty());
    database.client.batch_execute("UPDATE task_index SET version = 2").await.unwrap();
    assert_eq!(console.entry(&task).await.unwrap().parked, None);
    assert!(console.parked("", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_audit_found_is_told_the_latest_first_and_does_not_grow_for_ever() {
    let database = Database::migrated().await;
    let console = console(&database).await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    let of =
        |kind, n: usize| Finding { kind, task: TaskId::parse(format!("t-{n}")).ok(), tasks: 1 };
    assert!(console.findings(None, 10).await.unwrap().is_empty());
    let several = Finding { kind: FindingKind::Settled, task: None, tasks: 900 };
    let lost = Finding { kind: FindingKind::SchedulerLost, task: None, tasks: 0 };
    model.note_findings(&[of(FindingKind::Parked, 1), several, lost]).await.unwrap();
    let told = console.findings(None, 10).await.unwrap();
    let words: Vec<_> =
        told.iter().map(|one| (one.kind.as_str(), one.task_id.as_deref(), one.tasks)).collect();
    let expected =
        [("scheduler_lost", None, 0), ("settled", None, 900), ("parked", Some("t-1"), 1)];
    assert_eq!(words, expected);
    let page = console.findings(Some(told[1].id), 10).await.unwrap();
    assert_eq!(page, told[2..], "a page begins after the one before");

    let age = "UPDATE audit_finding SET found_at = now() - interval '31 days'";
    database.client.batch_execute(age).await.unwrap();
    let most = usize::try_from(FINDINGS_KEPT).unwrap();
    let many: Vec<Finding> = (0..most).map(|n| of(FindingKind::Settled, n)).collect();
    model.note_findings(&many).await.unwrap();
    let kept = "SELECT count(*) FROM audit_finding";
    assert_eq!(database.count(kept).await, FINDINGS_KEPT, "the old ones are gone");
    model.note_findings(&[of(FindingKind::Unparked, 7)]).await.unwrap();
    assert_eq!(database.count(kept).await, FINDINGS_KEPT, "and so is the earliest one");
    let first = "SELECT count(*) FROM audit_finding WHERE task_id = 't-0'";
    assert_eq!(database.count(first).await, 0);
}
