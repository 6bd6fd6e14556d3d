//! What may happen to a task: pure decisions, without the store and without the clock.

use crate::document::{Document, PENDING_MAX};
use reminder_contract::data::{Comment, TaskStatus, TaskUpdated};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::task::{Status, Task, TaskFields};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::Flow;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A task that must be new.
    Create(Box<Task>),
    /// The task, new or not, shall be like this.
    Put(Box<Task>),
    /// A JSON merge patch (RFC 7396) of the task's fields.
    Patch(Value),
    /// It is done.
    Complete,
    /// It is not done after all.
    Reopen,
    /// It shall go.
    Delete,
    /// Somebody says something about it.
    Comment(Comment<'static>),
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// A problem of a kind that the contract knows.
    #[error("{0}")]
    Problem(Problem),
    /// Another `ETag` was expected.
    #[error("the task is at another revision")]
    Outdated {
        /// The one that it is at, if there is such a task.
        revision: Option<u64>,
    },
    /// A new task has the id of another one.
    #[error("there is a task with this id")]
    Exists,
    /// The user has as many tasks as one may have.
    #[error("a user has at most {0} tasks")]
    TooManyTasks(usize),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// What the caller knows of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing.
    Anything,
    /// That there is one, `If-Match: *`.
    Existing,
    /// The revision that it saw.
    Revision(u64),
}

/// The task after a change; `None` when there is nothing to change.
pub(crate) fn apply(
    before: Option<&Document>,
    id: &TaskId,
    change: Change,
    expected: Expected,
    flow: &Flow,
    now: Timestamp,
) -> Result<Option<Document>, Refusal> {
    let known = before.filter(|document| !document.deleted);
    let revision = known.map(|document| document.revision);
    let as_expected = match expected {
        Expected::Anything => true,
        Expected::Existing => known.is_some(),
        Expected::Revision(expected) => revision == Some(expected),
    };
    if !as_expected {
        return Err(Refusal::Outdated { revision });
    }
    let mut after = match (known, change) {
        (Some(known), Change::Create(task)) => {
            // The same once more is the answer that got lost.
            return if known.made_from == Some(hash(&task)) {
                Ok(None)
            } else {
                Err(Refusal::Exists)
            };
        }
        (None, Change::Create(task) | Change::Put(task)) => new(before, id, *task)?,
        (None, _) => return Err(unknown(id).into()),
        (Some(known), Change::Comment(comment)) => {
            let mut after = known.clone();
            after.comment(comment, flow);
            after.revision += 1;
            return bounded(after).map(Some);
        }
        (Some(known), change) => changed(known, change)?,
    };
    if known.is_some_and(|known| known.task == after.task && known.deleted == after.deleted) {
        return Ok(None);
    }
    if known.is_none() {
        after.made_from = Some(hash(&after.task));
    }
    after.version += 1;
    after.revision += 1;
    if known.is_none_or(|known| schedule(known) != schedule(&after)) {
        after.schedule_version = after.version;
    }
    after.tell(before, flow, now);
    bounded(after).map(Some)
}

/// Takes over what the scheduler changed, if it had followed all that the owner says about it.
///
/// No version of the owner's comes of it: the next advance of the scheduler names the same one.
pub(crate) fn follow(before: &Document, told: &TaskUpdated<'_>) -> Option<Document> {
    let task = &told.task;
    let source_version = task.source_version?;
    let status = match task.status {
        TaskStatus::Pending => Status::Pending,
        TaskStatus::InProgress => Status::InProgress,
        TaskStatus::Completed => Status::Completed,
        // To delete is the owner's.
        TaskStatus::Deleted => return None,
    };
    if before.deleted
        || source_version < before.schedule_version
        || task.version <= before.scheduler_version
    {
        return None;
    }
    let fields = TaskFields {
        due_date: task.due_date.as_deref().cloned(),
        start: task.start.as_deref().cloned(),
        recurrence: task.recurrence.as_deref().cloned(),
        status,
        ..TaskFields::from(before.task.clone())
    };
    let task_after = Task::try_from(fields).ok()?;
    if task_after == before.task {
        return None;
    }
    let mut after = before.clone();
    after.task = task_after;
    after.revision += 1;
    after.scheduler_version = task.version;
    Some(after)
}

/// Small enough to survive the sidecar, which reads numbers as floating point.
fn hash(task: &Task) -> u32 {
    let text = serde_json::to_vec(task).unwrap_or_default();
    let [a, b, c, d, ..] = xxh3_64(&text).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What the scheduler goes by.
fn schedule(document: &Document) -> impl PartialEq + '_ {
    let task = &document.task;
    (&task.due_date, &task.start, &task.recurrence, task.status, document.deleted)
}

/// A task of a deleted one's id goes on with its numbers.
fn new(before: Option<&Document>, id: &TaskId, task: Task) -> Result<Document, Refusal> {
    if task.user_id.is_none() {
        return Err(
            Problem::invalid("userId", "is missing: it says whose list the task is on").into()
        );
    }
    let Some(before) = before else {
        return Ok(Document {
            task_id: id.clone(),
            task,
            version: 0,
            revision: 0,
            schedule_version: 0,
            scheduler_version: 0,
            made_from: None,
            deleted: false,
            comments: Vec::new(),
            comment_count: 0,
            last_event: 0,
            pending: Vec::new(),
        });
    };
    Ok(Document { task, deleted: false, comments: Vec::new(), ..before.clone() })
}

fn changed(known: &Document, change: Change) -> Result<Document, Refusal> {
    let mut after = known.clone();
    match change {
        Change::Put(task) => after.task = *task,
        Change::Patch(patch) => after.task = patched(&known.task, patch)?,
        Change::Complete => after.task = known.task.with_status(Status::Completed),
        Change::Reopen if known.task.status == Status::Completed => {
            after.task = known.task.with_status(Status::Pending);
        }
        Change::Delete => {
            after.deleted = true;
            after.comments.clear();
        }
        Change::Reopen | Change::Create(_) | Change::Comment(_) => {}
    }
    if after.task.user_id != known.task.user_id {
        return Err(Problem::invalid(
            "userId",
            "cannot be changed: delete the task and make another",
        )
        .into());
    }
    Ok(after)
}

fn patched(task: &Task, patch: Value) -> Result<Task, Refusal> {
    if !patch.is_object() {
        let problem = "a merge patch is an object, with null for what shall go";
        return Err(Problem::new(ProblemKind::InvalidInput, problem).into());
    }
    let mut fields = serde_json::to_value(task).unwrap_or_default();
    merge(&mut fields, patch);
    crate::body::task(fields).map_err(Refusal::Problem)
}

/// RFC 7396, §2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn bounded(after: Document) -> Result<Document, Refusal> {
    if after.pending.len() > PENDING_MAX {
        let detail = format!("{PENDING_MAX} events of this task wait for the broker");
        return Err(Problem::overloaded(detail).with_task_id(&after.task_id).into());
    }
    Ok(after)
}

pub(crate) fn unknown(id: &TaskId) -> Problem {
    Problem::new(ProblemKind::UnknownTask, format!("there is no task {id}")).with_task_id(id)
}
