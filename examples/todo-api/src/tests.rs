//! What may happen to a task, decided without the store.

use crate::body;
use crate::change::{Change, Expected, Refusal, apply, follow};
use crate::document::{Document, PENDING_MAX};
use reminder_contract::cloud_event::{CloudEvent, TODO_API_SOURCE};
use reminder_contract::data::{Comment, TaskEvent, TaskUpdated};
use reminder_domain::task::{Status, Task};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::Flow;
use serde_json::{Value, json};
use std::borrow::Cow;

fn now() -> Timestamp {
    Timestamp::from_millis(1_900_000_000_000)
}

fn id() -> TaskId {
    TaskId::parse("milk").unwrap()
}

fn task(more: &Value) -> Task {
    let mut fields = json!({ "title": "Buy milk", "userId": "ada" });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body::task(fields).unwrap()
}

fn put(more: &Value) -> Change {
    Change::Put(Box::new(task(more)))
}

fn changed(before: Option<&Document>, change: Change) -> Document {
    let flow = Flow::fresh();
    apply(before, &id(), change, Expected::Anything, &flow, now()).unwrap().unwrap()
}

fn types(document: &Document) -> Vec<&str> {
    document.pending.iter().map(|pending| pending.event.event_type.as_ref()).collect()
}

fn last(document: &Document) -> TaskEvent<'static> {
    serde_json::from_value(document.pending.last().unwrap().event.data.clone()).unwrap()
}

/// What the scheduler tells of a task after a change of its own.
fn told(more: &Value) -> TaskUpdated<'static> {
    let mut told = json!({
        "taskId": "milk", "title": "Buy milk", "description": null, "dueDate": null, "start": null,
        "recurrence": null, "priority": "normal", "tags": [], "status": "pending",
        "assignee": null, "createdBy": null, "userId": "ada", "version": 1,
        "nextReminderAt": null, "reason": "advanced"
    });
    told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(told).unwrap()
}

