//! What is over goes for good: the floor of births, the fence, the conditional delete, the pages.

use crate::support::{DEADLINE, Database, Value, damage, key, refused, upsert, value};
use reminder_domain::retention::Over;
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::ports::Removal;
use reminder_scheduler::read_model::{
    FENCED_SQLSTATE, Purges, ReadModel, RemovalTable, Restored, StateTable, TaskIndex as _,
};
use reminder_scheduler::turn::effect::Numbers;
use reminder_scheduler::turn::record::UnreadableState;
use std::sync::Arc;
use std::time::Duration;

const HOLD: Duration = Duration::from_secs(60);
/// When [`Value`]s were committed, in ms.
const COMMITTED_MS: i64 = 1_790_000_000_123;

fn model(database: &Database) -> Arc<ReadModel> {
    Arc::new(ReadModel::new(&database.url, "public".into()).unwrap())
}

/// The same value as the first one of its task.
fn first(value: Value) -> Vec<u8> {
    let text = String::from_utf8(value.bytes()).unwrap();
    text.replacen("}\n", ",\"b\":true}\n", 1).into_bytes()
}

fn task(id: &str) -> TaskId {
    TaskId::parse(id).unwrap()
}

async fn raised(model: &ReadModel) -> u32 {
    assert!(model.hold(7, HOLD).await.unwrap() && model.raise_births(7).await.unwrap());
    model.births().await.unwrap()
}

#[tokio::test]
async fn each_round_raises_the_births_and_each_start_learns_them() {
    let database = Database::migrated().await;
    let model = model(&database);
    assert_eq!((model.births().await.unwrap(), database.migrate().await.unwrap().births), (1, 1));
    assert!(!model.raise_births(7).await.unwrap(), "it has no right to a round");
    let before = database.count("SELECT extract(epoch FROM now())::int8").await;
    let first = raised(&model).await;
    assert!((before - 1..before + 60).contains(&i64::from(first)), "the present second: {first}");
    let second = raised(&model).await;
    assert!(second > first, "{first} {second}");
    assert_eq!(database.migrate().await.unwrap().births, second);
    // A restore that lies ahead, as after a clock that was set back.
    let table = StateTable::default();
    let mut restored = Restored::connect(&database.url, "public".into(), table).await.unwrap();
    let ahead = "UPDATE retention SET births = births + 1000";
    database.client.batch_execute(ahead).await.unwrap();
    let incarnation = restored.begin_incarnation(None).await.unwrap();
    assert_eq!(incarnation, second + 1_001, "what a restore goes on in was never used by a birth");
    assert!(raised(&model).await > incarnation);
}

#[tokio::test]
async fn one_process_at_a_time_has_the_right_to_a_round() {
    let database = Database::migrated().await;
    let model = model(&database);
    assert!(model.hold(7, HOLD).await.unwrap() && model.hold(7, HOLD).await.unwrap());
    assert!(!model.hold(8, HOLD).await.unwrap());
    assert!(!model.raise_births(8).await.unwrap());
    model.finished(7).await.unwrap();
    assert!(model.hold(8, HOLD).await.unwrap());
    let expire = "UPDATE retention SET held_until = now() - interval '1 second'";
    database.client.batch_execute(expire).await.unwrap();
    assert!(!model.raise_births(8).await.unwrap(), "a right that has expired is none");
    assert!(model.hold(7, HOLD).await.unwrap());
}

#[tokio::test]
async fn the_fence_lets_nothing_be_born_with_numbers_of_before() {
    let database = Database::migrated().await;
    let client = &database.client;
    upsert(client, &key("old"), &first(value(1))).await.unwrap();
    let model = model(&database);
    let births = raised(&model).await;
    // A process that has yet to hear of it, and a late statement of a life that has gone.
    for bytes in [first(value(1)), value(1).bytes()] {
        let message = refused(client, &key("new"), &bytes, FENCED_SQLSTATE).await;
        assert!(message.contains("purged"), "{message}");
    }
    let base = u64::from(births - 1) * 1_000;
    let born = |version| Value { incarnation: births, ..value(version) };
    upsert(client, &key("new"), &first(born(base + 1))).await.unwrap();
    upsert(client, &key("new"), &born(base + 2).bytes()).await.unwrap();
    // What is there goes on where it is.
    upsert(client, &key("old"), &value(2).bytes()).await.unwrap();
}

#[tokio::test]
async fn what_begins_a_task_is_refused_where_there_is_one() {
    let database = Database::migrated().await;
    let client = &database.client;
    upsert(client, &key("t"), &first(value(1))).await.unwrap();
    upsert(client, &key("t"), &first(value(1))).await.expect("the same bytes again are a retry");
    upsert(client, &key("t"), &value(2).bytes()).await.unwrap();
    // Numbers that a later incarnation may have, and that a task which is there may not get.
    let later = Value { incarnation: 2, ..value(1_001) };
    let message = refused(client, &key("t"), &first(later), FENCED_SQLSTATE).await;
    assert!(message.contains("stored already"), "{message}");
    assert_eq!(database.count("SELECT version FROM task_index").await, 2);
    upsert(client, &key("t"), &later.bytes()).await.expect("a restored task goes on so");
}

