//! The `OpenAPI` document, and the page to try it.
//!
//! The paths are those that the handlers are annotated with. Schemas come from the contract's own types, and
//! what all operations of a kind have in common (headers, problems) is added here, so that no handler can
//! forget it.

use super::{actions, batch, calendar, erasure, export, lists, pauses, tasks, users};
use axum::routing::get;
use axum::{Json, Router};
use reminder_contract::problem::CONTENT_TYPE as PROBLEM_JSON;
use reminder_contract::rest::{
    PAGE_DEFAULT, PAGE_MAX, ReminderStatus, StatusFilter, components, find_operation,
};
use reminder_domain::limits::{PREVIEW_DEFAULT, PREVIEW_MAX};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

/// Where the document is.
const PATH: &str = "/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "reminder-scheduler",
        description = "Reminders that are never lost: tasks with due dates, recurrence, nagging and snoozes."
    ),
    paths(
        tasks::put, tasks::patch, tasks::read, tasks::delete,
        actions::complete, actions::reopen, actions::skip,
        actions::snooze, actions::acknowledge, actions::dismiss, actions::pause, actions::resume,
        actions::put_reminder, actions::remove_reminder, actions::preview, actions::explain,
        calendar::export, calendar::import, batch::commands,
        lists::tasks, lists::reminders, users::read, users::put,
        pauses::pause, pauses::resume, export::export, erasure::request, erasure::progress
    ),
    tags(
        (name = "tasks", description = "What to be reminded of, one actor each"),
        (name = "reminders", description = "The reminders of a task"),
        (name = "lists", description = "From the read model, which follows every commit"),
        (name = "users", description = "What users prefer, and that they are forgotten")
    )
)]
struct Document;

/// The document and the page, for everyone: they tell nothing that is not in the repository.
pub(super) fn routes() -> Router {
    let document = document();
    let page = utoipa_swagger_ui::Config::from(PATH).try_it_out_enabled(true);
    let page = utoipa_swagger_ui::SwaggerUi::new("/docs").config(page);
    Router::new().merge(page).route(PATH, get(move || async move { Json(document) }))
}

/// The document.
pub fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    document["openapi"] = json!("3.1.0");
    document["servers"] = json!([{ "url": "/" }]);
    document["security"] = json!([{ "bearer": [] }, {}]);
    document["components"] = json!({
        "schemas": components(),
        "parameters": parameters(),
        "headers": headers(),
        "responses": { "Problem": {
            "description": "Why it was not done",
            "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
        } },
        "securitySchemes": { "bearer": {
            "type": "http", "scheme": "bearer",
            "description": "REST_TOKEN, or a token of a user, where the service asks for one",
        } },
    });
    let Some(paths) = document["paths"].as_object_mut() else { return document };
    for (path, item) in paths {
        let operations = item.as_object_mut().into_iter().flatten();
        for (verb, operation) in operations {
            complete(path, verb, operation);
        }
    }
    document
}

