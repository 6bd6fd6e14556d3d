//! Bad input: each gets a problem that names its field, through the sidecar's HTTP and gRPC alike,
//! and the stored task stays as it was.

use crate::api::{Task, in_ms, rfc3339};
use crate::suite::{Suite, gentle};
use dapr::dapr::proto::runtime::v1::InvokeActorRequest;
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use reminder_contract::names::ACTOR_TYPE;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A method, its body, and the refusal that it must get: status and field.
type Case = (&'static str, String, u16, Option<&'static str>);

fn cases() -> Vec<Case> {
    let put = |task: Value| json!({ "task": task }).to_string();
    let title = "Fine";
    vec![
        ("put", "{\"task\":".to_owned(), 422, None),
        ("put", "[1]".to_owned(), 422, None),
        ("put", String::new(), 422, Some("task")),
        ("put", json!({ "task": { "title": title }, "tsak": 1 }).to_string(), 422, Some("tsak")),
        ("put", put(json!({ "titel": title })), 422, Some("task.titel")),
        ("put", put(json!({ "title": " " })), 422, Some("task.title")),
        ("put", put(json!({ "title": 7 })), 422, Some("task.title")),
        ("put", put(json!({ "title": title, "priority": "asap" })), 422, Some("task.priority")),
        ("put", put(json!({ "title": title, "dueDate": "tomorrow" })), 422, Some("task.dueDate")),
        (
            "put",
            put(json!({ "title": title, "dueDate": "2027-01-01T10:00:00" })),
            422,
            Some("task.dueDate"),
        ),
        (
            "put",
            put(
                json!({ "title": title, "dueDate": { "local": "2027-01-01T10:00:00", "zone": "Europe/Atlantis" } }),
            ),
            422,
            Some("task.dueDate.zone"),
        ),
        (
            "put",
            put(json!({ "title": title, "dueDate": { "date": "2027-02-29" } })),
            422,
            Some("task.dueDate.date"),
        ),
        (
            "put",
            put(json!({ "title": title, "dueDate": rfc3339(in_ms(21 * 366 * 86_400_000)) })),
            422,
            Some("task.dueDate"),
        ),
        (
            "put",
            put(json!({ "title": title, "dueDate": rfc3339(in_ms(3_600_000)),
                "recurrence": { "rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" } })),
            422,
            Some("task.recurrence.rule"),
        ),
        ("snooze", json!({ "for": "five minutes" }).to_string(), 422, Some("for")),
        ("snooze", json!({ "preset": "some-day" }).to_string(), 422, Some("preset")),
        ("acknowledge", json!({ "reminderId": "nobody" }).to_string(), 422, Some("reminderId")),
        ("skip", String::new(), 409, None),
        (
            "put",
            put(json!({ "title": title, "reminders": [
                { "id": "a", "at": rfc3339(in_ms(3_600_000)) }, { "id": "b/c", "at": rfc3339(in_ms(3_600_000)) }
            ] })),
            422,
            Some("task.reminders[1].id"),
        ),
        ("put", put(json!({ "title": title, "description": "x".repeat(70_000) })), 413, None),
        (
            "put",
            json!({ "task": { "title": title }, "ifVersion": -1 }).to_string(),
            422,
            Some("ifVersion"),
        ),
        ("complete", json!({ "ifVersion": "1" }).to_string(), 422, Some("ifVersion")),
        ("complete", json!({ "commandId": "a b" }).to_string(), 422, Some("commandId")),
        ("delete", json!({ "force": true }).to_string(), 422, Some("force")),
        ("get", json!({ "verbose": true }).to_string(), 422, Some("verbose")),
    ]
}

async fn stored(suite: &'static Suite, name: &str) -> (Task, Value) {
    let task = suite.task(name).due(in_ms(3_600_000));
    task.put().await;
    let view = task.get().await;
    (task, view)
}

#[test]
fn bad_input_over_http_is_refused_by_field_and_changes_nothing() {
    gentle(async |suite| {
        let (task, before) = stored(suite, "refused-http").await;
        for (method, body, status, field) in cases() {
            let problem = task.call_raw(method, body, &[]).await.refused(status, field);
            assert_eq!(problem["taskId"], *task.id, "{problem}");
        }
        assert_eq!(task.get().await, before);
    });
}

#[test]
fn bad_input_over_grpc_is_refused_by_field_and_changes_nothing() {
    gentle(async |suite| {
        let (task, before) = stored(suite, "refused-grpc").await;
        let port = suite.manifest().replica(1).unwrap().grpc_port;
        let mut client = DaprClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap();
        for (method, body, status, field) in cases() {
            let message = InvokeActorRequest {
                actor_type: ACTOR_TYPE.into(),
                actor_id: task.id.clone(),
                method: method.into(),
                data: body.into_bytes(),
                metadata: HashMap::new(),
            };
            let answer = client.invoke_actor(message).await.unwrap().into_inner();
            let problem: Value = serde_json::from_slice(&answer.data).unwrap();
            assert_eq!(problem["status"], status, "{problem}");
            assert_eq!(problem.get("field").and_then(Value::as_str), field, "{problem}");
        }
        assert_eq!(task.get().await, before);
    });
}

#[test]
fn bad_task_ids_are_refused_before_anything_is_done() {
    gentle(async |suite| {
        let api = suite.api();
        let body = json!({ "task": { "title": "Fine" } }).to_string();
        // `||` would break the listing of reminders for the whole type.
        for id in ["a%7C%7Cb", "a.b", "-a", "a%20b", &"x".repeat(129)] {
            let answer = api.call(id, "put", body.clone(), &[]).await.unwrap();
            if answer.status == 200 {
                answer.refused(422, Some("taskId"));
            } else {
                // Dapr itself refuses some.
                assert_eq!(answer.status, 400, "{id}: {answer:?}");
            }
        }
        // These never reach us: Dapr must refuse them itself.
        for id in ["a%2Fb", "a%23b", "a%3Fb"] {
            let answer = api.call(id, "put", body.clone(), &[]).await.unwrap();
            assert_eq!(answer.status, 400, "{id}: {answer:?}");
        }
    });
}
