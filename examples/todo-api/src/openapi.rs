//! The `OpenAPI` document. Tasks are described by the contract's own schema, so it cannot say anything
//! else than the events do.

use crate::api::{comments, reminders, tasks};
use reminder_contract::data::TaskEvent;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use utoipa::OpenApi;

/// What a task has that its owner does not send.
const NOT_SENT: [&str; 4] = ["taskId", "version", "previousStatus", "previousDueDate"];

#[derive(OpenApi)]
#[openapi(
    info(title = "todo-api", description = "Owns the tasks, and tells of them on `task-events`."),
    paths(
        tasks::create, tasks::list, tasks::read, tasks::replace, tasks::patch, tasks::delete,
        tasks::complete, tasks::reopen, reminders::snooze, reminders::acknowledge,
        comments::comment, comments::comments
    ),
    tags(
        (name = "tasks", description = "The tasks themselves"),
        (name = "reminders", description = "What rang; the scheduler does it"),
        (name = "comments", description = "What people say about a task")
    )
)]
struct Document;

/// The document, with the schemas of tasks in their places.
pub(crate) fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["components"]["schemas"] = json!({ "Task": task(), "TaskFields": fields() });
    let (task, fields) = (reference("Task"), reference("TaskFields"));
    for (path, verb) in [
        ("/v1/tasks", "post"),
        ("/v1/tasks/{id}", "get"),
        ("/v1/tasks/{id}", "put"),
        ("/v1/tasks/{id}", "patch"),
        ("/v1/tasks/{id}/complete", "post"),
        ("/v1/tasks/{id}/reopen", "post"),
    ] {
        let operation = &mut document["paths"][path][verb];
        for status in ["200", "201"] {
            if operation["responses"].get(status).is_some() {
                operation["responses"][status]["content"]["application/json"]["schema"] =
                    task.clone();
            }
        }
        if verb == "put" || path == "/v1/tasks" {
            operation["requestBody"]["content"]["application/json"]["schema"] = fields.clone();
        }
    }
    let page = json!({
        "type": "object",
        "required": ["tasks", "next"],
        "properties": {
            "tasks": { "type": "array", "items": task },
            "next": { "type": ["string", "null"] }
        }
    });
    let list = &mut document["paths"]["/v1/tasks"]["get"]["responses"]["200"];
    list["content"]["application/json"]["schema"] = page;
    document
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A task as it is told.
fn task() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<TaskEvent<'static>>().to_value()
}

/// A task as it is sent.
fn fields() -> Value {
    let mut schema = task();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| !NOT_SENT.contains(&name.as_str()));
    }
    schema["required"] = json!(["title", "userId"]);
    schema["title"] = json!("TaskFields");
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_and_every_reference_leads_somewhere() {
        let document = document();
        let operations: usize = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .map(|path| path.as_object().unwrap().keys().filter(|key| *key != "parameters").count())
            .sum();
        assert_eq!(operations, 12);
        let text = document.to_string();
        for found in text.split("\"$ref\":\"#").skip(1) {
            let pointer = found.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
        let task = &document["components"]["schemas"]["Task"];
        assert!(task["properties"]["version"].is_object());
        let fields = &document["components"]["schemas"]["TaskFields"];
        assert!(fields["properties"]["dueDate"].is_object());
        assert!(fields["properties"].get("version").is_none());
        let body = &document["paths"]["/v1/tasks"]["post"]["requestBody"]["content"];
        assert_eq!(body["application/json"]["schema"], reference("TaskFields"));
    }
}
