//! From the body of an actor method to a command, strictly: what is accepted is understood whole.

use super::read::read;
use crate::problem::Problem;
use reminder_domain::ids::{CorrelationId, Traceparent};
use reminder_domain::limits::PAYLOAD_MAX_BYTES;
use reminder_domain::object::object;
use reminder_domain::task::TaskFields;
use reminder_domain::{Command, CommandKind, Origin, Task, TaskId};
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

/// The actor methods that change a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Create or replace.
    Put,
    /// It is done.
    Complete,
    /// It is not done after all.
    Reopen,
    /// Forget it.
    Delete,
}

impl Method {
    /// Every method.
    pub const ALL: &[Self] = &[Self::Put, Self::Complete, Self::Reopen, Self::Delete];

    /// The method's name in the actor API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Complete => "complete",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
        }
    }
}

/// What every body may hold. Flattening would lose the paths of errors, so `put` repeats it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainBody {
    #[serde(default)]
    command_id: Option<CorrelationId>,
    #[serde(default)]
    if_version: Option<u64>,
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
    #[serde(default)]
    traceparent: Option<Traceparent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutBody {
    #[serde(default)]
    command_id: Option<CorrelationId>,
    #[serde(default)]
    if_version: Option<u64>,
    #[serde(default)]
    correlation_id: Option<CorrelationId>,
    #[serde(default)]
    traceparent: Option<Traceparent>,
    #[serde(deserialize_with = "object")]
    task: TaskFields,
}

/// Parses the body of a method that changes a task.
///
/// The origin holds what the body says; the caller adds what headers say.
///
/// # Errors
/// A problem that names the field at fault, as a path such as `task.reminders[2].at`.
pub fn parse_command(method: Method, body: &[u8]) -> Result<Command, Problem> {
    check_size(body)?;
    let (plain, kind) = match method {
        Method::Put => {
            let (plain, task) = parse_put(body)?;
            (plain, CommandKind::Put(Box::new(task)))
        }
        Method::Complete => (parse_plain(body)?, CommandKind::Complete),
        Method::Reopen => (parse_plain(body)?, CommandKind::Reopen),
        Method::Delete => (parse_plain(body)?, CommandKind::Delete),
    };
    Ok(Command {
        id: plain.command_id.map(|id| xxh3_64(id.as_str().as_bytes())),
        fingerprint: fingerprint(method, plain.if_version, &kind, body.len()),
        if_version: plain.if_version,
        origin: Origin { correlation_id: plain.correlation_id, traceparent: plain.traceparent },
        kind,
    })
}

/// Checks the body of `get`, which has nothing to say.
///
/// # Errors
/// A problem when it says something all the same.
pub fn parse_get(body: &[u8]) -> Result<(), Problem> {
    /// An object without any field.
    #[derive(Deserialize)]
    struct Nothing {}
    check_size(body)?;
    if is_empty(body) { Ok(()) } else { read::<Nothing>(body).map(|Nothing {}| ()) }
}

/// Parses a task id.
///
/// # Errors
/// A problem with `taskId` as its field.
pub fn parse_task_id(text: &str) -> Result<TaskId, Problem> {
    TaskId::parse(text).map_err(|error| Problem::invalid("taskId", &error.to_string()))
}

fn check_size(body: &[u8]) -> Result<(), Problem> {
    if body.len() > PAYLOAD_MAX_BYTES { Err(Problem::too_large(body.len())) } else { Ok(()) }
}

/// Some clients send `null` for "no body".
fn is_empty(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    body.is_empty() || body == b"null"
}

fn parse_plain(body: &[u8]) -> Result<PlainBody, Problem> {
    if is_empty(body) { Ok(PlainBody::default()) } else { read(body) }
}

fn parse_put(body: &[u8]) -> Result<(PlainBody, Task), Problem> {
    if is_empty(body) {
        return Err(Problem::invalid("task", "is missing"));
    }
    let PutBody { command_id, if_version, correlation_id, traceparent, task } = read(body)?;
    let task = Task::try_from(task)
        .map_err(|error| Problem::invalid(format!("task.{}", error.field()), &error.to_string()))?;
    Ok((PlainBody { command_id, if_version, correlation_id, traceparent }, task))
}

/// Hashes what a command asks for, as it was understood: spelling, the order of keys, defaults left
/// out and the ids of the command, the flow and the trace make no difference.
fn fingerprint(
    method: Method,
    if_version: Option<u64>,
    kind: &CommandKind,
    body_len: usize,
) -> u64 {
    let mut canonical = Vec::with_capacity(body_len + 64);
    canonical.extend_from_slice(method.as_str().as_bytes());
    canonical.push(0);
    if let Some(version) = if_version {
        canonical.extend_from_slice(&version.to_le_bytes());
    }
    canonical.push(0);
    if let CommandKind::Put(task) = kind {
        serde_json::to_writer(&mut canonical, task).expect("a parsed task always serialises");
    }
    xxh3_64(&canonical)
}
