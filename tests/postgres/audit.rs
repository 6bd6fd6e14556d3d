//! The queries of the sweep and the audit: the lease, what wakes, what a dead run left.

use crate::support::{Database, Value, WAKE_MS, eventually, key, upsert, value};
use reminder_domain::{TaskId, Timestamp};
use reminder_scheduler::read_model::{ReadModel, Swept, TaskIndex, Waking};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(200);
/// Runs of a process; the largest does not fit an integer of Postgres.
const MINE: u64 = u64::MAX;
const OTHER: u64 = 7;

async fn model() -> (Database, ReadModel) {
    let database = Database::migrated().await;
    let model = ReadModel::new(&database.url, "public".into()).unwrap();
    (database, model)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn waking(ms: i64, task: &str) -> Waking {
    Waking { at: at(ms), task: TaskId::parse(task).unwrap() }
}

async fn put(database: &Database, task: &str, wake: Option<i64>) {
    upsert(&database.client, &key(task), &Value { wake, ..value(1) }.bytes()).await.unwrap();
}

/// Gives a task the stamp of its last commit.
async fn stamp(database: &Database, task: &str, epoch: u64, n: i64) {
    put(database, task, None).await;
    let sql = "UPDATE task_index SET pending_epoch = $2, pending_n = $3 WHERE task_id = $1";
    database.client.execute(sql, &[&task, &epoch.to_string(), &n]).await.unwrap();
}

#[tokio::test]
async fn one_replica_holds_the_lease_until_it_expires() {
    let (_database, model) = model().await;
    assert!(model.lease(MINE, LONG).await.unwrap().is_some());
    assert_eq!(model.lease(OTHER, LONG).await.unwrap(), None, "one holder at a time");
    assert!(model.lease(MINE, SHORT).await.unwrap().is_some(), "the holder may renew it");
    eventually("it expires", async || model.lease(OTHER, LONG).await.unwrap().is_some()).await;
    assert_eq!(model.lease(MINE, LONG).await.unwrap(), None, "now it is the other's");
}

#[tokio::test]
async fn a_renewed_lease_lasts_longer() {
    let (database, model) = model().await;
    let left = "SELECT extract(epoch FROM held_until - now())::int8 FROM task_audit";
    model.lease(MINE, LONG).await.unwrap();
    assert!((50..=60).contains(&database.count(left).await));
    model.lease(MINE, LONG * 2).await.unwrap();
    assert!((110..=120).contains(&database.count(left).await));
    model.lease(OTHER, LONG * 10).await.unwrap();
    assert!(database.count(left).await <= 120, "who is refused changes nothing");
}

#[tokio::test]
async fn of_replicas_that_ask_at_once_one_gets_the_lease() {
    const REPLICAS: u64 = 8;
    let (database, _) = model().await;
    let asked: Vec<_> = (0..REPLICAS)
        .map(|epoch| {
            let model = ReadModel::new(&database.url, "public".into()).unwrap();
            tokio::spawn(async move { model.lease(epoch, LONG).await.unwrap().is_some() })
        })
        .collect();
    let mut holders = 0;
    for one in asked {
        holders += usize::from(one.await.unwrap());
    }
    assert_eq!(holders, 1);
}

#[tokio::test]
async fn the_place_of_the_sweep_is_kept_for_the_next_holder() {
    let (_database, model) = model().await;
    let place = |ms, canary| Some(Swept { until: at(ms), canary });
    let nothing = place(0, 0);
    assert_eq!(model.lease(MINE, SHORT).await.unwrap(), nothing, "at first, nothing is swept");
    let note = async |epoch, ms, canary| {
        model.swept(epoch, Swept { until: at(ms), canary }).await.unwrap()
    };
    assert!(note(MINE, WAKE_MS, 0).await);
    assert!(!note(OTHER, 5, 0).await, "only the holder moves it");
    assert_eq!(model.lease(MINE, SHORT).await.unwrap(), place(WAKE_MS, 0));
    eventually("the other follows where the first stopped", async || {
        model.lease(OTHER, LONG).await.unwrap() == place(WAKE_MS, 0)
    })
    .await;
    assert!(!note(MINE, 5, 0).await, "the lease was lost");
    assert_eq!(model.begin_anew(MINE).await.unwrap(), None, "only the holder begins anew");
    for canary in [1, 2] {
        assert_eq!(model.begin_anew(OTHER).await.unwrap(), Some(canary), "each has its own");
        assert_eq!(model.lease(OTHER, LONG).await.unwrap(), place(0, canary));
        assert!(!note(OTHER, WAKE_MS, canary - 1).await, "what was swept before counts no more");
        assert!(note(OTHER, WAKE_MS, canary).await);
    }
    assert_eq!(model.lease(OTHER, LONG).await.unwrap(), place(WAKE_MS, 2));
}

#[tokio::test]
async fn pages_of_waking_tasks_are_in_order_and_skip_none() {
    let (database, model) = model().await;
    // Three wake in the same millisecond, across the border of a page of two.
    let expected = [
        waking(WAKE_MS - 1, "z"),
        waking(WAKE_MS, "B"),
        waking(WAKE_MS, "a"),
        waking(WAKE_MS, "b"),
        waking(WAKE_MS + 1, "c"),
    ];
    for one in expected.iter().rev() {
        put(&database, one.task.as_str(), Some(one.at.as_millis())).await;
    }
    put(&database, "asleep", None).await;
    put(&database, "later", Some(WAKE_MS + 2)).await;
    let mut after = waking(0, "0");
    let mut found = Vec::new();
    loop {
        let page = model.waking(&after, at(WAKE_MS + 1), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.clone();
        found.extend(page);
    }
    assert_eq!(found, expected);
    let rest = model.waking(&after, Timestamp::MAX, 2).await.unwrap();
    assert_eq!(rest, [waking(WAKE_MS + 2, "later")], "the last time there is can be asked for");
}

#[tokio::test]
async fn only_unseen_runs_that_left_stamps_are_dead() {
    const DEAD: u64 = 3;
    const SEEN_LONG_AGO: u64 = 4;
    let (database, model) = model().await;
    assert_eq!(model.dead_epochs(LONG).await.unwrap(), [0; 0]);
    for (task, epoch) in [("a", MINE), ("b", DEAD), ("c", DEAD), ("d", SEEN_LONG_AGO)] {
        stamp(&database, task, epoch, 1).await;
    }
    for epoch in [MINE, OTHER, SEEN_LONG_AGO] {
        model.heartbeat(epoch, LONG, LONG).await.unwrap();
    }
    let age = "UPDATE task_epoch SET seen_at = now() - interval '30 seconds' WHERE epoch = '4'";
    database.client.batch_execute(age).await.unwrap();
    assert_eq!(model.dead_epochs(LONG).await.unwrap(), [DEAD], "30 s are not 60 s");
    assert_eq!(model.dead_epochs(LONG / 3).await.unwrap(), [DEAD, SEEN_LONG_AGO]);
    // A heartbeat forgets the runs that were not seen for long, and no other.
    model.heartbeat(MINE, LONG, LONG / 3).await.unwrap();
    assert_eq!(database.count("SELECT count(*) FROM task_epoch").await, 2);
    model.heartbeat(SEEN_LONG_AGO, LONG, LONG).await.unwrap();
    assert_eq!(model.dead_epochs(LONG / 3).await.unwrap(), [DEAD], "seen again, alive again");
}

#[tokio::test]
async fn what_a_run_left_is_paged_by_its_numbers() {
    let (database, model) = model().await;
    for (task, n) in [("a", 9), ("b", 4), ("c", 6), ("d", 5)] {
        stamp(&database, task, MINE, n).await;
    }
    stamp(&database, "other", OTHER, 7).await;
    let left = async |n, limit| {
        let left = model.left_pending(MINE, n, limit).await.unwrap();
        left.into_iter().map(|(task, n)| format!("{task}{n}")).collect::<Vec<_>>()
    };
    assert_eq!(left(0, 9).await, ["b4", "d5", "c6", "a9"]);
    assert_eq!(left(4, 2).await, ["d5", "c6"], "above the watermark");
    assert_eq!(left(9, 2).await, [""; 0]);
}

#[tokio::test]
async fn a_connection_that_was_lost_is_made_again() {
    let (database, model) = model().await;
    model.heartbeat(MINE, LONG, LONG).await.unwrap();
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert_eq!(database.count(end).await, 1);
    let again = async || model.heartbeat(MINE, LONG, LONG).await.is_ok();
    eventually("it connects anew", again).await;
}

#[tokio::test]
async fn what_waits_is_counted_by_when_it_wakes_the_nearest_first() {
    let (database, model) = model().await;
    for (task, wake) in [("a", 1_000), ("b", 2_000), ("c", 2_001), ("d", 5_000), ("e", 9_000)] {
        put(&database, task, Some(wake)).await;
    }
    put(&database, "none", None).await;
    let ends = [at(2_000), at(5_000)];
    assert_eq!(model.count_pending(&ends, 100).await.unwrap(), [2, 2, 1]);
    // Only so many are counted, and those that are far are left out.
    assert_eq!(model.count_pending(&ends, 3).await.unwrap(), [2, 1, 0]);
    assert_eq!(model.count_pending(&[], 100).await.unwrap(), [5]);
}