#[tokio::test]
async fn a_row_goes_only_at_its_numbers_and_takes_along_what_else_is_kept() {
    let database = Database::migrated().await;
    let (client, model) = (&database.client, model(&database));
    let removal = RemovalTable::default();
    assert!(removal.births().await.is_err(), "not ready");
    removal.open(Arc::clone(&model), "reminder_state");
    let gone = Value { status: "deleted", wake: None, ..value(1) };
    for id in ["t", "u"] {
        upsert(client, &key(id), &gone.bytes()).await.unwrap();
        upsert(client, &key(id), &gone.at(2).bytes()).await.unwrap();
    }
    assert!(model.park(&task("t"), &UnreadableState::Panicked).await.unwrap());
    let numbers = Numbers { version: 2, incarnation: 1 };
    assert!(!removal.remove(&task("t"), numbers).await.unwrap(), "births were not raised");
    let births = raised(&model).await;
    for wrong in [Numbers { version: 1, ..numbers }, Numbers { incarnation: 2, ..numbers }] {
        assert!(!removal.remove(&task("t"), wrong).await.unwrap(), "{wrong:?}");
    }
    assert!(removal.remove(&task("t"), numbers).await.unwrap());
    assert!(!removal.remove(&task("t"), numbers).await.unwrap(), "once is enough");
    for table in ["reminder_state", "task_index"] {
        assert_eq!(database.count(&format!("SELECT count(*) FROM {table}")).await, 1, "u stays");
    }
    assert_eq!(database.count("SELECT count(*) FROM task_parked").await, 0);
    // The next life, at whatever numbers, is safe from a removal that comes late.
    let base = u64::from(births - 1) * 1_000;
    let born = Value { incarnation: births, ..gone.at(base + 1) };
    upsert(client, &key("t"), &first(born)).await.unwrap();
    let own = Numbers { version: base + 1, incarnation: births };
    for late in [numbers, own] {
        assert!(!removal.remove(&task("t"), late).await.unwrap(), "{late:?}");
    }
    raised(&model).await;
    assert!(removal.remove(&task("t"), own).await.unwrap(), "but not from the next round");
}

#[tokio::test]
async fn a_removal_that_waits_for_a_commit_looks_at_what_it_wrote() {
    let database = Database::migrated().await;
    let model = model(&database);
    upsert(&database.client, &key("t"), &value(1).bytes()).await.unwrap();
    raised(&model).await;
    let mut writer = database.connect().await;
    let transaction = writer.transaction().await.unwrap();
    let write = "UPDATE reminder_state SET value = $2 WHERE key = $1";
    transaction.execute(write, &[&key("t"), &value(2).bytes()]).await.unwrap();
    let remover = Arc::clone(&model);
    let numbers = Numbers { version: 1, incarnation: 1 };
    let removing =
        tokio::spawn(
            async move { remover.remove_state("reminder_state", &task("t"), numbers).await },
        );
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    crate::support::eventually("it waits", async || database.count(waits).await == 1).await;
    transaction.commit().await.unwrap();
    let gone = tokio::time::timeout(DEADLINE, removing).await.unwrap().unwrap();
    assert!(!gone.unwrap(), "version 2 is another one");
    assert_eq!(database.count("SELECT count(*) FROM reminder_state").await, 1);
}

#[tokio::test]
async fn pages_hold_what_is_over_and_old_enough_in_order() {
    let database = Database::migrated().await;
    let (client, model) = (&database.client, model(&database));
    let store = async |id: &str, status, wake| {
        upsert(client, &key(id), &Value { status, wake, ..value(1) }.bytes()).await.unwrap();
    };
    for n in 0..5 {
        store(&format!("gone{n}"), "deleted", None).await;
    }
    store("done", "completed", None).await;
    store("open", "pending", None).await;
    store("rings", "completed", Some(COMMITTED_MS)).await;
    store("broken", "deleted", None).await;
    damage(&database, "broken", b"x").await;
    assert!(model.park(&task("broken"), &UnreadableState::Panicked).await.unwrap());
    let at = Timestamp::from_millis(COMMITTED_MS);
    let after = at.saturating_add_ms(1);
    assert!(model.ended(Over::Tombstone, at, None, 9).await.unwrap().is_empty(), "too young");
    let page = model.ended(Over::Tombstone, after, None, 3).await.unwrap();
    let rest = model.ended(Over::Tombstone, after, page.last(), 9).await.unwrap();
    let ids: Vec<&str> = page.iter().chain(&rest).map(|ended| ended.task.as_str()).collect();
    assert_eq!(ids, ["gone0", "gone1", "gone2", "gone3", "gone4"]);
    let done = model.ended(Over::Completed, after, None, 9).await.unwrap();
    assert_eq!(done.iter().map(|ended| ended.task.as_str()).collect::<Vec<_>>(), ["done"]);
    assert_eq!(model.count_ended(Over::Tombstone, after, 9).await.unwrap(), 5);
    assert_eq!(model.count_ended(Over::Tombstone, after, 2).await.unwrap(), 2);
}