#[test]
fn each_version_has_one_event_of_the_type_that_says_most() {
    let first = changed(None, put(&json!({})));
    let due = changed(Some(&first), put(&json!({ "dueDate": "2030-01-01T00:00:00Z" })));
    let title = Change::Patch(json!({ "title": "Buy bread" }));
    let renamed = changed(Some(&due), title);
    let begun = changed(Some(&renamed), Change::Patch(json!({ "status": "in_progress" })));
    let done = changed(Some(&begun), Change::Complete);
    let again = changed(Some(&done), Change::Reopen);
    let gone = changed(Some(&again), Change::Delete);
    let expected = [
        "task.created",
        "task.due.date.changed",
        "task.updated",
        "task.status.changed",
        "task.completed",
        "task.status.changed",
        "task.deleted",
    ];
    assert_eq!(types(&gone), expected);
    let versions: Vec<u64> = gone
        .pending
        .iter()
        .map(|pending| pending.event.data["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7]);
    assert!(gone.pending.iter().all(|pending| pending.event.source == TODO_API_SOURCE));
    assert_eq!(gone.pending[3].event.data["previousStatus"], "pending");
    assert_eq!(last(&gone).title, "Buy bread");
}

#[test]
fn every_event_is_one_that_the_contract_reads() {
    let first = changed(None, put(&json!({ "assignee": "bob" })));
    let comment =
        Comment { author: Cow::Borrowed("eve"), text: Cow::Borrowed("Whole milk?"), at: now() };
    let second = changed(Some(&first), Change::Comment(comment));
    assert_eq!(types(&second), ["task.created", "task.assignee.changed", "task.comments.updated"]);
    let topics: Vec<&str> = second.pending.iter().map(|pending| pending.topic.as_str()).collect();
    assert_eq!(topics, ["task-events", "task-updates", "task-updates"]);
    for pending in &second.pending {
        CloudEvent::read(&serde_json::to_vec(&pending.event).unwrap()).unwrap();
    }
    let ids: std::collections::BTreeSet<_> =
        second.pending.iter().map(|pending| pending.event.id.clone()).collect();
    assert_eq!(ids.len(), 3);
    // A comment is no version: what the scheduler has followed is still the last one.
    assert_eq!((second.version, second.revision), (1, 2));
}

#[test]
fn what_changes_nothing_tells_nothing() {
    let first = changed(None, put(&json!({})));
    for same in [put(&json!({})), Change::Reopen, Change::Patch(json!({ "title": "Buy milk" }))] {
        let flow = Flow::fresh();
        let after = apply(Some(&first), &id(), same, Expected::Anything, &flow, now());
        assert_eq!(after.unwrap(), None);
    }
}

#[test]
fn an_outdated_expectation_is_refused() {
    let first = changed(None, put(&json!({})));
    let second = changed(Some(&first), Change::Complete);
    let flow = Flow::fresh();
    let attempt = |before, expected| {
        apply(before, &id(), put(&json!({ "title": "x" })), expected, &flow, now())
    };
    let outdated = attempt(Some(&second), Expected::Revision(1)).unwrap_err();
    assert_eq!(outdated, Refusal::Outdated { revision: Some(2) });
    assert!(attempt(Some(&second), Expected::Revision(2)).unwrap().is_some());
    let none = attempt(None, Expected::Existing).unwrap_err();
    assert_eq!(none, Refusal::Outdated { revision: None });
}

#[test]
fn a_deleted_task_is_unknown_and_its_id_goes_on_counting() {
    let gone = changed(Some(&changed(None, put(&json!({})))), Change::Delete);
    let flow = Flow::fresh();
    let refused = apply(Some(&gone), &id(), Change::Complete, Expected::Anything, &flow, now());
    assert!(matches!(refused, Err(Refusal::Problem(problem)) if problem.status == 404));
    let again = changed(Some(&gone), put(&json!({})));
    assert_eq!(again.version, 3);
    assert_eq!(types(&again).last(), Some(&"task.created"));
}

#[test]
fn the_same_creation_twice_is_one_and_another_one_is_refused() {
    let create = |more: &Value| Change::Create(Box::new(task(more)));
    let first = changed(None, create(&json!({})));
    let flow = Flow::fresh();
    let again = |change| apply(Some(&first), &id(), change, Expected::Anything, &flow, now());
    assert_eq!(again(create(&json!({}))).unwrap(), None);
    assert_eq!(again(create(&json!({ "title": "x" }))).unwrap_err(), Refusal::Exists);
    // The answer may get lost, and somebody else change the task before the call is made again.
    let renamed = changed(Some(&first), Change::Patch(json!({ "title": "x" })));
    let late = create(&json!({}));
    let late = apply(Some(&renamed), &id(), late, Expected::Anything, &flow, now()).unwrap();
    assert_eq!(late, None);
}

#[test]
fn the_schedulers_advance_is_taken_over_without_a_version_of_our_own() {
    let due = json!({ "dueDate": "2030-01-01T00:00:00Z", "recurrence": { "rule": "FREQ=DAILY" } });
    let first = changed(None, put(&due));
    let done = changed(Some(&first), Change::Complete);
    let next = json!({
        "dueDate": "2030-01-02T00:00:00Z", "recurrence": { "rule": "FREQ=DAILY" },
        "version": 7, "sourceVersion": 2
    });
    let after = follow(&done, &told(&next)).unwrap();
    assert_eq!(after.task.status, Status::Pending);
    assert_eq!(serde_json::to_value(&after.task.due_date).unwrap(), "2030-01-02T00:00:00.000Z");
    assert_eq!((after.version, after.revision), (2, 3));
    assert_eq!(after.pending, done.pending);
    // Once is enough, and what is older than it says nothing.
    assert!(follow(&after, &told(&next)).is_none());
}

#[test]
fn what_the_owner_said_since_supersedes_the_scheduler() {
    let due = json!({ "dueDate": "2030-01-01T00:00:00Z" });
    let first = changed(None, put(&due));
    let advance = told(&json!({
        "dueDate": "2030-01-02T00:00:00Z", "version": 7, "sourceVersion": 1
    }));
    let moved = changed(Some(&first), put(&json!({ "dueDate": "2031-01-01T00:00:00Z" })));
    assert!(follow(&moved, &advance).is_none());
    // Another title says nothing about when it is due.
    let renamed = changed(Some(&first), Change::Patch(json!({ "title": "Buy bread" })));
    assert!(follow(&renamed, &advance).is_some());
    let unknown = told(&json!({ "dueDate": "2030-01-02T00:00:00Z", "version": 7 }));
    assert!(follow(&first, &unknown).is_none());
}

#[test]
fn too_many_waiting_events_are_refused_rather_than_lost() {
    let mut document = changed(None, put(&json!({})));
    let mut refused = None;
    for number in 0..=PENDING_MAX {
        let flow = Flow::fresh();
        let patch = Change::Patch(json!({ "title": format!("{number}") }));
        match apply(Some(&document), &id(), patch, Expected::Anything, &flow, now()) {
            Ok(after) => document = after.unwrap(),
            Err(error) => refused = Some(error),
        }
    }
    assert_eq!(document.pending.len(), PENDING_MAX);
    assert!(matches!(refused, Some(Refusal::Problem(problem)) if problem.status == 503));
}

#[test]
fn what_cannot_be_used_is_named() {
    let problem = |fields| body::task(fields).unwrap_err().field.clone();
    assert_eq!(problem(json!({ "title": "x", "duedate": "2030-01-01" })), Some("duedate".into()));
    let recurs = json!({ "title": "x", "recurrence": { "rule": "FREQ=DAILY" } });
    assert_eq!(problem(recurs), Some("recurrence".into()));
    let flow = Flow::fresh();
    let nobodys = Change::Put(Box::new(body::task(json!({ "title": "x" })).unwrap()));
    let refused = apply(None, &id(), nobodys, Expected::Anything, &flow, now()).unwrap_err();
    assert!(
        matches!(refused, Refusal::Problem(problem) if problem.field.as_deref() == Some("userId"))
    );
}
