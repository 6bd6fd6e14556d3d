//! What follows from the restore of a backup: the incarnation, the fence, a look at every task.

use crate::support::{Database, Value, eventually, key, refused, upsert, value};
use reminder_contract::wire::{self, Method};
use reminder_domain::decide::fence;
use reminder_domain::{TaskId, TaskState, Timestamp, Turn, decide};
use reminder_scheduler::read_model::{
    Checked, FENCED_SQLSTATE, ReadModel, RestoreError, Restored, StateTable, TaskIndex,
    UNREADABLE_SQLSTATE,
};
use reminder_scheduler::turn::record;
use std::time::Duration;

const RUNNING_WITHIN: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(60);
/// More than are read at once, so that there is a border between pages.
const TASKS: usize = 700;

async fn restored(database: &Database) -> Restored {
    let table = StateTable::default();
    Restored::connect(&database.url, "public".into(), table).await.unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_123)
}

/// A task as the service stores it after its first command.
fn created(id: &str) -> TaskState {
    let body = r#"{"task":{"title":"Buy milk","dueDate":"2036-11-22T17:00:00.457Z"}}"#;
    let command = wire::parse_command(Method::Put, body.as_bytes()).unwrap();
    let turn = decide(&TaskId::parse(id).unwrap(), None, &command, None, now()).unwrap();
    let Turn::Commit(change) = turn else { panic!("a put commits") };
    change.state
}

async fn store(database: &Database, id: &str, state: &TaskState) {
    upsert(&database.client, &key(id), &record::encode(state)).await.unwrap();
}

async fn look(restored: &mut Restored, incarnation: u32) -> Checked {
    let mut checked = Checked::default();
    let mut after = String::new();
    while let Some(last) =
        restored.check_page(&after, incarnation, now(), &mut checked).await.unwrap()
    {
        after = last;
    }
    checked
}

#[tokio::test]
async fn each_restore_begins_an_incarnation_later_than_any() {
    let database = Database::migrated().await;
    assert_eq!(database.migrate().await.unwrap().incarnation, 1);
    let swept = "UPDATE task_audit SET swept_until_ms = 5";
    ReadModel::new(&database.url, "public".into()).unwrap().lease(7, LONG).await.unwrap();
    database.client.batch_execute(swept).await.unwrap();

    let mut restored = restored(&database).await;
    let seconds = "SELECT extract(epoch FROM now())::int8";
    let (before, first) =
        (database.count(seconds).await, restored.begin_incarnation(None).await.unwrap());
    let after = database.count(seconds).await;
    assert!((before - 1..=after).contains(&i64::from(first)), "the present second: {first}");
    assert_eq!(database.count("SELECT swept_until_ms FROM task_audit").await, 0);
    assert_eq!(database.migrate().await.unwrap().incarnation, first, "each start learns it");
    let second = restored.begin_incarnation(None).await.unwrap();
    assert!(second > first, "{first} {second}");
    // A backup whose tasks were written by a clock that was ahead.
    let incarnation = second + 1_000;
    store(&database, "a", &TaskState { incarnation, ..created("a") }).await;
    assert_eq!(restored.begin_incarnation(None).await.unwrap(), incarnation + 1);
    // The backup of before is restored once more, with the row as it was then.
    database
        .client
        .batch_execute("DELETE FROM task_restore; DELETE FROM task_index")
        .await
        .unwrap();
    assert!(restored.begin_incarnation(None).await.unwrap() >= first);
}

#[tokio::test]
async fn while_a_process_runs_no_incarnation_begins() {
    let database = Database::migrated().await;
    let mut restored = restored(&database).await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    model.heartbeat(7, LONG, LONG).await.unwrap();
    let refusal = restored.begin_incarnation(Some(RUNNING_WITHIN)).await.unwrap_err();
    assert!(matches!(refusal, RestoreError::Running { processes: 1, .. }), "{refusal}");
    assert_eq!(database.count("SELECT count(*) FROM task_restore").await, 0);
    let age = "UPDATE task_epoch SET seen_at = now() - interval '31 seconds'";
    database.client.batch_execute(age).await.unwrap();
    restored.begin_incarnation(Some(RUNNING_WITHIN)).await.unwrap();
    model.heartbeat(7, LONG, LONG).await.unwrap();
    restored.begin_incarnation(None).await.unwrap();
}

