//! One event of each type, as it was really told: by a task that goes through its life, and by what its
//! neighbours tell meanwhile. They are committed as golden files, and shown wherever an example is.

use crate::fixtures::{Story, now};
use reminder_contract::EventType;
use reminder_contract::cloud_event::{EventData, Flow, neighbour};
use reminder_contract::data::{
    Comment, ReminderFailed, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent,
};
use reminder_contract::wire::Method;
use reminder_domain::TaskId;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The examples of every type: one of each source that tells it.
pub(crate) fn examples() -> BTreeMap<EventType, Vec<Value>> {
    let mut last = BTreeMap::new();
    let mut note = |event_type: EventType, event: Value| {
        // The last one stays, in which most has happened.
        last.insert((event_type, event["source"].to_string()), event);
    };
    for bytes in story().events() {
        let event: Value = serde_json::from_slice(&bytes).unwrap();
        note(EventType::parse(event["type"].as_str().unwrap()).unwrap(), event);
    }
    for (sequence, (event_type, data)) in (1..).zip(told()) {
        note(event_type, encoded(event_type, sequence, data));
    }
    let mut examples: BTreeMap<EventType, Vec<Value>> = BTreeMap::new();
    for ((event_type, _), event) in last {
        examples.entry(event_type).or_default().push(event);
    }
    for event_type in EventType::ALL {
        let sources = event_type.publisher().sources().len();
        assert_eq!(examples[event_type].len(), sources, "every source of {event_type:?} has one");
    }
    examples
}

/// A task with everything that a caller may say.
pub(crate) const FULL: &str = r#"{"correlationId":"flow-1",
    "traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "task":{"title":"Buy milk","description":"Oat,\nnot soy",
        "dueDate":{"local":"2027-01-15T18:00:00","zone":"Europe/Berlin"},
        "priority":"high","tags":["home","shop"],"assignee":"Bob","createdBy":"Alice",
        "userId":"alice@example.org",
        "reminders":[{"id":"early","before":"P1DT1H"},{"id":"soon","before":"PT15M"},
            {"id":"fixed","at":"2027-01-15T16:00:00+01:00"},
            {"id":"useless","before":"P2D","lateLimit":"PT1H"}]}}"#;

/// Everything that happens to a task in its life.
pub(crate) fn story() -> Story {
    let mut story = Story::new("milk-7");
    story.send(Method::Put, FULL, now());
    story.wake(now().saturating_add_ms(7));
    let early = r#"{"reminderId":"early","for":"PT10S"}"#;
    story.send(Method::Snooze, early, now().saturating_add_ms(20_000));
    story.wake(now().saturating_add_ms(30_002));
    story.send(Method::Acknowledge, r#"{"reminderId":"early"}"#, now().saturating_add_ms(40_000));
    story.send(Method::Complete, "", now().saturating_add_ms(60_000));
    story.send(Method::Delete, r#"{"correlationId":"flow-2"}"#, now().saturating_add_ms(90_000));
    story
}

/// The task at its owner, at one version.
fn task(version: u64, change: impl FnOnce(&mut Value)) -> TaskEvent<'static> {
    let mut task = json!({
        "taskId": "milk-7", "title": "Buy milk", "description": "Oat, not soy",
        "dueDate": { "local": "2027-01-15T18:00:00", "zone": "Europe/Berlin" },
        "priority": "high", "tags": ["home", "shop"], "status": "pending",
        "assignee": "Bob", "createdBy": "Alice", "userId": "alice@example.org",
        "reminders": [{ "id": "soon", "before": "PT15M" }],
        "version": version,
    });
    change(&mut task);
    serde_json::from_value(task).unwrap()
}

/// What each neighbour tells in the life of a task, in order.
pub(crate) fn told() -> Vec<(EventType, EventData<'static>)> {
    let owner = |event_type, version, change: fn(&mut Value)| {
        (event_type, EventData::Task(task(version, change)))
    };
    let scheduled_for = now().saturating_add_ms(86_400_000);
    vec![
        owner(EventType::TaskCreated, 1, |_| {}),
        owner(EventType::TaskUpdated, 2, |task| task["title"] = json!("Buy oat milk")),
        owner(EventType::TaskStatusChanged, 3, |task| {
            task["status"] = json!("in_progress");
            task["previousStatus"] = json!("pending");
        }),
        owner(EventType::TaskDueDateChanged, 4, |task| {
            task["previousDueDate"] = task["dueDate"].take();
            task["dueDate"] = json!({ "date": "2027-01-16" });
        }),
        (
            EventType::TaskAssigneeChanged,
            EventData::TaskAssigneeChanged(TaskAssigneeChanged {
                task_id: "milk-7".into(),
                assignee: Some("Carol".into()),
                previous: Some("Bob".into()),
                version: 5,
            }),
        ),
        (
            EventType::TaskCommentsUpdated,
            EventData::TaskCommentsUpdated(TaskCommentsUpdated {
                task_id: "milk-7".into(),
                count: 1,
                last: Some(Comment {
                    author: "Carol".into(),
                    text: "They are out of oat milk".into(),
                    at: now(),
                }),
                version: 6,
            }),
        ),
        (
            EventType::ReminderFailed,
            EventData::ReminderFailed(ReminderFailed {
                task_id: "milk-7".into(),
                reminder_id: "soon".into(),
                scheduled_for,
                event_id: "milk-7:1:reminders-4".into(),
                channel: "webhook".into(),
                reason: "the receiver answered 503".into(),
                attempts: 6,
                failed_at: scheduled_for.saturating_add_ms(90_000),
            }),
        ),
        owner(EventType::TaskCompleted, 7, |task| task["status"] = json!("completed")),
        owner(EventType::TaskDeleted, 8, |task| task["status"] = json!("deleted")),
    ]
}

/// Such an event in its envelope.
pub(crate) fn encoded(event_type: EventType, sequence: u64, data: EventData<'static>) -> Value {
    let id = TaskId::parse("milk-7").unwrap();
    let flow = Flow {
        correlation_id: Some(Cow::Borrowed("flow-1")),
        user_id: Some(Cow::Borrowed("alice@example.org")),
        traceparent: Some(Cow::Borrowed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    };
    let event = neighbour(event_type, &id, sequence, now(), flow, data);
    serde_json::to_value(event).unwrap()
}
