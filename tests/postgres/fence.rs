//! Which writes the fence accepts, and which it refuses.

use crate::support::{Database, Value, eventually, key, refused, unique, upsert, value};
use reminder_scheduler::read_model::{FENCED_SQLSTATE, UNREADABLE_SQLSTATE};

async fn stored_version(database: &Database, key: &str) -> i64 {
    let sql = "SELECT (convert_from(value, 'UTF8')::text LIKE '{\"s\":1,%')::int::int8
                    * substring(convert_from(value, 'UTF8') FROM '\"v\":([0-9]+)')::int8
               FROM reminder_state WHERE key = $1";
    database.client.query_one(sql, &[&key]).await.unwrap().get(0)
}

#[tokio::test]
async fn versions_follow_one_another() {
    let database = Database::migrated().await;
    for version in 1..=5 {
        upsert(&database.client, &key("a"), &value(version).bytes()).await.unwrap();
    }
    assert_eq!(stored_version(&database, &key("a")).await, 5);
}

#[tokio::test]
async fn a_stale_writer_is_refused() {
    let database = Database::migrated().await;
    for version in 1..=3 {
        upsert(&database.client, &key("a"), &value(version).bytes()).await.unwrap();
    }
    // Another replica decided on version 2 and offers its own version 3; others are older still,
    // or come from a state that was never stored.
    let late = Value { wake: None, ..value(3) };
    let message = refused(&database.client, &key("a"), &late.bytes(), FENCED_SQLSTATE).await;
    assert!(message.contains("task a is at version 3"), "{message}");
    assert!(message.contains("version 3 of incarnation 1 is refused"), "{message}");
    for version in [1, 2, 5, 40] {
        let offered = Value { wake: None, ..value(version) };
        refused(&database.client, &key("a"), &offered.bytes(), FENCED_SQLSTATE).await;
    }
    assert_eq!(stored_version(&database, &key("a")).await, 3);
}

#[tokio::test]
async fn the_same_bytes_again_are_accepted() {
    let database = Database::migrated().await;
    for version in [1, 1, 2, 2, 2] {
        upsert(&database.client, &key("a"), &value(version).bytes()).await.unwrap();
    }
    refused(&database.client, &key("a"), &value(1).bytes(), FENCED_SQLSTATE).await;
}

#[tokio::test]
async fn an_absent_row_begins_at_version_one() {
    let database = Database::migrated().await;
    let message = refused(&database.client, &key("a"), &value(2).bytes(), FENCED_SQLSTATE).await;
    assert!(message.contains("task a is not stored"), "{message}");
    // A row that was purged is absent too: what was on its way for it must not bring it back.
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();
    database.client.execute("DELETE FROM reminder_state", &[]).await.unwrap();
    refused(&database.client, &key("a"), &value(2).bytes(), FENCED_SQLSTATE).await;
}

#[tokio::test]
async fn a_delayed_statement_is_judged_by_what_it_meets() {
    let database = Database::migrated().await;
    upsert(&database.client, &key("a"), &value(1).bytes()).await.unwrap();

    // The statement that will be first holds the row; the delayed one queues behind it, having
    // been sent when version 1 was stored.
    let mut first = database.connect().await;
    let transaction = first.transaction().await.unwrap();
    let statement = "UPDATE reminder_state SET value = $2 WHERE key = $1";
    transaction.execute(statement, &[&key("a"), &value(2).bytes()]).await.unwrap();
    let delayed = database.connect().await;
    let delayed = tokio::spawn(async move {
        let offered = Value { wake: None, ..value(2) };
        upsert(&delayed, &key("a"), &offered.bytes()).await
    });
    let blocked = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the delayed statement queues", async || database.count(blocked).await == 1).await;
    transaction.commit().await.unwrap();

    let (code, message) = delayed.await.unwrap().expect_err("the late one must lose");
    assert_eq!(code, FENCED_SQLSTATE, "{message}");
    let wakes = "SELECT count(*) FROM task_index WHERE version = 2 AND next_wake IS NOT NULL";
    assert_eq!(database.count(wakes).await, 1, "the index must tell of the winner");
}

#[tokio::test]
async fn of_concurrent_first_writes_exactly_one_wins() {
    const WRITERS: i64 = 8;
    let database = Database::migrated().await;
    for task in ["a", "b", "c"] {
        let mut writers = Vec::new();
        for writer in 0..WRITERS {
            let client = database.connect().await;
            writers.push(tokio::spawn(async move {
                let offered = Value { wake: Some(1_000 + writer), ..value(1) };
                upsert(&client, &key(task), &offered.bytes()).await
            }));
        }
        let mut won = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(()) => won += 1,
                Err((code, message)) => assert_eq!(code, FENCED_SQLSTATE, "{message}"),
            }
        }
        assert_eq!(won, 1, "task {task}");
    }
}

#[tokio::test]
async fn an_incarnation_is_never_lowered() {
    let database = Database::migrated().await;
    let at = |version, incarnation| Value { incarnation, ..value(version) }.bytes();
    upsert(&database.client, &key("a"), &at(1, 1)).await.unwrap();
    refused(&database.client, &key("a"), &at(1, 2), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &at(2, 2)).await.unwrap();
    refused(&database.client, &key("a"), &at(3, 1), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &at(3, 2)).await.unwrap();
}

