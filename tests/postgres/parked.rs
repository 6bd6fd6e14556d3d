//! Tasks whose state cannot be used: they are parked, left out, tried again, and replaced.

use crate::support::{Database, TABLE, Value, WAKE_MS, damage, key, upsert, value};
use reminder_domain::ids::Person;
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{Changed, Cursor, ReadModel, TaskIndex, Waking};
use reminder_scheduler::turn::record::UnreadableState;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

fn id(task: &str) -> TaskId {
    TaskId::parse(task).unwrap()
}

fn damaged() -> UnreadableState {
    UnreadableState::Damaged("no index line".into())
}

async fn put(database: &Database, task: &str) {
    upsert(&database.client, &key(task), &value(1).bytes()).await.unwrap();
}

async fn overdue(model: &ReadModel) -> Vec<String> {
    let start = Waking { at: Timestamp::from_millis(0), task: id("0") };
    let page = model.overdue(&start, Timestamp::from_millis(WAKE_MS), 10).await.unwrap();
    page.into_iter().map(|waking| waking.task.to_string()).collect()
}

async fn listed(model: &ReadModel) -> Vec<(String, String)> {
    let page = model.list_parked("", 10).await.unwrap();
    page.into_iter().map(|parked| (parked.task, parked.reason)).collect()
}

#[tokio::test]
async fn a_parked_task_is_left_out_until_its_next_commit() {
    let (database, model) = model().await;
    for task in ["a", "b"] {
        put(&database, task).await;
    }
    assert_eq!(overdue(&model).await, ["a", "b"]);
    assert!(model.park(&id("a"), &damaged()).await.unwrap(), "that is news");
    assert!(!model.park(&id("a"), &damaged()).await.unwrap(), "and no news any more");
    assert_eq!(overdue(&model).await, ["b"]);
    assert_eq!(listed(&model).await, [("a".into(), "damaged".into())]);
    assert_eq!(model.count_parked().await.unwrap(), 1);
    // The sweep still registers it: should it be readable by then, its wake is there.
    let start = Waking { at: Timestamp::from_millis(0), task: id("0") };
    let page = model.waking(&start, Timestamp::from_millis(WAKE_MS), 10).await.unwrap();
    assert_eq!(page.len(), 2);
    // Whoever commits next could read it.
    upsert(&database.client, &key("a"), &value(2).bytes()).await.unwrap();
    assert_eq!(overdue(&model).await, ["a", "b"]);
    assert_eq!((listed(&model).await, model.count_parked().await.unwrap()), (vec![], 0));
    assert!(model.park(&id("a"), &damaged()).await.unwrap(), "damaged again, which is news");
}

#[tokio::test]
async fn what_a_parked_task_left_pending_or_follows_holds_up_nobody() {
    let (database, model) = model().await;
    for task in ["a", "b"] {
        put(&database, task).await;
    }
    model.park(&id("a"), &damaged()).await.unwrap();
    let left = model.left_pending(u64::MAX, 0, 10).await.unwrap();
    assert_eq!(left, [(id("b"), 7)]);
    let outdated = model.outdated_zones("2026a", &Cursor::default(), 10).await.unwrap();
    let outdated: Vec<String> = outdated.into_iter().map(|at| at.task).collect();
    assert_eq!(outdated, ["b"]);
}

#[tokio::test]
async fn a_user_is_behind_as_long_as_an_open_task_is_parked_or_not() {
    let (database, model) = model().await;
    let user = Person::parse("u@example.org").unwrap();
    let of = |version| Changed { user: user.clone(), version };
    put(&database, "a").await;
    model.park(&id("a"), &damaged()).await.unwrap();
    assert_eq!(model.outdated_of(&of(1), &Cursor::default(), 10).await.unwrap(), []);
    assert!(model.is_behind(&of(1)).await.unwrap(), "it is only left alone");
    assert!(!model.is_behind(&of(0)).await.unwrap());
    let other = Changed { user: Person::parse("other").unwrap(), version: 1 };
    assert!(!model.is_behind(&other).await.unwrap());
    for value in [Value { preferences: 1, ..value(2) }, Value { status: "completed", ..value(3) }] {
        upsert(&database.client, &key("a"), &value.bytes()).await.unwrap();
        assert!(!model.is_behind(&of(1)).await.unwrap());
    }
}

