//! From the data of an event to a command.

pub(super) use super::TaskNews;
use super::Unreadable;
use crate::data::TaskStatus;
use crate::wire::read::{without_position, worded};
use reminder_domain::ids::{Description, Person, Tag, Title};
use reminder_domain::ingested::{Ingested, News, Said};
use reminder_domain::reminder::Reminder;
use reminder_domain::task::{Priority, Recurrence, Status, TaskFields};
use reminder_domain::time::DueTime;
use reminder_domain::{Command, CommandKind, Origin, Task, TaskId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::num::NonZeroU64;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What kind of news the type of the event promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The whole task.
    Snapshot,
    /// The same, and it is done.
    Completed,
    /// It is gone.
    Deleted,
}

/// Of an event that tells of the end of a task, all that is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gone {
    task_id: TaskId,
    #[serde(default)]
    version: Option<u64>,
}

/// A task as its owner tells it. Null is as good as left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    task_id: TaskId,
    title: Title,
    #[serde(default)]
    description: Option<Description>,
    #[serde(default)]
    due_date: Option<DueTime>,
    #[serde(default)]
    start: Option<DueTime>,
    #[serde(default)]
    recurrence: Option<Recurrence>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    tags: Option<Vec<Tag>>,
    #[serde(default)]
    status: Option<TaskStatus>,
    #[serde(default)]
    assignee: Option<Person>,
    #[serde(default)]
    created_by: Option<Person>,
    #[serde(default)]
    user_id: Option<Person>,
    #[serde(default)]
    reminders: Option<Vec<Reminder>>,
    #[serde(default)]
    version: Option<u64>,
}

/// Reads the data of an event of that source and id.
pub(super) fn read(
    told: Told,
    data: &Value,
    source: Option<&str>,
    event_id: Option<&str>,
) -> Result<TaskNews, Unreadable> {
    let says_deleted = data.get("status").and_then(Value::as_str) == Some("deleted");
    let (task_id, version, news) = if told == Told::Deleted || says_deleted {
        let Gone { task_id, version } = typed(data)?;
        (task_id, version, News::Deleted)
    } else {
        let fields: Fields = typed(data)?;
        let (task_id, version) = (fields.task_id.clone(), fields.version);
        (task_id, version, task(fields, told)?)
    };
    let event = Ingested { version: version.and_then(NonZeroU64::new), news };
    let command = Command {
        id: event_id.map(|id| identity(source.unwrap_or_default(), id)),
        fingerprint: fingerprint(&event),
        kind: CommandKind::Ingest(Box::new(event)),
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    };
    Ok(TaskNews { task_id, event_id: event_id.map(str::to_owned), command })
}

fn task(fields: Fields, told: Told) -> Result<News, Unreadable> {
    let status = match fields.status {
        _ if told == Told::Completed => Status::Completed,
        Some(TaskStatus::Completed) => Status::Completed,
        Some(TaskStatus::InProgress) => Status::InProgress,
        Some(TaskStatus::Pending | TaskStatus::Deleted) | None => Status::Pending,
    };
    let said = Said {
        due_date: hash(&fields.due_date),
        start: hash(&fields.start),
        recurrence: hash(&fields.recurrence),
        status,
    };
    let task = Task::try_from(TaskFields {
        title: fields.title,
        description: fields.description,
        due_date: fields.due_date,
        start: fields.start,
        recurrence: fields.recurrence,
        priority: fields.priority.unwrap_or_default(),
        tags: fields.tags.unwrap_or_default(),
        status,
        assignee: fields.assignee,
        created_by: fields.created_by,
        user_id: fields.user_id,
        reminders: fields.reminders,
    });
    let task = task.map_err(|error| Unreadable::invalid(&error.field(), &error.to_string()))?;
    Ok(News::Task { task: Box::new(task), said })
}

/// Reads a value, naming the field at fault as the actor API does.
fn typed<T: DeserializeOwned>(data: &Value) -> Result<T, Unreadable> {
    serde_path_to_error::deserialize(data).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let problem = worded(&path, &without_position(error.inner()));
        Unreadable::new(crate::dead_letter::Reason::Invalid, problem.detail.clone())
    })
}

/// What an event is known by; ids are unique per source.
fn identity(source: &str, id: &str) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(source.as_bytes());
    hasher.update(&[0]);
    hasher.update(id.as_bytes());
    hasher.digest()
}

/// What an event says, whatever its spelling.
fn fingerprint(event: &Ingested) -> u64 {
    match &event.news {
        News::Task { task, .. } => hash(&(event.version, &**task)),
        News::Deleted => hash(&(event.version, "deleted")),
    }
}

fn hash(value: &impl Serialize) -> u64 {
    xxh3_64(&crate::wire::to_json(value))
}
