//! The `AsyncAPI` document and the pages of documentation are those of the code.

use crate::examples::examples;
use crate::fixtures::{check_file, root};
use reminder_contract::EventType;
use reminder_contract::schemas::pretty;
use reminder_contract::topics::TOPICS;
use reminder_contract::{asyncapi, pages};
use reminder_domain::Topic;
use serde_json::Value;

fn document() -> Value {
    let examples = examples();
    asyncapi::document(&|event_type| examples[&event_type].clone())
}

#[test]
fn the_committed_asyncapi_document_is_that_of_the_code() {
    check_file(&root().join(asyncapi::PATH), &pretty(document()));
}

#[test]
fn the_committed_pages_are_those_of_the_code() {
    let document = document();
    for topic in [Topic::TaskEvents, Topic::Reminders, Topic::TaskUpdates] {
        check_file(&root().join(pages::path(topic)), &pages::page(topic, &document));
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in &references {
        if let Some(pointer) = reference.strip_prefix('#') {
            assert!(document.pointer(pointer).is_some(), "{reference}");
        } else {
            assert!(root().join("schemas").join(reference).exists(), "{reference}");
        }
    }
    assert!(references.len() > 3 * EventType::ALL.len());
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                references.push(reference.clone());
            }
            // Examples are what was told, and refer to nothing.
            let parts = object.iter().filter(|(key, _)| *key != "examples");
            parts.for_each(|(_, part)| collect(part, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn every_type_has_somebody_who_tells_it_and_every_topic_somebody_who_listens() {
    let document = document();
    let operations = document["operations"].as_object().unwrap();
    let has = |action: &str, reference: &str| {
        operations.values().any(|operation| {
            operation["action"] == action
                && operation["messages"].as_array().unwrap().iter().any(|m| m["$ref"] == reference)
        })
    };
    for event_type in EventType::ALL {
        let topic = reminder_contract::cloud_event::topic_name(event_type.topic());
        let message = format!("#/channels/{topic}/messages/{}", event_type.as_str());
        assert!(has("send", &message), "{message}");
    }
    for topic in TOPICS {
        let channel = format!("#/channels/{}", topic.name);
        let listens = |operation: &Value| {
            operation["action"] == "receive" && operation["channel"]["$ref"] == *channel
        };
        assert!(operations.values().any(listens), "{channel}");
    }
}