#[tokio::test]
async fn a_process_of_before_the_restore_can_write_nothing() {
    let database = Database::migrated().await;
    let before = created("a");
    store(&database, "a", &before).await;
    let incarnation = restored(&database).await.begin_incarnation(None).await.unwrap();
    let stale = record::encode(&fence(Some(&before), now()).state);
    for (id, bytes) in [("a", &stale), ("b", &record::encode(&created("b")))] {
        let message = refused(&database.client, &key(id), bytes, FENCED_SQLSTATE).await;
        assert!(message.contains("a backup was restored"), "{message}");
    }
    // What loads the task now goes on far above whatever was given.
    let mut after = before.clone();
    after.go_on_in(incarnation);
    let after = fence(Some(&after), now()).state;
    assert_eq!(after.version, u64::from(incarnation - 1) * 1_000 + 1);
    store(&database, "a", &after).await;
    let again = TaskState { updated_at: Timestamp::MAX, ..after.clone() };
    let again = record::encode(&again);
    refused(&database.client, &key("a"), &again, FENCED_SQLSTATE).await;
    store(&database, "a", &fence(Some(&after), now()).state).await;
    let unborn = fence(Some(&TaskState::unborn(incarnation, now())), now()).state;
    store(&database, "b", &unborn).await;
    let versions = "SELECT count(*) FROM task_index WHERE version > 1000000000000";
    assert_eq!(database.count(versions).await, 2);
}

#[tokio::test]
async fn only_a_later_incarnation_may_skip_versions() {
    let database = Database::migrated().await;
    let at = |version, incarnation| Value { incarnation, ..value(version) }.bytes();
    upsert(&database.client, &key("a"), &at(1, 1)).await.unwrap();
    refused(&database.client, &key("a"), &at(1, 2), FENCED_SQLSTATE).await;
    refused(&database.client, &key("a"), &at(3, 1), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("a"), &at(1_001, 2)).await.unwrap();
    refused(&database.client, &key("a"), &at(1_003, 2), FENCED_SQLSTATE).await;
    refused(&database.client, &key("a"), &at(1_002, 1), FENCED_SQLSTATE).await;
    refused(&database.client, &key("b"), &at(2, 1), FENCED_SQLSTATE).await;
    upsert(&database.client, &key("b"), &at(1_001, 2)).await.unwrap();
}

#[tokio::test]
async fn every_stored_task_is_looked_at_and_its_index_row_mended() {
    let database = Database::migrated().await;
    for n in 0..TASKS {
        store(&database, &format!("t{n}"), &created("t")).await;
    }
    upsert(&database.client, "reminder-scheduler||watermark-1", b"9").await.unwrap();
    let newer = String::from_utf8(record::encode(&created("newer"))).unwrap();
    let newer = newer.replacen("\"s\":1", "\"s\":99", 1);
    upsert(&database.client, &key("newer"), newer.as_bytes()).await.unwrap();
    // As after a restore that went past the triggers.
    let damage = "SET session_replication_role = replica;
                  UPDATE reminder_state SET value = 'damaged' WHERE key LIKE '%||t5||%';
                  DELETE FROM task_index WHERE task_id = 't6';
                  UPDATE task_index SET next_wake = now() WHERE task_id = 't7';
                  DELETE FROM reminder_state WHERE key LIKE '%||t8||%';
                  SET session_replication_role = origin";
    database.client.batch_execute(damage).await.unwrap();

    let mut first = restored(&database).await;
    let incarnation = first.begin_incarnation(None).await.unwrap();
    // Cut short after the first page: the next one looks at all of them again.
    let mut begun = Checked::default();
    first.check_page("", incarnation, now(), &mut begun).await.unwrap().expect("a page");
    assert!(begun.tasks > 0 && begun.tasks < TASKS as u64);
    drop(first);

    let mut restored = restored(&database).await;
    let checked = look(&mut restored, incarnation).await;
    assert_eq!(checked.tasks, TASKS as u64, "one is gone, and one is newer");
    assert_eq!(begun.reindexed + checked.reindexed, 2);
    let mut unreadable: Vec<_> = checked.unreadable.iter().map(|one| one.task.as_str()).collect();
    unreadable.sort_unstable();
    assert_eq!(unreadable, ["newer", "t5"]);
    assert!(checked.unreadable.iter().any(|one| one.reason.contains("schema 99")));
    assert_eq!(restored.forget_lost().await.unwrap(), 1, "t8");

    let again = look(&mut restored, incarnation).await;
    assert_eq!((again.tasks, again.reindexed), (TASKS as u64, 0), "all of it was done");
    assert_eq!(restored.forget_lost().await.unwrap(), 0);
    let mended = "SELECT count(*) FROM task_index WHERE task_id IN ('t6', 't7')
                  AND extract(epoch FROM next_wake) = 2110986000.457 AND version > 1000000000000";
    assert_eq!(database.count(mended).await, 2);
    refused(&database.client, &key("t5"), b"damaged still", UNREADABLE_SQLSTATE).await;
}

#[tokio::test]
async fn a_look_at_nothing_ends() {
    let database = Database::migrated().await;
    let mut restored = restored(&database).await;
    assert_eq!(look(&mut restored, 1).await, Checked::default());
    eventually("the planner says something", async || restored.estimate().await.is_ok()).await;
}
