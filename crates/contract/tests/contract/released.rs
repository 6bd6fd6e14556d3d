//! The schemas against those of the last release, `schemas/released`: within a version they only grow.
//!
//! `cargo xtask schemas --release` takes the present ones over, once nothing is broken.

use crate::examples::examples;
use crate::fixtures::root;
use reminder_contract::cloud_event::Publisher;
use reminder_contract::schemas::compatibility::{Break, Writers, breaks};
use reminder_contract::schemas::{RELEASED, pretty, released_path, with_examples};
use reminder_contract::{CloudEvent, EventType};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The types that were released; one that is new is free until it is.
fn released() -> Vec<EventType> {
    let all = EventType::ALL.iter().copied();
    all.filter(|event_type| root().join(released_path(*event_type)).exists()).collect()
}

/// Who else but the process that is built here writes such an event: each neighbour of the scheduler
/// is released by itself, and may be somebody else's.
fn writers(event_type: EventType) -> Writers {
    match event_type.publisher() {
        Publisher::Scheduler => Writers::Ours,
        _ => Writers::Others,
    }
}

#[test]
fn schemas_only_grow_since_the_last_release() {
    let present: BTreeMap<EventType, Value> = examples()
        .into_iter()
        .map(|(event_type, examples)| (event_type, with_examples(event_type, examples)))
        .collect();
    let broken = |event_type: &EventType| -> Vec<Break> {
        let before = json(&root().join(released_path(*event_type)));
        breaks(&before, &present[event_type], writers(*event_type))
    };
    let broken: Vec<String> = released()
        .iter()
        .flat_map(|event_type| {
            let found = broken(event_type);
            found.into_iter().map(|found| format!("{}: {found}", event_type.as_str()))
        })
        .collect();
    assert!(
        broken.is_empty(),
        "within a version schemas only grow; this takes a new one (schemas/README.md):\n{}",
        broken.join("\n")
    );
    if std::env::var_os("RELEASE_SCHEMAS").is_some() {
        for (event_type, schema) in present {
            let to = root().join(released_path(event_type));
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, pretty(schema)).unwrap();
        }
    }
}

#[test]
fn no_released_type_is_gone() {
    let known: BTreeSet<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
    let folder = std::fs::read_dir(root().join(RELEASED)).expect("there was a release");
    let mut count = 0;
    for entry in folder.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir()) {
        count += 1;
        let name = entry.file_name().into_string().unwrap();
        assert!(known.contains(&*name), "{name} was released, and consumers wait for it");
    }
    assert!(count >= 16, "the release had them all");
}

#[test]
fn what_was_told_at_the_last_release_is_read() {
    for event_type in released() {
        let schema = json(&root().join(released_path(event_type)));
        let example = &schema["examples"][0];
        assert_eq!(example["type"], event_type.as_str());
        let read = CloudEvent::read(example.to_string().as_bytes());
        assert!(read.is_ok(), "{}: {read:?}", event_type.as_str());
    }
}
