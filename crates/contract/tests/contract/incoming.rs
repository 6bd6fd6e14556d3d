//! What others publish: every form that is understood, and what is said of those that are not.

use crate::fixtures::root;
use reminder_contract::dead_letter::Reason;
use reminder_contract::incoming::{EVENT_MAX_BYTES, Incoming, TaskNews, Unreadable, read};
use reminder_domain::CommandKind;
use reminder_domain::ingested::{Ingested, News};
use reminder_domain::task::{Status, Task};
use serde_json::{Value, json};

fn news(event: &Value) -> TaskNews {
    match read(event.to_string().as_bytes()) {
        Ok(Incoming::Task(news)) => *news,
        other => panic!("{event} came to {other:?}"),
    }
}

fn fault(event: &Value) -> Unreadable {
    read(event.to_string().as_bytes()).expect_err(&event.to_string())
}

fn ingested(news: &TaskNews) -> &Ingested {
    let CommandKind::Ingest(event) = &news.command.kind else { panic!("{news:?}") };
    event
}

fn task(news: &TaskNews) -> &Task {
    match &ingested(news).news {
        News::Task { task, .. } => task,
        News::Deleted => panic!("{news:?}"),
    }
}

fn golden(event_type: &str) -> Value {
    let file = root().join(format!("crates/contract/tests/golden/event.{event_type}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn each_committed_event_of_the_owner_is_followed_as_told() {
    let told = [
        ("task.created", 1, Some(Status::Pending)),
        ("task.status.changed", 3, Some(Status::InProgress)),
        ("task.due.date.changed", 4, Some(Status::Pending)),
        ("task.completed", 7, Some(Status::Completed)),
        ("task.deleted", 8, None),
    ];
    for (event_type, version, status) in told {
        let event = golden(event_type);
        let news = news(&event);
        assert_eq!(news.task_id.as_str(), "milk-7");
        assert_eq!(news.event_id.as_deref(), event["id"].as_str());
        assert_eq!(ingested(&news).version.unwrap().get(), version, "{event_type}");
        let is = match &ingested(&news).news {
            News::Task { task, .. } => Some(task.status),
            News::Deleted => None,
        };
        assert_eq!(is, status, "{event_type}");
        let origin = &news.command.origin;
        assert_eq!(origin.correlation_id.as_ref().unwrap().as_str(), "flow-1");
        assert_eq!(origin.traceparent.as_ref().unwrap().as_str(), event["traceparent"]);
    }
}

#[test]
fn events_of_ours_are_known_by_their_source() {
    let event = golden("task.updated");
    assert_eq!(read(event.to_string().as_bytes()), Ok(Incoming::Own));
}

#[test]
fn other_types_are_no_task() {
    for event_type in ["task.archived", "reminder.triggered", "com.example.thing"] {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/x", "type": event_type, "data": [1, 2],
        });
        let unknown = Incoming::Unknown { event_type: event_type.to_owned() };
        assert_eq!(read(event.to_string().as_bytes()), Ok(unknown));
    }
}

#[test]
fn a_bare_task_is_understood_however_it_is_wrapped() {
    let bare = json!({ "taskId": "123", "title": "Test task", "status": "pending" });
    let wrapped = |data: Value| {
        json!({
            "specversion": "1.0", "id": "an-id", "source": "some-app", "type": "com.dapr.event.sent",
            "datacontenttype": "application/json", "data": data,
        })
    };
    let as_text = wrapped(json!(bare.to_string()));
    let mut encoded = wrapped(Value::Null);
    encoded["data_base64"] =
        json!("eyJ0YXNrSWQiOiIxMjMiLCJ0aXRsZSI6IlRlc3QgdGFzayIsInN0YXR1cyI6InBlbmRpbmcifQ==");
    let first = news(&bare);
    assert_eq!(first.event_id, None);
    for event in [wrapped(bare.clone()), as_text, encoded] {
        let news = news(&event);
        assert_eq!(news.task_id.as_str(), "123");
        assert_eq!(task(&news).title.as_str(), "Test task");
        assert_eq!(ingested(&news).version, None);
        assert_eq!(news.event_id.as_deref(), Some("an-id"));
        assert_eq!(news.command.fingerprint, first.command.fingerprint, "it says the same");
    }
}

#[test]
fn an_envelope_within_an_envelope_is_the_inner_one() {
    let inner = golden("task.created");
    let wrap = |data: &Value| {
        json!({
            "specversion": "1.0", "id": "outer", "source": "todo-api",
            "type": "com.dapr.event.sent", "traceparent": "00-1-2-3", "data": data,
        })
    };
    assert_eq!(news(&wrap(&inner)), news(&inner));
    assert_eq!(news(&wrap(&wrap(&inner))), news(&inner));
    assert_eq!(news(&wrap(&json!(inner.to_string()))), news(&inner));
    let unreadable = fault(&wrap(&wrap(&wrap(&wrap(&inner)))));
    assert_eq!(unreadable.reason, Reason::Malformed);
    let own = golden("task.updated");
    assert_eq!(read(wrap(&own).to_string().as_bytes()), Ok(Incoming::Own));
}

