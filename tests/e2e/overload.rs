//! More than can be done at once: a herd of reminders, and commands beyond the bound.

use crate::api::{Task, in_ms};
use crate::firing::assert_honest;
use crate::process::Service;
use crate::restarts::all_fire;
use crate::suite::{Suite, disruptive};
use chrono::{DateTime, TimeDelta, Utc};
use reminder_stack::{Part, Signal};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Reminders of one herd, and callers that schedule them. A slow machine schedules what it can.
const HERD: usize = 3_000;
const HERD_MIN: usize = 500;
const CALLERS: usize = 32;
/// From the first `put` of the herd to the moment, and how long before it scheduling ends.
const HERD_AHEAD_MS: i64 = 14_000;
const HERD_MARGIN_MS: i64 = 1_500;
/// From the moment to the last event. Each task fires once however long it takes.
const HERD_DEADLINE: Duration = Duration::from_secs(120);

/// Commands sent at once to a service that does one at a time, and how many of them may run or wait.
const COMMANDS: usize = 60;
const TAKEN: usize = 1 + 8;
/// Refused ones that are sent again.
const AGAIN: usize = 3;
/// From the commands to their reminders: what was refused is looked at and sent again before.
const COMMANDS_AHEAD_MS: i64 = 7_000;

/// Runs it for each item, so many at a time.
async fn side_by_side<T: Send + 'static, F: Future<Output = ()> + Send + 'static>(
    items: Vec<T>,
    work: impl Fn(T) -> F,
) {
    let mut under_way = JoinSet::new();
    for item in items {
        if under_way.len() >= CALLERS {
            under_way.join_next().await.unwrap().unwrap();
        }
        under_way.spawn(work(item));
    }
    under_way.join_all().await;
}

/// Schedules tasks until there are enough, or it is nearly time.
async fn herd(suite: &'static Suite, due: DateTime<Utc>) -> Vec<Task> {
    let (one, count) = (suite.task("herd").due(due), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (one, count) = (one.clone(), Arc::clone(&count));
        callers.spawn(async move {
            let mut tasks = Vec::new();
            let last = due - TimeDelta::milliseconds(HERD_MARGIN_MS);
            while Utc::now() < last && count.fetch_add(1, Ordering::Relaxed) < HERD {
                let task = one.another("herd");
                task.put().await;
                tasks.push(task);
            }
            tasks
        });
    }
    callers.join_all().await.into_iter().flatten().collect()
}

#[test]
fn thousands_of_reminders_of_the_same_moment_fire_once_each() {
    disruptive(async |suite| {
        let due = in_ms(HERD_AHEAD_MS);
        let tasks = herd(suite, due).await;
        assert!(tasks.len() >= HERD_MIN && Utc::now() < due, "only {} are ready", tasks.len());
        for task in &tasks {
            let fired = task.event_within("reminder.triggered", 1, HERD_DEADLINE).await;
            // Late ones say so, and none is early.
            assert_honest(&fired, due);
        }
        let took = Utc::now() - due;
        println!("{} fired within {} ms of the moment", tasks.len(), took.num_milliseconds());
        side_by_side(tasks, async |task: Task| {
            // A second firing would have raised it, published or not.
            assert_eq!(task.get().await["version"], 2, "{} fired again", task.id);
            assert_eq!(task.triggered(), 1, "{} fired again", task.id);
        })
        .await;
    });
}

#[test]
fn commands_beyond_the_bound_are_refused_and_leave_nothing() {
    disruptive(async |suite| {
        suite.stop(Part::App(1)).await;
        let mut environment = suite.stack.app_environment(1).unwrap();
        // One runs, eight wait.
        environment.insert("COMMAND_CONCURRENCY".to_owned(), "1".to_owned());
        let service = Service::start(suite, &environment);
        service.becomes_ready().await;
        suite.stack.wait_ready(Part::Sidecar(1)).await.unwrap();
        suite.task("first").put_until_answered().await;

        let due = in_ms(COMMANDS_AHEAD_MS);
        let one = suite.task("crowd").due(due);
        // While the database stands still nothing ends, so the bound is surely met.
        suite.stack.kill(Part::Postgres, Signal::Stop).await.unwrap();
        let mut calls = JoinSet::new();
        for _ in 0..COMMANDS {
            let task = one.another("crowd");
            calls.spawn(async move {
                let mut body = task.body();
                body["commandId"] = format!("put-{}", task.id).into();
                let answer = task.call("put", &body).await;
                (task, answer)
            });
        }
        // All but those that run or wait are refused at once, with the database as it is.
        let (mut answered, mut refused) = (Vec::new(), Vec::new());
        while let Some(ended) = calls.join_next().await {
            let (task, answer) = ended.unwrap();
            if answer.is_accepted() {
                answered.push(task);
                continue;
            }
            let problem = answer.refused(503, None);
            assert!(problem["type"].as_str().unwrap().ends_with("/overloaded"), "{problem}");
            assert!(problem["retryAfterSeconds"].as_u64() > Some(0), "{problem}");
            if refused.is_empty() {
                assert!(answered.is_empty(), "nothing could be done");
            }
            refused.push(task);
            if refused.len() == COMMANDS - TAKEN {
                suite.stack.kill(Part::Postgres, Signal::Cont).await.unwrap();
            }
        }
        assert_eq!((answered.len(), refused.len()), (TAKEN, COMMANDS - TAKEN));
        for task in &refused {
            let problem = task.call_raw("get", "", &[]).await.refused(404, None);
            assert!(problem["type"].as_str().unwrap().ends_with("/unknown-task"), "{problem}");
        }
        // As it was told to do.
        let again = &refused[..AGAIN];
        for task in again {
            let answer: Value = task.put_until_answered().await;
            assert_eq!((&answer["created"], &answer["version"]), (&true.into(), &1.into()));
        }
        assert!(Utc::now() < due, "the machine is too slow for this test");
        all_fire(&[&answered[..], again].concat(), due).await;
        assert!(refused[AGAIN..].iter().all(|task| task.events().is_empty()), "a refused one told");
        service.terminate();
        let ended = service.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
    });
}
