//! What others publish on `task-events` becomes tasks: followed once, in order, in every form.

use crate::api::{Task, in_ms, rfc3339};
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use reminder_contract::cloud_event::{CONTENT_TYPE, TODO_API_SOURCE};
use reminder_contract::names::{PUBSUB, TASK_EVENTS};
use reminder_stack::probe;
use serde_json::{Value, json};

/// The trace that the owner's change is part of.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// An event of the owner: a whole task, at a version.
pub(crate) fn told(task: &str, event_type: &str, version: u64, fields: &Value) -> Value {
    let mut data = json!({
        "taskId": task, "title": format!("{task} at {version}"), "status": "pending",
        "userId": "u@example.org", "version": version,
    });
    data.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({
        "specversion": "1.0", "id": format!("{task}:todo-api:{event_type}-{version}"),
        "source": TODO_API_SOURCE, "type": event_type, "subject": format!("task:{task}"),
        "datacontenttype": "application/json", "correlationid": format!("flow-of-{task}"),
        // Without Dapr's older name for it, the sidecar puts its own trace over it.
        "traceparent": TRACEPARENT, "traceid": TRACEPARENT, "data": data,
    })
}

/// Publishes as another service does: through a sidecar.
pub(crate) async fn publish(
    suite: &Suite,
    key: &str,
    content_type: &str,
    more: &str,
    body: Vec<u8>,
) {
    let port = suite.api().port;
    let url = format!(
        "http://127.0.0.1:{port}/v1.0/publish/{PUBSUB}/{TASK_EVENTS}?metadata.partitionKey={key}{more}"
    );
    let client = reqwest::Client::new();
    let published = probe::until(EVENT_DEADLINE, || async {
        let request = client.post(&url).header("content-type", content_type).body(body.clone());
        let response = request.send().await.ok()?;
        response.status().is_success().then_some(())
    });
    assert!(published.await.is_some(), "{key} could not be published");
}

pub(crate) async fn tell(suite: &Suite, event: &Value) {
    let task = event["data"]["taskId"].as_str().unwrap();
    publish(suite, task, CONTENT_TYPE, "", event.to_string().into_bytes()).await;
}

/// The task once it has followed that version of its owner.
pub(crate) async fn followed(task: &Task, version: u64, limit: std::time::Duration) -> Value {
    let found = probe::until(limit, || async {
        let events = task.events();
        let sync = events.iter().rfind(|event| event.kind == "task.sync")?;
        (sync.data()["sourceVersion"].as_u64() >= Some(version)).then(|| sync.data().clone())
    });
    found
        .await
        .unwrap_or_else(|| panic!("{} does not follow {version}: {:?}", task.id, task.events()))
}

/// The owner's versions that the task has told of, in order.
pub(crate) fn versions(task: &Task) -> Vec<u64> {
    let events = task.events().into_iter().filter(|event| event.kind == "task.sync");
    events.filter_map(|event| event.data()["sourceVersion"].as_u64()).collect()
}

