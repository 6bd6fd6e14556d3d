//! How `task_index` follows the state.

use crate::support::{Database, Value, WAKE_MS, key, refused, upsert, value};
use reminder_scheduler::read_model::FENCED_SQLSTATE;

/// A row of the index as text, its times in milliseconds.
async fn row(database: &Database, task: &str) -> Option<String> {
    let sql = "SELECT concat_ws(' ', app_id, task_id, user_id, status,
                      coalesce((extract(epoch FROM next_wake) * 1000)::int8::text, '-'),
                      pending_epoch, pending_n, version, incarnation,
                      (extract(epoch FROM updated_at) * 1000)::int8, preferences, zone_database)
               FROM task_index WHERE task_id = $1";
    database.client.query_opt(sql, &[&task]).await.unwrap().map(|row| row.get(0))
}

fn expected(status: &str, wake: &str, version: u64) -> String {
    let user = "u@example.org";
    let (e, t) = (u64::MAX, 1_790_000_000_123_i64);
    format!("reminder-scheduler a {user} {status} {wake} {e} 7 {version} 1 {t} 0 2025b")
}

#[tokio::test]
async fn the_index_follows_every_commit() {
    let database = Database::migrated().await;
    let wake = WAKE_MS.to_string();
    for (version, status, at, shown) in [
        (1, "pending", Some(WAKE_MS), wake.as_str()),
        (2, "in_progress", Some(WAKE_MS + 1), "2110000000458"),
        (3, "completed", None, "-"),
        (4, "pending", Some(WAKE_MS), wake.as_str()),
        (5, "deleted", None, "-"),
    ] {
        let value = Value { status, wake: at, ..value(version) };
        upsert(&database.client, &key("a"), &value.bytes()).await.unwrap();
        assert_eq!(row(&database, "a").await, Some(expected(status, shown, version)));
    }
    database.client.execute("DELETE FROM reminder_state", &[]).await.unwrap();
    assert_eq!(row(&database, "a").await, None);
}

#[tokio::test]
async fn a_refused_or_repeated_write_leaves_the_index_alone() {
    let database = Database::migrated().await;
    for version in 1..=2 {
        upsert(&database.client, &key("a"), &value(version).bytes()).await.unwrap();
    }
    let place = "SELECT ctid::text || xmin::text FROM task_index";
    let before: String = database.client.query_one(place, &[]).await.unwrap().get(0);
    let stale = Value { status: "completed", wake: None, ..value(2) };
    refused(&database.client, &key("a"), &stale.bytes(), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &value(2).bytes()).await.unwrap();
    let after: String = database.client.query_one(place, &[]).await.unwrap().get(0);
    assert_eq!(before, after, "not even a new version of the row");
    assert_eq!(row(&database, "a").await, Some(expected("pending", &WAKE_MS.to_string(), 2)));
}

#[tokio::test]
async fn fields_that_are_null_or_not_there_are_null() {
    let database = Database::migrated().await;
    let line = r#"{"s":1,"v":1,"i":1,"u":null,"st":"pending","w":null,"e":null,"n":null,"t":5}"#;
    upsert(&database.client, &key("a"), format!("{line}\n{{}}").as_bytes()).await.unwrap();
    let nulls = "SELECT count(*) FROM task_index WHERE user_id IS NULL AND next_wake IS NULL
                 AND pending_epoch IS NULL AND pending_n IS NULL
                 AND preferences = 0 AND zone_database IS NULL";
    assert_eq!(database.count(nulls).await, 1);
}

#[tokio::test]
async fn a_lost_index_row_comes_back_with_the_next_commit() {
    let database = Database::migrated().await;
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
    database.client.execute("DELETE FROM task_index", &[]).await.unwrap();
    upsert(&database.client, &key("a"), &value(2).bytes()).await.unwrap();
    assert_eq!(row(&database, "a").await, Some(expected("pending", &WAKE_MS.to_string(), 2)));
}

#[tokio::test]
async fn what_is_due_is_found_by_its_index() {
    let database = Database::migrated().await;
    for n in 0..200 {
        let task = format!("t{n}");
        let wake = (n % 10 == 0).then_some(WAKE_MS + n);
        upsert(&database.client, &key(&task), &Value { wake, ..value(1) }.bytes()).await.unwrap();
    }
    database.client.batch_execute("ANALYZE task_index; SET enable_seqscan = off").await.unwrap();
    for (query, index) in [
        (
            "EXPLAIN SELECT task_id FROM task_index WHERE app_id = 'reminder-scheduler'
             AND next_wake <= now() ORDER BY next_wake, task_id LIMIT 10",
            "task_index_next_wake",
        ),
        (
            "EXPLAIN SELECT task_id FROM task_index WHERE app_id = 'reminder-scheduler'
             AND pending_epoch = '1' AND pending_n > 5 ORDER BY pending_n LIMIT 10",
            "task_index_pending",
        ),
    ] {
        let rows = database.client.query(query, &[]).await.unwrap();
        let plan: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
        assert!(plan.contains(index) && !plan.contains("Sort"), "{plan}");
    }
}
