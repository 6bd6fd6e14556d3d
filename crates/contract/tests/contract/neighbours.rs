//! Events of the scheduler's neighbours: one example of each, as committed, and what holds for them.

use crate::fixtures::{check_file, now, root};
use crate::schemas::faults;
use reminder_contract::cloud_event::{EventData, Flow, Publisher, neighbour};
use reminder_contract::data::{
    Comment, ReminderFailed, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent,
};
use reminder_contract::schemas::pretty;
use reminder_contract::{CloudEvent, EventType};
use reminder_domain::TaskId;
use serde_json::{Value, json};
use std::borrow::Cow;

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
fn told() -> Vec<(EventType, EventData<'static>)> {
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

fn encoded(event_type: EventType, sequence: u64, data: EventData<'static>) -> Value {
    let id = TaskId::parse("milk-7").unwrap();
    let flow = Flow {
        correlation_id: Some(Cow::Borrowed("flow-1")),
        user_id: Some(Cow::Borrowed("alice@example.org")),
        traceparent: Some(Cow::Borrowed("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    };
    let event = neighbour(event_type, &id, sequence, now(), flow, data);
    serde_json::to_value(event).unwrap()
}

#[test]
fn their_events_are_as_committed_keep_to_their_schemas_and_are_read_back() {
    for (sequence, (event_type, data)) in (1..).zip(told()) {
        let event = encoded(event_type, sequence, data);
        if event_type.publisher() != Publisher::Either {
            let name = format!("crates/contract/tests/golden/event.{}.json", event_type.as_str());
            check_file(&root().join(name), &pretty(event.clone()));
        }
        assert_eq!(faults(event_type.as_str(), &event), Vec::<String>::new());
        let read = CloudEvent::read(event.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), event);
    }
}

#[test]
fn every_type_of_a_neighbour_has_an_example() {
    for event_type in EventType::ALL.iter().filter(|kind| kind.publisher() != Publisher::Scheduler)
    {
        assert!(told().iter().any(|(told, _)| told == event_type), "{event_type:?}");
    }
}

#[test]
fn who_tells_an_update_decides_how_it_is_read() {
    let [_, (event_type, data), ..] = <[_; 9]>::try_from(told()).unwrap();
    let mut event = encoded(event_type, 2, data);
    let read = |event: &Value| CloudEvent::read(event.to_string().as_bytes());
    assert!(matches!(read(&event).unwrap().data, EventData::Task(_)));
    event["source"] = json!("/reminder-scheduler");
    assert!(read(&event).is_err(), "the scheduler tells its own version, and why");
}
