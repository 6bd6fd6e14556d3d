//! Bodies of calls, read so that what is wrong with them is named.

use reminder_contract::{Problem, ProblemKind};
use reminder_domain::task::{Task, TaskFields};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The names of a task's fields in JSON. Others are refused: they are misspelt more often than meant
/// to be ignored.
const FIELDS: [&str; 12] = [
    "title",
    "description",
    "dueDate",
    "start",
    "recurrence",
    "priority",
    "tags",
    "status",
    "assignee",
    "createdBy",
    "userId",
    "reminders",
];

/// A comment as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentBody {
    pub(crate) author: String,
    pub(crate) text: String,
}

/// Reads JSON; nothing at all counts as an empty object.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let kind =
            if error.is_data() { ProblemKind::InvalidInput } else { ProblemKind::MalformedJson };
        Problem::new(kind, format!("the body cannot be used: {error}"))
    })
}

/// Reads a task.
pub(crate) fn task(fields: Value) -> Result<Task, Problem> {
    if let Value::Object(object) = &fields
        && let Some(unknown) = object.keys().find(|name| !FIELDS.contains(&name.as_str()))
    {
        return Err(Problem::invalid(unknown.as_str(), "is not a field of a task"));
    }
    let fields: TaskFields = serde_json::from_value(fields)
        .map_err(|error| Problem::new(ProblemKind::InvalidInput, format!("the task: {error}")))?;
    Task::try_from(fields).map_err(|error| Problem::invalid(error.field(), &error.to_string()))
}
