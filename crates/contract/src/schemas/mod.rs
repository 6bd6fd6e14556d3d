//! The JSON Schema of each event type, generated from the Rust types, as committed under `schemas/`.

pub mod compatibility;
mod shape;

use crate::cloud_event::{CloudEvent, EventType, Publisher, SOURCE};
use crate::data::{
    ReminderAcknowledged, ReminderExpired, ReminderFailed, ReminderRemoved, ReminderScheduled,
    ReminderSnoozed, ReminderTriggered, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent,
    TaskSync, TaskUpdate,
};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Up to here every reader of JSON tells integers apart; a bound beyond it would promise more.
const JSON_INTEGER_MAX: u64 = 1 << 53;

/// The folder of the schemas as they were when we last released.
pub const RELEASED: &str = "schemas/released";

/// Where the schema of an event type is committed.
pub fn path(event_type: EventType) -> String {
    format!("schemas/{}/v1.json", event_type.as_str())
}

/// Where the schema is kept as it was when we last released.
pub fn released_path(event_type: EventType) -> String {
    format!("{RELEASED}/{}/v1.json", event_type.as_str())
}

/// The schema of an event type: of the whole event, with that of its data under the anchor `data`.
pub fn schema(event_type: EventType) -> Value {
    match event_type {
        EventType::ReminderScheduled => {
            generate::<ReminderScheduled<'static>>(event_type, "ReminderScheduled")
        }
        EventType::ReminderTriggered => {
            generate::<ReminderTriggered<'static>>(event_type, "ReminderTriggered")
        }
        EventType::ReminderSnoozed => {
            generate::<ReminderSnoozed<'static>>(event_type, "ReminderSnoozed")
        }
        EventType::ReminderAcknowledged => {
            generate::<ReminderAcknowledged<'static>>(event_type, "ReminderAcknowledged")
        }
        EventType::ReminderExpired => {
            generate::<ReminderExpired<'static>>(event_type, "ReminderExpired")
        }
        EventType::ReminderRemoved => {
            generate::<ReminderRemoved<'static>>(event_type, "ReminderRemoved")
        }
        EventType::ReminderFailed => {
            generate::<ReminderFailed<'static>>(event_type, "ReminderFailed")
        }
        EventType::TaskUpdated => generate::<TaskUpdate<'static>>(event_type, "TaskUpdate"),
        EventType::TaskCreated
        | EventType::TaskDeleted
        | EventType::TaskStatusChanged
        | EventType::TaskDueDateChanged
        | EventType::TaskCompleted => generate::<TaskEvent<'static>>(event_type, "TaskEvent"),
        EventType::TaskSync => generate::<TaskSync<'static>>(event_type, "TaskSync"),
        EventType::TaskAssigneeChanged => {
            generate::<TaskAssigneeChanged<'static>>(event_type, "TaskAssigneeChanged")
        }
        EventType::TaskCommentsUpdated => {
            generate::<TaskCommentsUpdated<'static>>(event_type, "TaskCommentsUpdated")
        }
    }
}

/// The schema of an event type as it is committed: with events that were really told as its examples.
pub fn with_examples(event_type: EventType, examples: Vec<Value>) -> Value {
    let mut schema = schema(event_type);
    set(&mut schema, "", "examples", Value::Array(examples));
    schema
}

/// A JSON text to commit, with its keys in order: they must not depend on whether some crate of the
/// build turns on `serde_json/preserve_order`.
pub fn pretty(value: Value) -> String {
    format!("{:#}\n", sorted(value))
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let by_key: BTreeMap<String, Value> = object.into_iter().collect();
            Value::Object(by_key.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

fn generate<D: JsonSchema>(event_type: EventType, data: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<CloudEvent<'static, D>>().to_value();
    tidy(&mut schema);
    set(&mut schema, "", "description", json!(event_type.about()));
    set(&mut schema, "", "$id", json!(event_type.schema_id()));
    set(&mut schema, "", "title", json!(event_type.as_str()));
    set(&mut schema, &format!("/$defs/{data}"), "$anchor", json!("data"));
    for (attribute, value) in [
        ("specversion", "1.0"),
        ("type", event_type.as_str()),
        ("datacontenttype", "application/json"),
        ("dataschema", event_type.data_schema()),
    ] {
        set(&mut schema, &format!("/properties/{attribute}"), "const", json!(value));
    }
    match event_type.publisher().sources() {
        [source] => set(&mut schema, "/properties/source", "const", json!(source)),
        sources => set(&mut schema, "/properties/source", "enum", json!(sources)),
    }
    if event_type.publisher() == Publisher::Either {
        set_by_source(&mut schema);
    }
    schema
}

/// Says which of the two ways to tell an update goes with which source.
fn set_by_source(schema: &mut Value) {
    let data =
        |name: &str| json!({ "properties": { "data": { "$ref": format!("#/$defs/{name}") } } });
    let by_us = json!({ "properties": { "source": { "const": SOURCE } }, "required": ["source"] });
    set(schema, "", "if", by_us);
    set(schema, "", "then", data("TaskUpdated"));
    set(schema, "", "else", data("TaskEvent"));
}

/// Sets one key of the object at a JSON pointer, which the types above guarantee to be there.
fn set(schema: &mut Value, pointer: &str, key: &str, value: Value) {
    let object = schema.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.unwrap_or_else(|| unreachable!("no object at {pointer:?}")).insert(key.into(), value);
}

/// Says of every object that it may have further properties: readers must ignore them, since later
/// versions and the sidecar add some. Joins the lines of descriptions, which were comments. And drops
/// Rust's names for sizes of numbers, which are no formats that JSON Schema knows.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            if is_object_schema(object) {
                object.insert("additionalProperties".into(), Value::Bool(true));
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            let size = object.get("format").and_then(Value::as_str).and_then(largest);
            if let Some(largest) = size {
                object.remove("format");
                if largest < JSON_INTEGER_MAX {
                    object.entry("maximum").or_insert(json!(largest));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The largest number of one of Rust's sizes.
fn largest(format: &str) -> Option<u64> {
    match format {
        "uint16" => Some(u16::MAX.into()),
        "uint32" => Some(u32::MAX.into()),
        "uint64" => Some(u64::MAX),
        _ => None,
    }
}

fn is_object_schema(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") && schema.contains_key("properties")
}
