//! Two replicas: one dies, one is rolled, one stalls and comes back too late.

use crate::api::{Task, in_ms};
use crate::restarts::{AHEAD_MS, all_fire};
use crate::suite::{EVENT_DEADLINE, Suite, disruptive};
use chrono::{DateTime, Utc};
use reminder_stack::{Part, Signal, probe};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Until both replicas host actors.
const SPREAD_DEADLINE: Duration = Duration::from_secs(60);

/// Enough that all land on one replica of two about once in a million.
const TASKS: usize = 20;

/// How many tasks live on a replica now.
async fn hosted(suite: &Suite, replica: u32) -> u64 {
    let port = suite.manifest().replica(replica).unwrap().http_port;
    let Ok(answer) = probe::get(port, "/v1.0/metadata", &[]).await else { return 0 };
    let metadata: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let active = metadata["actorRuntime"]["activeActors"].as_array().cloned().unwrap_or_default();
    active.iter().filter_map(|actors| actors["count"].as_u64()).sum()
}

/// Tasks that are due then, sent at once, some to each replica.
async fn spread(suite: &'static Suite, name: &str, due: DateTime<Utc>) -> Vec<Task> {
    let mut puts = JoinSet::new();
    for number in 0..TASKS {
        let replica = if number % 2 == 0 { 1 } else { 2 };
        let task = suite.task(name).due(due).through(suite.api_of(replica));
        puts.spawn(async move {
            task.put_until_answered().await;
            task
        });
    }
    let api = suite.api();
    puts.join_all().await.into_iter().map(|task| task.through(api.clone())).collect()
}

/// Adds a replica and waits until it takes its share.
pub(crate) async fn second_replica(suite: &'static Suite) {
    assert_eq!(suite.stack.add_replica().await.unwrap(), 2);
    let shares = probe::until(SPREAD_DEADLINE, || async {
        spread(suite, "spread", in_ms(3_600_000)).await;
        (hosted(suite, 2).await > 0).then_some(())
    });
    assert!(shares.await.is_some(), "the second replica hosts nothing");
}

#[test]
fn when_one_of_two_replicas_is_killed_the_other_fires_its_reminders() {
    disruptive(async |suite| {
        second_replica(suite).await;
        let before = (hosted(suite, 1).await, hosted(suite, 2).await);
        let due = in_ms(2 * AHEAD_MS);
        let tasks = spread(suite, "replica-killed", due).await;
        let after = (hosted(suite, 1).await, hosted(suite, 2).await);
        assert!(after.0 > before.0 && after.1 > before.1, "both host some: {before:?} {after:?}");
        // The whole host is gone, as when a node dies.
        suite.kill(Part::App(2)).await;
        suite.kill(Part::Sidecar(2)).await;
        all_fire(&tasks, due).await;
    });
}

#[test]
fn when_only_the_service_of_a_replica_is_killed_its_actors_move() {
    disruptive(async |suite| {
        second_replica(suite).await;
        let due = in_ms(2 * AHEAD_MS);
        let tasks = spread(suite, "replica-app-killed", due).await;
        suite.kill(Part::App(2)).await;
        all_fire(&tasks, due).await;
    });
}

#[test]
fn during_a_rollout_every_answered_command_has_its_reminder_fired() {
    disruptive(async |suite| {
        second_replica(suite).await;
        let due = in_ms(3 * AHEAD_MS);
        let answered = Arc::new(AtomicUsize::new(0));
        let enough = async |count| {
            let wait = probe::until(SPREAD_DEADLINE, || async {
                (answered.load(Ordering::Relaxed) >= count).then_some(())
            });
            assert!(wait.await.is_some(), "commands are not answered any more");
        };
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let counter = Arc::clone(&answered);
        let flow = tokio::spawn(async move {
            let mut tasks = Vec::new();
            while stopped.try_recv().is_err() {
                // Through the replica that stays: callers of the other one lose their sidecar.
                let task = suite.task("rollout").due(due);
                task.put_until_answered().await;
                tasks.push(task);
                counter.fetch_add(1, Ordering::Relaxed);
            }
            tasks
        });
        enough(TASKS).await;
        suite.stop(Part::App(2)).await;
        suite.stop(Part::Sidecar(2)).await;
        enough(answered.load(Ordering::Relaxed) + TASKS).await;
        stop.send(()).unwrap();
        let tasks = flow.await.unwrap();
        all_fire(&tasks, due).await;
    });
}

#[test]
fn a_replica_that_stalls_and_comes_back_overwrites_nothing() {
    disruptive(async |suite| {
        second_replica(suite).await;
        let due = in_ms(2 * AHEAD_MS);
        let tasks = spread(suite, "replica-stalled", due).await;
        // The wakes of its actors arrive and are neither done nor refused; the health check moves
        // the actors, and later the process goes on where it stood.
        suite.stack.kill(Part::App(2), Signal::Stop).await.unwrap();
        all_fire(&tasks, due).await;
        suite.stack.kill(Part::App(2), Signal::Cont).await.unwrap();
        // It was never told that its actors had left, so it still knows them as they were when
        // they come back; whom they are asked of, and when, must make no difference.
        let returned = probe::until(SPREAD_DEADLINE, || async {
            all_fire(&tasks, due).await;
            (hosted(suite, 2).await > 0).then_some(())
        });
        assert!(returned.await.is_some(), "no actor comes back to the second replica");
        all_fire(&tasks, due).await;
        for task in &tasks {
            // A turn that takes over events of the other replica commits once more.
            let version = task.complete().await["version"].as_u64();
            assert!(version >= Some(3), "put, fired, completed: {version:?}");
            task.event_within("task.updated", 3, EVENT_DEADLINE).await;
        }
    });
}