#[tokio::test]
async fn parked_tasks_are_tried_again_the_longest_untried_first() {
    let (database, model) = model().await;
    for task in ["a", "b", "c"] {
        put(&database, task).await;
        model.park(&id(task), &damaged()).await.unwrap();
    }
    assert_eq!(model.parked(LONG, 10).await.unwrap(), [], "each was tried just now");
    let earlier = "UPDATE task_parked SET tried_at = tried_at - interval '2 minutes'
                   WHERE task_id IN ('a', 'c')";
    database.client.batch_execute(earlier).await.unwrap();
    assert_eq!(model.parked(LONG, 10).await.unwrap(), [id("a"), id("c")]);
    assert_eq!(model.parked(LONG, 10).await.unwrap(), [], "now they were");
    assert_eq!(model.parked(Duration::ZERO, 1).await.unwrap(), [id("b")]);
    model.unpark(&id("b")).await.unwrap();
    // A row that does not count any more is not tried, but forgotten.
    upsert(&database.client, &key("c"), &value(2).bytes()).await.unwrap();
    assert_eq!(model.parked(Duration::ZERO, 10).await.unwrap(), [id("a")]);
    assert_eq!(database.count("SELECT count(*) FROM task_parked").await, 1);
}

#[tokio::test]
async fn a_missing_state_is_parked_only_where_the_index_knows_the_task() {
    let (database, model) = model().await;
    assert!(!model.park(&id("a"), &UnreadableState::Missing).await.unwrap());
    assert!(model.park(&id("b"), &damaged()).await.unwrap(), "this one exists for sure");
    assert!(!model.park(&id("b"), &UnreadableState::Missing).await.unwrap());
    put(&database, "a").await;
    assert!(model.park(&id("a"), &UnreadableState::Missing).await.unwrap());
    model.park(&id("a"), &UnreadableState::Newer { found: 2 }).await.unwrap();
    assert!(!model.park(&id("a"), &UnreadableState::Missing).await.unwrap(), "the reason stays");
    assert_eq!(
        listed(&model).await,
        [("a".into(), "newer".into()), ("b".into(), "damaged".into())]
    );
}

#[tokio::test]
async fn a_repair_is_let_in_by_the_fence_and_only_once() {
    let (database, model) = model().await;
    for (task, bad) in [("a", &b"damaged"[..]), ("b", b""), ("c", b"{\"s\":1,\"v\":1,\"i\":1}\n{")]
    {
        put(&database, task).await;
        damage(&database, task, bad).await;
        model.park(&id(task), &damaged()).await.unwrap();
        let stored = model.stored(TABLE, &id(task)).await.unwrap();
        let index = stored.index.clone().unwrap();
        assert_eq!((stored.value.as_deref(), index.version, index.incarnation), (Some(bad), 1, 1));
        assert_eq!(stored.parked.as_deref(), Some("damaged"));
        let repaired = Value { incarnation: 2, wake: None, ..value(2) }.bytes();
        let replace =
            async |new: &[u8]| model.replace_state(TABLE, &id(task), Some(bad), new).await;
        let stale = value(2).bytes();
        if task != "c" {
            let error = replace(&stale).await.unwrap_err().to_string();
            assert!(error.contains("only a repair"), "{error}");
        }
        assert!(replace(&repaired).await.unwrap());
        assert!(!replace(&repaired).await.unwrap(), "somebody was faster");
        let stored = model.stored(TABLE, &id(task)).await.unwrap();
        assert_eq!((stored.index.unwrap().version, stored.parked), (2, None));
        // A turn that remembers the old state is refused, and loads.
        assert!(upsert(&database.client, &key(task), &stale).await.is_err());
    }
}

#[tokio::test]
async fn a_task_whose_row_is_gone_begins_anew() {
    let (database, model) = model().await;
    put(&database, "a").await;
    let delete = "SET session_replication_role = replica; DELETE FROM reminder_state;
                  SET session_replication_role = origin";
    database.client.batch_execute(delete).await.unwrap();
    let stored = model.stored(TABLE, &id("a")).await.unwrap();
    assert!(stored.value.is_none() && stored.index.is_some());
    assert!(model.park(&id("a"), &UnreadableState::Missing).await.unwrap());
    let new = Value { incarnation: 2, ..value(1) }.bytes();
    assert!(model.replace_state(TABLE, &id("a"), None, &new).await.unwrap());
    assert!(!model.replace_state(TABLE, &id("a"), None, &new).await.unwrap());
    let stored = model.stored(TABLE, &id("a")).await.unwrap();
    assert_eq!((stored.index.unwrap().incarnation, stored.parked), (2, None));
}
