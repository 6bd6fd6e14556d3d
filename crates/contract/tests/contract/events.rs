//! What events say about the flow they belong to and the task they tell of.

use crate::fixtures::{Story, now};
use reminder_contract::cloud_event::{EventData, ReadError, partition_key, topic_name};
use reminder_contract::data::{Cause, ReminderState, TaskStatus, UpdateReason};
use reminder_contract::wire::Method;
use reminder_contract::{CloudEvent, EventType};
use reminder_domain::{Topic, limits};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Read = CloudEvent<'static, EventData<'static>>;

fn read_all(story: &Story) -> Vec<Read> {
    story.events().iter().map(|bytes| CloudEvent::read(bytes).unwrap()).collect()
}

fn put(title: &str) -> String {
    format!(
        r#"{{"correlationId":"flow-1","traceparent":"{TRACE}",
            "task":{{"title":"{title}","dueDate":"2027-01-15T12:00:10Z","userId":"ü@example.org"}}}}"#
    )
}

#[test]
fn a_command_is_the_parent_of_its_events_and_a_link_of_the_trigger() {
    let mut story = Story::new("milk");
    story.send(Method::Put, &put("Buy milk"), now()).wake(now().saturating_add_ms(10_500));
    let events = read_all(&story);
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_ref()).collect();
    assert_eq!(
        types,
        [
            "reminder.scheduled",
            "task.updated",
            "task.sync",
            "reminder.triggered",
            "task.updated",
            "task.sync"
        ]
    );
    for event in &events {
        assert_eq!(event.correlationid.as_deref(), Some("flow-1"));
        assert_eq!(event.userid.as_deref(), Some("ü@example.org"));
        assert_eq!(event.subject, "task:milk");
    }
    let (by_command, by_wake) = events.split_at(3);
    assert!(by_command.iter().all(|event| event.traceparent.as_deref() == Some(TRACE)));
    assert!(by_wake.iter().all(|event| event.traceparent.is_none()), "that trace ended long ago");
    let EventData::ReminderTriggered(trigger) = &by_wake[0].data else { panic!("{by_wake:?}") };
    assert_eq!(trigger.schedule_traceparent.as_deref(), Some(TRACE));
    assert_eq!((trigger.late_by_ms, &trigger.cause), (500, &Cause::OnTime));
}

#[test]
fn ids_and_sequences_count_by_topic() {
    let mut story = Story::new("milk");
    story.send(Method::Put, &put("Buy milk"), now()).wake(now().saturating_add_ms(20_000));
    let ids: Vec<String> = read_all(&story).iter().map(|event| event.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "milk:1:reminders-1",
            "milk:1:task-events-1",
            "milk:1:task-updates-1",
            "milk:1:reminders-2",
            "milk:1:task-events-2",
            "milk:1:task-updates-2"
        ]
    );
    assert_eq!(read_all(&story)[3].sequence, "0000000002");
    assert_eq!(story.events(), story.events(), "a retry is the same bytes");
    assert_eq!(partition_key(&story.id), "milk");
}

#[test]
fn a_deleted_task_is_told_with_its_last_words() {
    let mut story = Story::new("milk");
    story.send(Method::Put, &put("Buy milk"), now()).send(Method::Delete, "", now());
    let events = read_all(&story);
    let Some(EventData::TaskSync(sync)) = events.last().map(|event| &event.data) else {
        panic!("{events:?}")
    };
    assert_eq!((sync.task.status, sync.task.next_reminder_at), (TaskStatus::Deleted, None));
    assert_eq!(sync.task.title, "Buy milk");
    assert_eq!(sync.reminders[0].state, ReminderState::Removed);
}

#[test]
fn a_late_trigger_says_so() {
    let mut story = Story::new("milk");
    story.send(Method::Put, &put("t"), now());
    story.wake(now().saturating_add_ms(10_001 + limits::ON_TIME_TOLERANCE_MS));
    let late = read_all(&story).into_iter().find_map(|event| match event.data {
        EventData::ReminderTriggered(trigger) => Some(trigger),
        _ => None,
    });
    assert_eq!(late.unwrap().cause, Cause::Late);
}

#[test]
fn words_of_a_later_version_are_kept() {
    let reason: UpdateReason = serde_json::from_str(r#""imported""#).unwrap();
    assert_eq!(reason, UpdateReason::Other("imported".into()));
    assert_eq!(serde_json::to_string(&reason).unwrap(), r#""imported""#);
}

#[test]
fn foreign_events_are_told_apart() {
    let mut story = Story::new("milk");
    story.send(Method::Put, r#"{"task":{"title":"t"}}"#, now());
    let event = String::from_utf8(story.events().remove(0)).unwrap();
    let foreign = event.replace(r#""type":"task.updated""#, r#""type":"task.painted""#);
    assert!(matches!(CloudEvent::read(foreign.as_bytes()), Err(ReadError::UnknownType(_))));
    assert!(matches!(CloudEvent::read(b"{}"), Err(ReadError::Malformed(_))));
}

#[test]
fn types_know_their_topics() {
    for &event_type in EventType::ALL {
        assert_eq!(EventType::parse(event_type.as_str()), Some(event_type));
    }
    assert_eq!(topic_name(EventType::ReminderTriggered.topic()), "reminders");
    assert_eq!(topic_name(EventType::TaskUpdated.topic()), "task-events");
    assert_eq!(topic_name(Topic::TaskUpdates), "task-updates");
}
