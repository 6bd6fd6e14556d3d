//! The committed schemas are those of the code, and every event keeps to them.

use crate::examples::examples;
use crate::fixtures::{Story, check_file, now, root};
use jsonschema::Validator;
use proptest::prelude::*;
use reminder_contract::wire::Method;
use reminder_contract::{CloudEvent, EventType, schemas};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The validators of the committed schemas, of the whole event and of its data alone.
pub(crate) static VALIDATORS: LazyLock<HashMap<&str, (Validator, Validator)>> =
    LazyLock::new(|| {
        let compile = |schema: &Value| {
            jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
        };
        let of = |event_type: &EventType| {
            let text = std::fs::read_to_string(root().join(schemas::path(*event_type))).unwrap();
            let whole: Value = serde_json::from_str(&text).unwrap();
            let mut data = json!({ "$ref": event_type.data_schema(), "$defs": { "event": whole } });
            data["$schema"] = whole["$schema"].clone();
            (event_type.as_str(), (compile(&whole), compile(&data)))
        };
        EventType::ALL.iter().map(of).collect()
    });

/// What is wrong with an event by its schema.
pub(crate) fn faults(event_type: &str, event: &Value) -> Vec<String> {
    let (whole, data) = &VALIDATORS[event_type];
    [errors(whole, event), errors(data, &event["data"])].concat()
}

pub(crate) fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn committed_schemas_are_those_of_the_code() {
    for (event_type, examples) in examples() {
        let schema = schemas::with_examples(event_type, examples);
        check_file(&root().join(schemas::path(event_type)), &schemas::pretty(schema));
    }
}

#[test]
fn schemas_are_valid_by_their_own_dialect() {
    for &event_type in EventType::ALL {
        let schema = schemas::schema(event_type);
        assert_eq!(schema["$id"], event_type.schema_id());
        assert!(jsonschema::meta::is_valid(&schema), "{event_type:?}");
    }
}

