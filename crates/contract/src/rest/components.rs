//! The schemas that the `OpenAPI` document refers to, made of the types themselves.

use super::shown;
use super::{BatchAnswer, ErasureView, ExportLine, Page, ReminderItem, TaskItem};
use crate::data::shown::Reminder;
use crate::problem::Problem;
use crate::wire::{
    CommandAnswer, ExplanationView, PreviewView, TaskView, UserAnswer, UserPaused, UserView,
};
use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

/// Where the document keeps them.
const PLACE: &str = "#/components/schemas/";

/// Every schema by its name.
pub fn components() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut all = Map::new();
    let of = &mut generator;
    for (name, schema) in [
        ("CommandAnswer", whole::<CommandAnswer<'static>>(of)),
        ("TaskView", whole::<TaskView<'static>>(of)),
        ("PreviewView", whole::<PreviewView<'static>>(of)),
        ("ExplanationView", whole::<ExplanationView<'static>>(of)),
        ("UserView", whole::<UserView<'static>>(of)),
        ("UserAnswer", whole::<UserAnswer<'static>>(of)),
        ("UserPaused", whole::<UserPaused<'static>>(of)),
        ("ErasureView", whole::<ErasureView>(of)),
        ("TaskPage", whole::<Page<TaskItem>>(of)),
        ("ReminderPage", whole::<Page<ReminderItem>>(of)),
        ("ExportLine", whole::<ExportLine>(of)),
        ("BatchAnswer", whole::<BatchAnswer>(of)),
        ("Problem", whole::<Problem>(of)),
        ("Task", whole::<shown::Task>(of)),
        ("Preferences", whole::<shown::Preferences>(of)),
        ("Snooze", whole::<shown::Snooze>(of)),
        ("Ring", whole::<shown::Ring>(of)),
        ("Skip", whole::<shown::Skip>(of)),
        ("Resume", whole::<shown::Resume>(of)),
        ("Nothing", whole::<shown::Nothing>(of)),
        ("Batch", whole::<shown::Batch>(of)),
        ("Reminder", whole::<Reminder>(of)),
    ] {
        all.insert(name.into(), schema);
    }
    for (name, schema) in generator.take_definitions(true) {
        all.entry(name).or_insert(schema);
    }
    // The path says which reminder it is, so its id may be left out; and a patch may leave out anything.
    let mut body = all["Reminder"].clone();
    body["required"] = json!([]);
    all.insert("ReminderBody".into(), body);
    let mut patch = all["Task"].clone();
    patch["required"] = json!([]);
    patch["description"] = json!("Fields to change; null takes a field away.");
    if let Some(fields) = patch["properties"].as_object_mut() {
        for field in fields.values_mut() {
            *field = json!({ "anyOf": [field.take(), { "type": "null" }] });
        }
    }
    all.insert("TaskPatch".into(), patch);
    all
}

/// A type's schema itself, and not a reference to where it is kept.
fn whole<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let schema = generator.subschema_for::<T>().to_value();
    let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix(PLACE)) else {
        return schema;
    };
    generator.definitions().get(name).cloned().unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_what_is_shown_is_described() {
        let all = components();
        let text = Value::Object(all.clone()).to_string();
        for found in text.split(&format!("\"$ref\":\"{PLACE}")).skip(1) {
            let name = found.split('"').next().unwrap();
            assert!(all.contains_key(name), "{name}");
        }
        assert!(!text.contains("$defs"));
        let valid = |name: &str, json: Value| {
            let schema = json!({ "$ref": format!("{PLACE}{name}"),
                                 "components": { "schemas": all.clone() } });
            jsonschema::validator_for(&schema).unwrap().is_valid(&json)
        };
        let milk = json!({ "title": "Milk", "dueDate": { "date": "2027-01-01" },
                           "reminders": [{ "id": "a", "before": "P1D" }] });
        assert!(valid("Task", milk.clone()));
        assert!(!valid("Task", json!({ "titel": "Milk" })));
        assert!(valid("TaskPatch", json!({ "dueDate": null })));
        assert!(valid("ReminderBody", json!({ "before": "PT5M" })));
        assert!(valid("Snooze", json!({ "for": { "days": 1 } })));
        assert!(!valid("Snooze", json!({ "for": "PT5M", "preset": "soon" })));
        assert!(valid("Problem", serde_json::to_value(Problem::unavailable("x")).unwrap()));
    }
}
