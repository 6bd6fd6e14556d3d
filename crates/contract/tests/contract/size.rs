//! The largest events that tasks can lead to: each is below its bound, and all are below the limit.

use crate::fixtures::{Story, now};
use reminder_contract::data::TaskStatus;
use reminder_contract::size::{EVENT_MAX_BYTES, bound, published};
use reminder_contract::wire::Method;
use reminder_contract::{CloudEvent, cloud_event::EventData};
use reminder_domain::command::{IfPast, Put};
use reminder_domain::ids::{CorrelationId, Traceparent};
use reminder_domain::{Command, CommandKind, Origin, Task, limits};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// One character that is long in JSON: by itself, escaped by everybody, escaped by the sidecar.
const LONG: [char; 6] = ['\u{1f600}', '"', '\\', '<', '&', '\u{2028}'];

/// A put of a task that holds as much of everything as a task may. No body of a command is as large; the
/// limits of the fields alone must do.
fn largest(letter: char) -> Command {
    // The two separators of lines are white space, which no text is alone.
    let text = |chars: usize| format!("x{}", String::from(letter).repeat(chars - 1));
    let person = text(limits::PERSON_MAX_CHARS);
    // Only a description has several lines; a control character is the longest there is.
    let description = if letter == '"' { '\u{1}' } else { letter };
    let reminders: Vec<Value> = (0..limits::REMINDERS_MAX)
        .map(|n| {
            let id = format!("{n:0>width$}", width = limits::REMINDER_ID_MAX_CHARS);
            json!({ "id": id, "before": format!("PT{n}M"), "nag": { "every": "PT1M", "max": 3 } })
        })
        .collect();
    let days = |year: u32| -> Vec<String> {
        let day = |n: usize| format!("{year}-{:02}-{:02}T12:00:00", 1 + n / 28, 1 + n % 28);
        (0..limits::RECURRENCE_EXCEPTIONS_MAX).map(day).collect()
    };
    let positions: Vec<String> = (1..=200).map(|n| n.to_string()).collect();
    let task = json!({
        "title": text(limits::TITLE_MAX_CHARS),
        "description": String::from(description).repeat(limits::DESCRIPTION_MAX_CHARS),
        "dueDate": { "local": "2027-01-15T12:00:00", "zone": "America/Argentina/ComodRivadavia" },
        "start": { "local": "2027-01-15T11:00:00", "zone": "America/Argentina/ComodRivadavia" },
        "recurrence": {
            "rule": format!("FREQ=YEARLY;BYYEARDAY={}", positions.join(",")),
            "exdates": days(2029), "rdates": days(2030),
        },
        "tags": (0..limits::TAGS_MAX)
            .map(|n| format!("{}{n:02}", text(limits::TAG_MAX_CHARS - 2)))
            .collect::<Vec<_>>(),
        "priority": "urgent", "status": "in_progress",
        "assignee": person, "createdBy": person, "userId": person,
        "reminders": reminders,
    });
    let task: Task = serde_json::from_value(task).unwrap();
    let long = "<".repeat(limits::CORRELATION_MAX_CHARS);
    Command {
        kind: CommandKind::Put(Box::new(Put { task, if_past: IfPast::Fire, restored: Vec::new() })),
        id: None,
        fingerprint: 0,
        if_version: None,
        as_user: None,
        origin: Origin {
            correlation_id: Some(CorrelationId::parse(long).unwrap()),
            traceparent: Some(Traceparent::parse(TRACE).unwrap()),
        },
    }
}

/// A story with events of every type of the scheduler's, all as large as they get.
fn story(letter: char) -> Story {
    let mut story = Story::new(&"t".repeat(limits::TASK_ID_MAX_CHARS));
    story.decide(&largest(letter), now());
    for minutes in [180, 240, 300] {
        story.wake(now().saturating_add_ms(minutes * 60_000));
    }
    let later = now().saturating_add_ms(301 * 60_000);
    story.send(Method::Snooze, r#"{"for":"PT1H"}"#, later);
    story.send(Method::Acknowledge, "{}", later);
    story.send(Method::Delete, "", later);
    story
}

#[test]
fn no_task_has_an_event_above_the_limit() {
    let (mut largest, mut types) = (0, BTreeSet::new());
    for letter in LONG {
        let story = story(letter);
        for commit in &story.commits {
            for event in &commit.pending.events {
                let bytes = commit.encode(&story.id, event);
                let (size, bound) = (
                    published(&bytes),
                    bound(&commit.pending.origin, &commit.snapshot, &event.fact),
                );
                let read = CloudEvent::read(&bytes).unwrap();
                let kind = read.event_type.to_string();
                assert!(size <= bound, "{kind} with {letter:?}: {size} bytes, bound {bound}");
                assert!(bound <= EVENT_MAX_BYTES, "{kind} with {letter:?}: {bound}");
                largest = largest.max(size);
                if let EventData::TaskSync(sync) = &read.data
                    && sync.task.status != TaskStatus::Deleted
                {
                    assert_eq!(sync.reminders.len(), limits::REMINDERS_MAX);
                }
                types.insert(kind);
            }
        }
    }
    for kind in ["reminder.triggered", "reminder.scheduled", "task.updated", "task.sync"] {
        assert!(types.contains(kind), "{kind} is not among {types:?}");
    }
    // Else the limit is of another world, and the test shows little.
    assert!(largest > EVENT_MAX_BYTES * 3 / 4, "{largest} of {EVENT_MAX_BYTES}");
}