#[test]
fn an_event_of_the_owner_becomes_a_task_and_fires() {
    gentle(async |suite| {
        let task = suite.task("told");
        let due = in_ms(6_000);
        tell(suite, &told(&task.id, "task.created", 1, &json!({ "dueDate": rfc3339(due) }))).await;
        let scheduled = task.event("reminder.scheduled").await;
        assert_eq!(scheduled.data()["scheduledFor"], rfc3339(due));
        assert_eq!(scheduled.envelope["correlationid"], format!("flow-of-{}", task.id));
        let sync = followed(&task, 1, EVENT_DEADLINE).await;
        assert_eq!(sync["title"], format!("{} at 1", task.id));
        let fired = task.event("reminder.triggered").await;
        assert_eq!(fired.data()["scheduledFor"], rfc3339(due));
        assert!(fired.time("firedAt") >= due, "never early");
        assert_eq!(fired.envelope["correlationid"], format!("flow-of-{}", task.id));
        let scheduled_in = fired.data()["scheduleTraceparent"].as_str().unwrap();
        assert!(scheduled_in.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{scheduled_in}");
        tell(suite, &told(&task.id, "task.deleted", 2, &json!({ "status": "deleted" }))).await;
        assert_eq!(followed(&task, 2, EVENT_DEADLINE).await["status"], "deleted");
    });
}

#[test]
fn events_are_followed_once_in_whatever_order_they_come() {
    gentle(async |suite| {
        let task = suite.task("jumbled");
        let due = |days: i64| json!({ "dueDate": rfc3339(in_ms(days * 86_400_000)) });
        let third = told(&task.id, "task.due.date.changed", 3, &due(3));
        for event in [
            &third,
            &told(&task.id, "task.created", 1, &due(1)),
            &third,
            &told(&task.id, "task.updated", 2, &due(2)),
            &told(&task.id, "task.updated", 4, &json!({ "dueDate": third["data"]["dueDate"] })),
            &third,
            &told(&task.id, "task.deleted", 2, &json!({})),
            &told(&task.id, "task.updated", 5, &json!({ "dueDate": third["data"]["dueDate"] })),
        ] {
            tell(suite, event).await;
        }
        let sync = followed(&task, 5, EVENT_DEADLINE).await;
        assert_eq!(sync["title"], format!("{} at 5", task.id));
        assert_eq!(versions(&task), [3, 4, 5], "what is older, or known, does nothing");
        let kinds = task.events();
        let of = |kind: &str| kinds.iter().filter(|event| event.kind == kind).count();
        assert_eq!((of("reminder.scheduled"), of("task.updated")), (1, 0), "nothing is echoed");
        assert_eq!(task.get().await["version"], 3);
    });
}

#[test]
fn a_bare_task_and_a_wrapped_event_are_understood() {
    gentle(async |suite| {
        let bare = suite.task("bare");
        let body = json!({ "taskId": bare.id, "title": "Test task", "status": "pending", "userId": "u@example.org" });
        publish(suite, &bare.id, "application/json", "", body.to_string().into_bytes()).await;
        assert_eq!(bare.event("task.sync").await.data()["title"], "Test task");
        let wrapped = suite.task("wrapped");
        let event = told(&wrapped.id, "task.created", 7, &json!({}));
        publish(suite, &wrapped.id, "application/json", "", event.to_string().into_bytes()).await;
        assert_eq!(
            followed(&wrapped, 7, EVENT_DEADLINE).await["title"],
            format!("{} at 7", wrapped.id)
        );
        let raw = suite.task("raw");
        let event = told(&raw.id, "task.created", 2, &json!({})).to_string().into_bytes();
        publish(suite, &raw.id, "application/octet-stream", "&metadata.rawPayload=true", event)
            .await;
        followed(&raw, 2, EVENT_DEADLINE).await;
    });
}

#[test]
fn events_of_ours_lead_to_nothing() {
    gentle(async |suite| {
        let task = suite.task("own").due(in_ms(86_400_000));
        task.put().await;
        task.event("task.updated").await;
        // What is behind it on its partition has been taken, and so has our own.
        tell(suite, &told(&task.id, "task.updated", 1, &json!({}))).await;
        followed(&task, 1, EVENT_DEADLINE).await;
        assert_eq!(task.get().await["version"], 2);
        let updates = task.events().into_iter().filter(|event| event.kind == "task.updated");
        assert_eq!(updates.count(), 1);
    });
}

#[test]
fn completing_a_recurring_task_advances_it_and_tells_its_owner() {
    gentle(async |suite| {
        let task = suite.task("recurring");
        let fields = |status: &str| {
            json!({
                "status": status, "dueDate": { "local": "2038-03-01T09:00:00", "zone": "Europe/Berlin" },
                "recurrence": { "rule": "FREQ=DAILY" },
            })
        };
        tell(suite, &told(&task.id, "task.created", 1, &fields("pending"))).await;
        tell(suite, &told(&task.id, "task.completed", 2, &fields("completed"))).await;
        let updated = task.event("task.updated").await;
        let next = json!({ "local": "2038-03-02T09:00:00", "zone": "Europe/Berlin" });
        assert_eq!(updated.data()["reason"], "advanced");
        assert_eq!(updated.data()["sourceVersion"], 2);
        assert_eq!(updated.data()["dueDate"], next);
        // An edit of the owner, who has not taken that over yet, does not bring the old date back.
        tell(suite, &told(&task.id, "task.updated", 3, &fields("completed"))).await;
        let sync = followed(&task, 3, EVENT_DEADLINE).await;
        assert_eq!((&sync["dueDate"], &sync["status"]), (&next, &json!("pending")));
        assert_eq!(sync["title"], format!("{} at 3", task.id));
    });
}

#[test]
fn there_is_one_subscription_although_two_are_declared() {
    gentle(async |suite| {
        let metadata = probe::get(suite.api().port, "/v1.0/metadata", &[]).await.unwrap();
        let metadata: Value = serde_json::from_str(&metadata.body).unwrap();
        let all = metadata["subscriptions"].as_array().unwrap();
        let ours: Vec<&Value> = all.iter().filter(|one| one["topic"] == TASK_EVENTS).collect();
        assert_eq!(ours.len(), 1, "{all:?}");
        assert_eq!(ours[0]["type"], "PROGRAMMATIC");
        assert_eq!(ours[0]["deadLetterTopic"], "task-events-dlq");
    });
}
