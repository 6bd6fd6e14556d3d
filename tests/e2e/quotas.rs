//! Quotas of users on the real runtime: what is refused, and what is not.

use crate::api::{Task, in_ms};
use crate::suite::{Suite, disruptive};
use reminder_client::{CallOptions, Client, Error, ProblemKind, TaskId};
use reminder_stack::Part;
use serde_json::json;
use std::collections::BTreeMap;

/// An hour ahead: nothing of it fires while a test runs.
const LATER_MS: i64 = 3_600_000;

/// Runs the service with quotas; the stack is mended after the test.
async fn limited(suite: &Suite, settings: &[(&str, &str)]) {
    let environment = settings.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let environment: BTreeMap<String, String> = environment.collect();
    suite.stack.run_app_as(&suite.program, &environment).unwrap();
    suite.stop(Part::App(1)).await;
    suite.start_and_wait(Part::App(1)).await;
    suite.stack.wait_hosting(1).await.unwrap();
}

fn task_of(suite: &'static Suite, user: &str, name: &str) -> Task {
    suite.task(name).with("userId", user).due(in_ms(LATER_MS))
}

#[test]
fn a_user_has_so_many_open_tasks_and_completing_one_makes_room() {
    disruptive(async |suite| {
        limited(suite, &[("QUOTA_OPEN_TASKS", "2")]).await;
        let user = suite.unique("full") + "@example.org";
        let tasks = ["a", "b", "c"].map(|name| task_of(suite, &user, name));
        for task in &tasks[..2] {
            task.put_until_answered().await;
        }
        let problem = tasks[2].call("put", &tasks[2].body()).await.refused(409, None);
        assert!(problem["type"].as_str().unwrap().ends_with("too-many-open-tasks"), "{problem}");
        tasks[2].call_raw("get", "", &[]).await.refused(404, None);
        // What is open already may change, a repeat is answered, and others have quotas of their own.
        let changed = tasks[0].clone().with("title", "Another title");
        changed.put().await;
        tasks[1].put_until_answered().await;
        task_of(suite, &(suite.unique("other") + "@example.org"), "d").put().await;
        tasks[0].complete().await;
        tasks[2].put().await;
        // By REST it is a true status.
        let port = suite.manifest().replica(1).unwrap().app_port;
        let client = Client::direct(&format!("http://127.0.0.1:{port}")).unwrap().build().unwrap();
        let id = TaskId::parse(tasks[0].id.as_str()).unwrap();
        match client.reopen(&id, &CallOptions::default()).await {
            Err(Error::Refused(problem)) => {
                assert_eq!(problem.kind(), Some(ProblemKind::TooManyOpenTasks));
            }
            other => panic!("not refused: {other:?}"),
        }
    });
}

#[test]
fn a_user_may_send_so_many_commands_a_minute() {
    disruptive(async |suite| {
        limited(suite, &[("QUOTA_COMMANDS_PER_MINUTE", "3")]).await;
        let user = suite.unique("busy") + "@example.org";
        let task = task_of(suite, &user, "busy");
        let put = json!({ "commandId": "first", "task": task.fields });
        let first = task.call("put", &put).await.accepted();
        for number in 0..2 {
            task.clone().with("title", format!("Title {number}")).put().await;
        }
        let problem = task.call("complete", &json!({})).await.refused(429, None);
        assert!(problem["retryAfterSeconds"].as_u64().is_some_and(|wait| wait > 0), "{problem}");
        assert_eq!(task.call("put", &put).await.accepted(), first, "a known command is answered");
        assert_eq!(task.get().await["version"], 3);
        let other = suite.unique("calm") + "@example.org";
        task_of(suite, &other, "calm").put().await;
    });
}
