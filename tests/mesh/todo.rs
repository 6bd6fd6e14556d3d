//! The todo-api: its REST API, its events, and what it takes over from the scheduler.

use crate::suite::{Suite, disruptive, eventually, gentle};
use chrono::{SecondsFormat, TimeDelta, Utc};
use reminder_contract::CloudEvent;
use reminder_stack::{Member, Part, Signal};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Writers at the same time on one task.
const WRITERS: usize = 8;

/// The tasks of one user in the test of paging.
const LISTED: usize = 7;

fn call(suite: &Suite, method: Method, path: &str) -> RequestBuilder {
    suite.client.request(method, suite.url(Member::TodoApi, path))
}

async fn json_of(request: RequestBuilder, status: StatusCode) -> Value {
    let answer = request.send().await.unwrap();
    let (found, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn create(suite: &Suite, more: Value) -> String {
    let mut task = json!({ "title": "Buy milk", "userId": suite.unique("ada") });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let request = call(suite, Method::POST, "/v1/tasks").json(&task);
    let created = json_of(request, StatusCode::CREATED).await;
    created["taskId"].as_str().unwrap().to_owned()
}

fn in_seconds(seconds: i64) -> String {
    (Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[test]
fn a_task_is_made_read_changed_and_deleted_and_each_is_told() {
    gentle(async |suite| {
        let id = create(suite, json!({ "priority": "high" })).await;
        let path = format!("/v1/tasks/{id}");
        let read = call(suite, Method::GET, &path).send().await.unwrap();
        assert_eq!(read.headers()["etag"], "\"1\"");
        assert!(read.headers().contains_key("correlation-id"));
        let edit = call(suite, Method::PATCH, &path).json(&json!({ "title": "Buy bread" }));
        let patched = json_of(edit, StatusCode::OK).await;
        assert_eq!(
            (&patched["title"], &patched["priority"]),
            (&json!("Buy bread"), &json!("high"))
        );
        let complete = call(suite, Method::POST, &format!("{path}/complete"));
        assert_eq!(json_of(complete, StatusCode::OK).await["status"], "completed");
        let gone = call(suite, Method::DELETE, &path).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
        json_of(call(suite, Method::GET, &path), StatusCode::NOT_FOUND).await;

        suite.event_of(&id, "task.deleted").await;
        let ours = suite.events(&id).into_iter().filter(|event| event["source"] == "/todo-api");
        let mut seen = BTreeSet::new();
        let first: Vec<Value> = ours.filter(|event| seen.insert(event["id"].to_string())).collect();
        let types: Vec<&str> = first.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["task.created", "task.updated", "task.completed", "task.deleted"]);
        for event in &first {
            CloudEvent::read(event.to_string().as_bytes()).unwrap();
        }
    });
}

#[test]
fn events_carry_the_flow_of_the_call() {
    gentle(async |suite| {
        let correlation = suite.unique("flow");
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let task = json!({ "title": "Buy milk", "userId": "ada" });
        let request = call(suite, Method::POST, "/v1/tasks")
            .header("correlation-id", &correlation)
            .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
            .json(&task);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["correlation-id"], correlation.as_str());
        let task: Value = answer.json().await.unwrap();
        let event = suite.event_of(task["taskId"].as_str().unwrap(), "task.created").await;
        assert_eq!(event["correlationid"], correlation.as_str());
        assert!(event["traceparent"].as_str().unwrap().contains(trace), "{event}");
    });
}

#[test]
fn an_outdated_etag_is_refused_with_412() {
    gentle(async |suite| {
        let id = create(suite, json!({})).await;
        let path = format!("/v1/tasks/{id}");
        let edit = |tag: &str, title: &str| {
            let request = call(suite, Method::PATCH, &path).header("if-match", tag);
            request.json(&json!({ "title": title }))
        };
        json_of(edit("\"1\"", "first"), StatusCode::OK).await;
        let problem = json_of(edit("\"1\"", "second"), StatusCode::PRECONDITION_FAILED).await;
        assert_eq!(problem["status"], 412);
        let read = json_of(call(suite, Method::GET, &path), StatusCode::OK).await;
        assert_eq!(read["title"], "first");
        json_of(edit("\"2\"", "third"), StatusCode::OK).await;
    });
}

#[test]
fn writers_at_the_same_time_are_all_heard() {
    gentle(async |suite| {
        let id = create(suite, json!({})).await;
        let path = format!("/v1/tasks/{id}");
        let comments = (0..WRITERS).map(|number| {
            let path = format!("{path}/comments");
            let body = json!({ "author": "eve", "text": format!("comment {number}") });
            let request = call(suite, Method::POST, &path).json(&body);
            tokio::spawn(async move { request.send().await.unwrap().status() })
        });
        for comment in comments.collect::<Vec<_>>() {
            assert_eq!(comment.await.unwrap(), StatusCode::CREATED);
        }
        let comments = call(suite, Method::GET, &format!("{path}/comments"));
        let comments = json_of(comments, StatusCode::OK).await;
        assert_eq!(comments["count"], WRITERS);
        assert_eq!(comments["comments"].as_array().unwrap().len(), WRITERS);
        let last = |event: &Value| {
            event["type"] == "task.comments.updated" && event["data"]["count"] == WRITERS
        };
        suite.event(&id, last).await;
    });
}

#[test]
fn the_same_call_twice_makes_one_task() {
    gentle(async |suite| {
        let key = suite.unique("key");
        let task = json!({ "title": "Buy milk", "userId": suite.unique("ada") });
        let request = || {
            let request = call(suite, Method::POST, "/v1/tasks").header("idempotency-key", &key);
            request.json(&task)
        };
        let first = json_of(request(), StatusCode::CREATED).await;
        let second = json_of(request(), StatusCode::CREATED).await;
        assert_eq!(first, second);
        let user = task["userId"].as_str().unwrap();
        let list = call(suite, Method::GET, &format!("/v1/tasks?userId={user}"));
        let list = json_of(list, StatusCode::OK).await;
        assert_eq!(list["tasks"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_users_tasks_are_listed_in_pages() {
    gentle(async |suite| {
        let user = suite.unique("bob");
        let mut made = Vec::new();
        for number in 0..LISTED {
            let more = json!({ "title": format!("task {number}"), "userId": user });
            made.push(create(suite, more).await);
        }
        let complete = format!("/v1/tasks/{}/complete", made[0]);
        json_of(call(suite, Method::POST, &complete), StatusCode::OK).await;
        let mut listed = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/tasks?userId={user}&limit=3{after}");
            let page = json_of(call(suite, Method::GET, &path), StatusCode::OK).await;
            let tasks = page["tasks"].as_array().unwrap();
            listed.extend(tasks.iter().map(|task| task["taskId"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(listed, made);
        let open = format!("/v1/tasks?userId={user}&status=open");
        let open = json_of(call(suite, Method::GET, &open), StatusCode::OK).await;
        assert_eq!(open["tasks"].as_array().unwrap().len(), LISTED - 1);
    });
}

#[test]
fn what_cannot_be_used_is_a_problem_that_names_it() {
    gentle(async |suite| {
        let task = json!({ "title": "Buy milk", "userId": "ada", "dueDate": "tomorrow" });
        let request = call(suite, Method::POST, "/v1/tasks").json(&task);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let nobodys = json!({ "title": "Buy milk" });
        let request = call(suite, Method::POST, "/v1/tasks").json(&nobodys);
        let problem = json_of(request, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["field"], "userId");
        let nowhere = call(suite, Method::GET, "/v2/tasks");
        json_of(nowhere, StatusCode::NOT_FOUND).await;
        let document = json_of(call(suite, Method::GET, "/openapi.json"), StatusCode::OK).await;
        assert!(document["paths"]["/v1/tasks"]["post"].is_object());
    });
}

#[test]
fn a_task_rings_is_snoozed_and_rings_again() {
    gentle(async |suite| {
        let id = create(suite, json!({ "dueDate": in_seconds(6) })).await;
        suite.event_of(&id, "reminder.triggered").await;
        let path = format!("/v1/tasks/{id}/snooze");
        let snooze = call(suite, Method::POST, &path).json(&json!({ "for": "PT3S" }));
        json_of(snooze, StatusCode::OK).await;
        let again = |event: &Value| {
            event["type"] == "reminder.triggered" && event["data"]["cause"] == "snooze"
        };
        suite.event(&id, again).await;
        let acknowledge = call(suite, Method::POST, &format!("/v1/tasks/{id}/acknowledge"));
        json_of(acknowledge, StatusCode::OK).await;
        suite.event_of(&id, "reminder.acknowledged").await;
    });
}

#[test]
fn what_the_scheduler_refuses_reaches_the_caller() {
    gentle(async |suite| {
        let id = create(suite, json!({ "dueDate": in_seconds(3_600) })).await;
        suite.event_of(&id, "reminder.scheduled").await;
        let snooze =
            |body: Value| call(suite, Method::POST, &format!("/v1/tasks/{id}/snooze")).json(&body);
        let early = json_of(snooze(json!({ "for": "PT3S" })), StatusCode::CONFLICT).await;
        assert_eq!((&early["status"], &early["taskId"]), (&json!(409), &json!(id)));
        let odd = snooze(json!({ "for": "soon" }));
        assert_eq!(json_of(odd, StatusCode::UNPROCESSABLE_ENTITY).await["field"], "for");
        let nobody = format!("/v1/tasks/{}/acknowledge", suite.unique("nobody"));
        let unknown = json_of(call(suite, Method::POST, &nobody), StatusCode::NOT_FOUND).await;
        assert!(unknown["type"].as_str().unwrap().ends_with("/unknown-task"), "{unknown}");
    });
}

#[test]
fn what_is_asked_of_the_scheduler_is_done_once_and_in_the_flow_of_the_call() {
    gentle(async |suite| {
        let id = create(suite, json!({ "dueDate": in_seconds(1) })).await;
        suite.event_of(&id, "reminder.triggered").await;
        let (flow, key) = (suite.unique("flow"), suite.unique("key"));
        let trace = "5bf92f3577b34da6a3ce929d0e0e4737";
        let snooze = || {
            let path = format!("/v1/tasks/{id}/snooze");
            let call = call(suite, Method::POST, &path).json(&json!({ "for": "PT1H" }));
            call.header("idempotency-key", &key)
                .header("correlation-id", &flow)
                .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        };
        let first = json_of(snooze(), StatusCode::OK).await;
        assert_eq!(json_of(snooze(), StatusCode::OK).await, first);
        let told = suite.event_of(&id, "reminder.snoozed").await;
        assert_eq!(told["correlationid"], flow, "{told}");
        assert!(told["traceparent"].as_str().unwrap().contains(trace), "{told}");
        // What is asked next is told after it: one event lies between.
        let acknowledge = call(suite, Method::POST, &format!("/v1/tasks/{id}/acknowledge"));
        json_of(acknowledge, StatusCode::OK).await;
        suite.event_of(&id, "reminder.acknowledged").await;
        let events = suite.events(&id);
        let ids: BTreeSet<String> = events
            .iter()
            .filter(|event| event["type"] == "reminder.snoozed")
            .map(|event| event["id"].to_string())
            .collect();
        assert_eq!(ids.len(), 1, "{ids:?}");
    });
}

#[test]
fn a_recurring_task_comes_back_at_its_next_occurrence() {
    gentle(async |suite| {
        let due = Utc::now() + TimeDelta::hours(5);
        let text = due.to_rfc3339_opts(SecondsFormat::Secs, true);
        let more = json!({ "dueDate": text, "recurrence": { "rule": "FREQ=DAILY" } });
        let id = create(suite, more).await;
        suite.event_of(&id, "reminder.scheduled").await;
        let complete = call(suite, Method::POST, &format!("/v1/tasks/{id}/complete"));
        json_of(complete, StatusCode::OK).await;
        let next = (due + TimeDelta::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let path = format!("/v1/tasks/{id}");
        let task = eventually("the task is pending again", || async {
            let task = json_of(call(suite, Method::GET, &path), StatusCode::OK).await;
            (task["status"] == "pending").then_some(task)
        })
        .await;
        assert_eq!(task["dueDate"].as_str().map(|due| due.get(..19)), Some(next.get(..19)));
        assert_eq!(task["version"], 2, "an advance is no version of the owner's");
    });
}

#[test]
fn what_a_crash_leaves_unpublished_is_published_by_the_next_process() {
    disruptive(async |suite| {
        let (member, sidecar) =
            (Part::Member(Member::TodoApi), Part::MemberSidecar(Member::TodoApi));
        // Without a broker the task is made all the same, and its event waits. Then whoever could
        // publish it dies; a sidecar that lived on might do so by itself.
        suite.stack.kill(Part::Kafka, Signal::Kill).await.unwrap();
        let id = create(suite, json!({ "title": "Remember me" })).await;
        suite.stack.kill(member, Signal::Kill).await.unwrap();
        suite.stack.kill(sidecar, Signal::Kill).await.unwrap();
        assert!(suite.events(&id).is_empty(), "nobody could have told of it");
        suite.stack.start(Part::Kafka).await.unwrap();
        suite.stack.wait_ready(Part::Kafka).await.unwrap();
        for part in [sidecar, member] {
            suite.stack.start(part).await.unwrap();
        }
        suite.stack.wait_ready(member).await.unwrap();
        let event = suite.event_of(&id, "task.created").await;
        assert_eq!(event["data"]["title"], "Remember me");
        assert_eq!(event["id"], format!("{id}:todo-api:task.created-1"));
    });
}
