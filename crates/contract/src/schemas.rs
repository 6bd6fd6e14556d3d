//! The JSON Schema of each event type, generated from the Rust types, as committed under `schemas/`.

use crate::cloud_event::{CloudEvent, EventType};
use crate::data::{
    ReminderAcknowledged, ReminderExpired, ReminderFailed, ReminderRemoved, ReminderScheduled,
    ReminderSnoozed, ReminderTriggered, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent,
    TaskSync, TaskUpdate,
};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every schema: its path below the repository's root, and its text.
pub fn all() -> Vec<(String, String)> {
    EventType::ALL.iter().map(|&event_type| (path(event_type), text(event_type))).collect()
}

/// Where the schema of an event type is committed.
pub fn path(event_type: EventType) -> String {
    format!("schemas/{}/v1.json", event_type.as_str())
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

fn text(event_type: EventType) -> String {
    pretty(schema(event_type))
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
    let description = schema.pointer(&format!("/$defs/{data}/description")).cloned();
    set(&mut schema, "", "description", description.unwrap_or_default());
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
    if let Some(source) = event_type.publisher().source() {
        set(&mut schema, "/properties/source", "const", json!(source));
    }
    schema
}

/// Sets one key of the object at a JSON pointer, which the types above guarantee to be there.
fn set(schema: &mut Value, pointer: &str, key: &str, value: Value) {
    let object = schema.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.unwrap_or_else(|| unreachable!("no object at {pointer:?}")).insert(key.into(), value);
}

/// Says of every object that it may have further properties: readers must ignore them, since later
/// versions and the sidecar add some. And joins the lines of descriptions, which were comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(tidy);
            if is_object_schema(object) {
                object.insert("additionalProperties".into(), Value::Bool(true));
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = description.replace('\n', " ");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn is_object_schema(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") && schema.contains_key("properties")
}