/// Adds what operations of this kind have in common.
fn complete(path: &str, verb: &str, operation: &mut Value) {
    if let Some(known) = find_operation(&verb.to_uppercase(), path) {
        operation["operationId"] = json!(known.name);
    }
    let names = parameters_of(path, verb);
    let refer = |name: &&str| json!({ "$ref": format!("#/components/parameters/{name}") });
    operation["parameters"] = names.iter().map(refer).collect();
    let has_body = operation.get("requestBody").is_some();
    if has_body {
        let optional = ["complete", "reopen", "skip", "acknowledge", "dismiss", "pause", "resume"];
        let required = !optional.iter().any(|action| path.ends_with(action));
        operation["requestBody"]["required"] = json!(required);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses.iter_mut() {
        if let Some(headers) = headers_of(path, verb, status) {
            response["headers"] = headers;
        }
    }
    let on_task = path.contains("{taskId}");
    let command = verb != "get" && !path.ends_with(":batch") && path != "/v1/users/{userId}";
    let statuses = [
        (401, true),
        (403, true),
        (404, on_task),
        (408, has_body),
        (409, command),
        (412, command),
        (413, has_body),
        (415, has_body),
        (422, true),
        (429, true),
        (500, true),
        (503, true),
    ];
    for (status, _) in statuses.into_iter().filter(|(_, there)| *there) {
        let problem = json!({ "$ref": "#/components/responses/Problem" });
        responses.entry(status.to_string()).or_insert(problem);
    }
}

/// The parameters of an operation, by their names in the document.
fn parameters_of(path: &str, verb: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in ["taskId", "reminderId", "userId"] {
        if path.contains(&format!("{{{name}}}")) {
            names.push(name);
        }
    }
    names.extend_from_slice(match (verb, path) {
        ("get", "/v1/users/{userId}/erasure") => &[],
        ("get", "/v1/tasks") => &["user", "status", "cursor", "limit"],
        ("get", "/v1/reminders") => &["user", "from", "to", "due", "cursor", "limit"],
        ("get", path) if path.ends_with("/preview") => &["count"],
        ("get", path) if path.ends_with("/explain") => &["explainedId", "explainedTime"],
        ("get", path) if path.ends_with("/export") => &[],
        ("get", _) => &["ifChanged"],
        ("post", "/v1/tasks:batch") | ("delete", "/v1/users/{userId}") => {
            &["idempotencyKey", "correlationId", "traceparent"]
        }
        _ => &["ifMatch", "ifAbsent", "idempotencyKey", "correlationId", "traceparent"],
    });
    let sets_reminders = matches!(verb, "put" | "patch") && !path.contains("userId");
    if sets_reminders {
        names.push("ifPast");
    }
    names
}

fn headers_of(path: &str, verb: &str, status: &str) -> Option<Value> {
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let untagged = ["/preview", "/explain", ":batch", "/export", "/erasure"]
        .iter()
        .any(|end| path.ends_with(end));
    let listed = path == "/v1/reminders" || (path == "/v1/tasks" && verb == "get");
    match status {
        "201" => Some(json!({ "ETag": header("ETag"), "Location": header("Location") })),
        "200" | "304" if !untagged && !listed => Some(json!({ "ETag": header("ETag") })),
        _ => None,
    }
}

fn headers() -> Value {
    let header = |about: &str, example: &str| json!({ "description": about, "required": true, "schema": { "type": "string", "examples": [example] } });
    json!({
        "ETag": header("The version, in quotes", "\"3\""),
        "Location": header("Where the task is", "/v1/tasks/milk"),
    })
}

fn parameters() -> Value {
    let id = |max: u8| json!({ "type": "string", "pattern": format!("^[A-Za-z0-9][A-Za-z0-9_-]{{0,{max}}}$") });
    let instant = json!({ "type": "string", "format": "date-time" });
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    let number = |default: usize, max: usize| json!({ "type": "integer", "minimum": 1, "maximum": max, "default": default });
    let user = json!({ "type": "string", "minLength": 1, "maxLength": 256, "examples": ["ada@example.org"] });
    let key = json!({ "type": "string", "pattern": "^[!-~]{1,200}$" });
    let tag = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let mut all = Map::new();
    let mut add = |key: &str, place: &str, name: &str, about: &str, schema: Value| {
        let required = place == "path" || key.starts_with("explained");
        let parameter = json!({
            "name": name, "in": place, "required": required, "description": about, "schema": schema,
        });
        all.insert(key.into(), parameter);
    };
    add("taskId", "path", "taskId", "The task", id(127));
    add("reminderId", "path", "reminderId", "The reminder", id(63));
    add("userId", "path", "userId", "The user, percent-encoded", user.clone());
    add("user", "query", "user", "Those of this user; without it, of all", user);
    add(
        "status",
        "query",
        "status",
        "Those that stand there; without it, all that are not deleted",
        words(StatusFilter::WORDS),
    );
    add(
        "due",
        "query",
        "status",
        "Those to come, or those overdue; without it, both",
        words(ReminderStatus::WORDS),
    );
    add("from", "query", "from", "Those due at this time or later", instant.clone());
    add("to", "query", "to", "Those due before this time", instant.clone());
    add(
        "cursor",
        "query",
        "cursor",
        "The `nextCursor` of the page before",
        json!({ "type": "string" }),
    );
    add("limit", "query", "limit", "Most entries of the page", number(PAGE_DEFAULT, PAGE_MAX));
    add("count", "query", "count", "How many firings", number(PREVIEW_DEFAULT, PREVIEW_MAX));
    add("explainedId", "query", "reminderId", "The reminder", id(63));
    add("explainedTime", "query", "scheduledFor", "The moment", instant);
    add(
        "ifPast",
        "query",
        "ifPast",
        "What to do with reminders that are past already",
        words(&["fire", "skip", "reject"]),
    );
    add(
        "ifMatch",
        "header",
        "If-Match",
        "The version that it must be at; `*`: any, but it must exist",
        tag(r#"^("[0-9]{1,18}"|\*)$"#),
    );
    add("ifAbsent", "header", "If-None-Match", "`*`: it must not exist", tag(r"^\*$"));
    add(
        "ifChanged",
        "header",
        "If-None-Match",
        "The version that the caller has",
        json!({ "type": "string", "examples": ["\"3\""] }),
    );
    add(
        "idempotencyKey",
        "header",
        "Idempotency-Key",
        "Names the command: sent again, it is answered as before",
        key.clone(),
    );
    add(
        "correlationId",
        "header",
        "X-Correlation-Id",
        "Names the flow; it is in every event that follows",
        key,
    );
    add(
        "traceparent",
        "header",
        "traceparent",
        "W3C trace context; one that cannot be read is ignored",
        json!({ "type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"] }),
    );
    Value::Object(all)
}