#[tokio::test]
async fn a_value_without_an_index_line_is_refused() {
    let database = Database::migrated().await;
    upsert(&database.client, &key("b"), &value(1).bytes()).await.unwrap();
    let long = format!(r#"{{"s":1,"v":2,"i":1,"st":"pending","t":1,"u":"{}"}}"#, "x".repeat(2048));
    let lines: [&[u8]; 13] = [
        b"",
        b"\n",
        b"{}\n{}",
        b"[]\n{}",
        b"null\n{}",
        b"{\"title\":\"a document and nothing else\"}",
        b"{\"s\":1,\"v\":2,\"i\":1,\"st\":\"pending\",\"t\":1}",
        b"{\"s\":0,\"v\":2,\"i\":1,\"st\":\"pending\",\"t\":1}\n{}",
        b"{\"s\":\"next\",\"v\":2,\"i\":1,\"st\":\"pending\",\"t\":1}\n{}",
        b"{\"s\":1,\"v\":\"two\",\"i\":1,\"st\":\"pending\",\"t\":1}\n{}",
        b"{\"s\":1,\"v\":2,\"i\":1,\"st\":\"finished\",\"t\":1}\n{}",
        b"\xff\xfe\n{}",
        b"{\"s\":1,\"v\":99999999999999999999,\"i\":1,\"st\":\"pending\",\"t\":1}\n{}",
    ];
    for line in lines.into_iter().chain([format!("{long}\n{{}}").as_bytes()]) {
        for task in ["a", "b"] {
            let message = refused(&database.client, &key(task), line, UNREADABLE_SQLSTATE).await;
            assert!(message.contains(&format!("task {task} does not begin")), "{message}");
        }
    }
    assert_eq!(stored_version(&database, &key("b")).await, 1);
}

#[tokio::test]
async fn a_damaged_row_is_overwritten_only_by_a_repair() {
    let database = Database::migrated().await;
    for version in 1..=3 {
        upsert(&database.client, &key("a"), &value(version).bytes()).await.unwrap();
    }
    // Only a write past the triggers can damage a row.
    let damage = "SET session_replication_role = replica;
                  UPDATE reminder_state SET value = 'damaged';
                  SET session_replication_role = origin";
    database.client.batch_execute(damage).await.unwrap();
    let at = |version, incarnation| Value { incarnation, ..value(version) }.bytes();
    let message = refused(&database.client, &key("a"), &at(4, 1), UNREADABLE_SQLSTATE).await;
    assert!(message.contains("only a repair"), "{message}");
    refused(&database.client, &key("a"), &at(3, 2), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &at(4, 2)).await.unwrap();
    upsert(&database.client, &key("a"), &at(5, 2)).await.unwrap();
}

#[tokio::test]
async fn rows_of_others_pass_unseen() {
    let database = Database::migrated().await;
    for other in [
        "reminder-scheduler||TaskActor||a||notes",
        "reminder-scheduler||OtherActor||a||task",
        "reminder-scheduler||watermark",
        "task",
    ] {
        for bytes in [&b"1"[..], b"2", b"1"] {
            upsert(&database.client, other, bytes).await.unwrap();
        }
    }
    assert_eq!(database.count("SELECT count(*) FROM task_index").await, 0);
    database.client.execute("DELETE FROM reminder_state", &[]).await.unwrap();
}

#[tokio::test]
async fn the_size_of_the_document_does_not_matter() {
    let database = Database::migrated().await;
    // Neither a newline in the document nor its compression may confuse the fence.
    let text: String = (0..60_000).map(|n| if n % 97 == 0 { '\n' } else { 'x' }).collect();
    let document: &'static str = Box::leak(text.into_boxed_str());
    for version in 1..=3 {
        let large = Value { document, ..value(version) };
        upsert(&database.client, &key("a"), &large.bytes()).await.unwrap();
    }
    let stale = Value { document, wake: None, ..value(2) };
    refused(&database.client, &key("a"), &stale.bytes(), FENCED_SQLSTATE).await;
}

#[tokio::test]
async fn a_role_that_only_writes_the_state_needs_no_right_on_the_index() {
    let database = Database::migrated().await;
    let role = unique("sidecar");
    let grant = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p';
         GRANT SELECT, INSERT, UPDATE, DELETE ON reminder_state TO {role}"
    );
    database.client.batch_execute(&grant).await.unwrap();
    let sidecar = crate::support::connect(&database.url_as(&role, "p")).await;
    for version in 1..=2 {
        upsert(&sidecar, &key("a"), &value(version).bytes()).await.unwrap();
    }
    refused(&sidecar, &key("a"), &value(1).bytes(), FENCED_SQLSTATE).await;
    assert!(sidecar.query("SELECT * FROM task_index", &[]).await.is_err());
    sidecar.execute("DELETE FROM reminder_state", &[]).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM task_index").await, 0);
}