#[test]
fn schemas_refuse_what_is_not_such_an_event_and_allow_what_is_added_later() {
    let mut story = Story::new("t");
    story.send(Method::Put, r#"{"task":{"title":"t","dueDate":"2027-01-16T00:00:00Z"}}"#, now());
    let good: Value = serde_json::from_slice(&story.events()[0]).unwrap();
    let (validator, data_validator) = &VALIDATORS["reminder.scheduled"];
    let valid = |pointer: &str, key: &str, value: Value| {
        let mut event = good.clone();
        event.pointer_mut(pointer).unwrap()[key] = value;
        errors(validator, &event).is_empty()
    };
    assert!(valid("", "type", json!("reminder.scheduled")));
    assert!(!valid("", "type", json!("reminder.triggered")));
    assert!(!valid("", "sequence", json!("1")));
    assert!(!valid("", "time", json!("yesterday")));
    assert!(!valid("/data", "scheduledFor", json!("tomorrow")));
    assert!(!valid("/data", "version", json!("1")));
    assert!(valid("/data", "addedLater", json!({ "any": "thing" })));
    assert!(valid("", "pubsubname", json!("kafka-pubsub")), "the sidecar adds it");
    assert!(data_validator.is_valid(&good["data"]));
    assert!(!data_validator.is_valid(&good), "an envelope is not the data");
}

/// Tasks as callers describe them: every field absent or present, both kinds of times.
fn put_body() -> impl Strategy<Value = Value> {
    let text = "[a-zA-Z0-9äöü\"\\\\ 😀]{0,12}[a-z]";
    let time = prop_oneof![
        (0..4_000_000_000_000_i64).prop_map(|ms| {
            json!(reminder_domain::Timestamp::from_millis(ms.min(2_300_000_000_000)))
        }),
        (1..=28_u32).prop_map(|day| json!({ "date": format!("2027-02-{day:02}") })),
        (1..=28_u32).prop_map(|day| json!({ "local": format!("2027-02-{day:02}T07:00:00") })),
        (2026..2040_i32, 1..=12_u32, 1..=28_u32, 0..24_u32, prop::sample::select(vec![
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kathmandu",
            "Pacific/Apia",
        ]))
            .prop_map(|(year, month, day, hour, zone)| {
                json!({ "local": format!("{year}-{month:02}-{day:02}T{hour:02}:30:00"), "zone": zone })
            }),
    ];
    let reminder = prop_oneof![
        time.clone().prop_map(|at| json!({ "at": at })),
        prop::sample::select(vec!["PT0S", "PT15M", "P1D", "P2W", "P1DT2H"])
            .prop_map(|before| json!({ "before": before })),
        Just(json!({ "after": "PT10M", "lateLimit": "P1D", "nag": { "every": "PT5M", "max": 9 } })),
    ];
    let recurrence = prop::option::of(prop::sample::select(vec![
        json!({ "rule": "FREQ=DAILY;COUNT=5" }),
        json!({ "rule": "FREQ=WEEKLY;BYDAY=MO,TH", "exdates": ["2027-02-01"] }),
        json!({ "rule": "FREQ=MONTHLY", "from": "completion" }),
    ]));
    let optional = |strategy: &'static str| prop::option::of(strategy);
    (
        text,
        optional("(?s)[^\\x00]{0,40}"),
        time,
        prop::sample::select(vec!["low", "normal", "high", "urgent"]),
        prop::collection::vec(text, 0..4),
        prop::sample::select(vec!["pending", "in_progress", "completed"]),
        optional("[a-z]{1,8}@example\\.org"),
        optional("[a-z]{1,8}"),
        prop::collection::vec(reminder, 0..5),
        (optional("[!-~]{1,20}"), recurrence),
    )
        .prop_map(
            |(
                title,
                description,
                due,
                priority,
                tags,
                status,
                user,
                assignee,
                reminders,
                (flow, recurrence),
            )| {
                let reminders: Vec<Value> = reminders
                    .into_iter()
                    .enumerate()
                    .map(|(index, mut reminder)| {
                        reminder["id"] = json!(format!("r{index}"));
                        reminder
                    })
                    .collect();
                json!({
                    "correlationId": flow,
                    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                    "task": {
                        "title": title, "description": description, "dueDate": due,
                        "priority": priority, "tags": tags, "status": status, "userId": user,
                        "assignee": assignee, "createdBy": assignee, "reminders": reminders,
                        "recurrence": recurrence,
                    }
                })
            },
        )
}

#[derive(Clone, Debug)]
enum Step {
    Put(Value),
    Send(Method, &'static str),
    Wake,
}

fn step() -> impl Strategy<Value = Step> {
    let others = vec![
        (Method::Complete, ""),
        (Method::Reopen, ""),
        (Method::Delete, ""),
        (Method::Skip, ""),
        (Method::Acknowledge, ""),
        (Method::Dismiss, ""),
        (Method::Snooze, r#"{"for":"PT1H"}"#),
        (Method::Snooze, r#"{"preset":"tomorrow"}"#),
        (Method::PutReminder, r#"{"reminder":{"id":"extra","after":"P1D","lateLimit":"PT1H"}}"#),
    ];
    prop_oneof![
        3 => put_body().prop_map(Step::Put),
        3 => prop::sample::select(others).prop_map(|(method, body)| Step::Send(method, body)),
        3 => Just(Step::Wake),
    ]
}

proptest! {
    #[test]
    fn every_event_keeps_to_its_schema_and_can_be_read(
        steps in prop::collection::vec((step(), 0..100_000_000_000_i64), 1..8)
    ) {
        let mut story = Story::new("task-1");
        let mut clock = now();
        for (step, later) in steps {
            match step {
                Step::Put(body) => story.send(Method::Put, &body.to_string(), clock),
                Step::Send(method, body) => story.send(method, body, clock),
                Step::Wake => story.wake(clock),
            };
            clock = clock.saturating_add_ms(later);
        }
        let mut ids = std::collections::HashSet::new();
        for bytes in story.events() {
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let (whole, data) = &VALIDATORS[value["type"].as_str().unwrap()];
            prop_assert_eq!(errors(whole, &value), Vec::<String>::new(), "{}", &value);
            prop_assert_eq!(errors(data, &value["data"]), Vec::<String>::new(), "{}", &value);
            prop_assert!(ids.insert(value["id"].clone()), "the id {} is given twice", value["id"]);

            let event = CloudEvent::read(&bytes).unwrap();
            prop_assert_eq!(serde_json::to_value(&event).unwrap(), value, "reading loses nothing");
        }
    }
}