#[test]
fn unknown_fields_and_nulls_are_passed_over() {
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/x", "type": "task.updated", "future": {},
        "correlationid": "has spaces\nin it", "traceparent": "none",
        "data": {
            "taskId": "a", "title": "t", "due": "soon", "dueDate": null, "tags": null,
            "reminders": null, "priority": null, "version": 0, "comments": [{}],
        },
    });
    let news = news(&event);
    assert_eq!(task(&news).status, Status::Pending);
    assert_eq!(ingested(&news).version, None, "versions count from 1");
    assert_eq!(news.command.origin, reminder_domain::Origin::default());
}

#[test]
fn what_is_done_or_gone_is_so_by_its_type_or_its_status() {
    let event = |event_type: &str, status: &str| {
        json!({
            "specversion": "1.0", "id": "1", "source": "/x", "type": event_type,
            "data": { "taskId": "a", "title": "t", "status": status, "version": 3 },
        })
    };
    assert_eq!(task(&news(&event("task.completed", "pending"))).status, Status::Completed);
    assert_eq!(task(&news(&event("task.updated", "completed"))).status, Status::Completed);
    assert_eq!(ingested(&news(&event("task.updated", "deleted"))).news, News::Deleted);
    let mut deleted = event("task.deleted", "pending");
    deleted["data"] = json!({ "taskId": "a", "version": 3 });
    assert_eq!(ingested(&news(&deleted)).news, News::Deleted, "a title is not needed for that");
}

#[test]
fn the_same_id_of_two_sources_is_two_events() {
    let event = |source: &str| {
        let data = json!({ "taskId": "a", "title": "t" });
        json!({ "specversion": "1.0", "id": "1", "source": source, "type": "task.created", "data": data })
    };
    let id = |source| news(&event(source)).command.id.unwrap();
    assert_eq!(id("/x"), id("/x"));
    assert_ne!(id("/x"), id("/y"));
}

#[test]
fn what_is_wrong_is_named() {
    let event = |data: Value| {
        json!({
            "specversion": "1.0", "id": "bad-1", "source": "/x", "type": "task.created",
            "correlationid": "flow-9", "data": data,
        })
    };
    let invalid = [
        (json!(null), "data is missing"),
        (json!({ "title": "t" }), "taskId is missing"),
        (json!({ "taskId": "a" }), "title is missing"),
        (json!({ "taskId": "a", "title": 5 }), "title must be a string, but is 5"),
        (json!({ "taskId": "a||b", "title": "t" }), "taskId must"),
        (json!({ "taskId": "a", "title": "t", "status": "done" }), "status"),
        (json!({ "taskId": "a", "title": "t", "version": -1 }), "version must be a whole number"),
        (json!({ "taskId": "a", "title": "t", "dueDate": "tomorrow" }), "dueDate"),
        (json!({ "taskId": "a", "title": "t", "reminders": [{}] }), "reminders[0]"),
        (
            json!({ "taskId": "a", "title": "t", "recurrence": { "rule": "FREQ=DAILY" } }),
            "recurrence",
        ),
    ];
    for (data, words) in invalid {
        let unreadable = fault(&event(data.clone()));
        assert_eq!(unreadable.reason, Reason::Invalid, "{data}");
        assert!(unreadable.detail.starts_with(words), "{data}: {unreadable}");
        assert_eq!(unreadable.known.event_id.as_deref(), Some("bad-1"));
        assert_eq!(unreadable.known.correlation_id.as_deref(), Some("flow-9"));
    }
}

#[test]
fn what_is_no_event_at_all_is_malformed() {
    for bytes in [&b""[..], b"\xff\xfe", b"nonsense", b"[]", b"5", b"{\"specversion\":\"1.0\""] {
        assert_eq!(read(bytes).unwrap_err().reason, Reason::Malformed, "{bytes:?}");
    }
    let text = json!({ "specversion": "1.0", "id": "7", "data": "hello" });
    assert_eq!(fault(&text).reason, Reason::Malformed);
    assert_eq!(fault(&text).known.event_id.as_deref(), Some("7"));
    let base64 = json!({ "specversion": "1.0", "data_base64": "%%" });
    assert!(fault(&base64).detail.starts_with("data_base64 is not base64"));
    let large = vec![b' '; EVENT_MAX_BYTES + 1];
    assert_eq!(read(&large).unwrap_err().reason, Reason::TooLarge);
}
