//! Fills a user's feed: the tasks from the service that owns them, and of each open one what became of
//! its reminders from the scheduler.
//!
//! The topic would not do: it keeps a day, and most tasks have not changed since yesterday. Both
//! services answer from what they have committed, before they tell it to the topic, so what is loaded
//! is never older than what was delivered before the loading began.

use crate::feed::Change;
use crate::hub::Hub;
use axum::http::{HeaderMap, Method};
use futures_util::stream::{self, StreamExt as _};
use reminder_contract::data::{TaskEvent, TaskSnapshot, TaskStatus, TaskSync};
use reminder_contract::names::TODO_API_APP_ID;
use reminder_contract::wire::TaskView;
use reminder_domain::{Task, TaskId};
use reminder_member::{Flow, Sidecar, SidecarError};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

/// How many of a user's tasks are asked for at the same time.
const ASKED_AT_ONCE: usize = 8;
/// How long one attempt may take.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(30);
/// The first pause between attempts; it doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause between attempts.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Most pages of a list that are read; the feed holds fewer tasks than that.
const LIST_PAGES_MAX: usize = 16;
/// Most tasks on a page of a list, as the todo-api allows it.
const LIST_LIMIT: &str = "100";

/// What users are told while their tasks cannot be had.
const TROUBLE: &str = "Your tasks cannot be loaded at the moment.";

/// A page of the todo-api's list of tasks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    tasks: Vec<TaskEvent<'static>>,
    #[serde(default)]
    next: Option<String>,
}

/// Tries until the feed is full or nobody waits for it.
pub async fn until_loaded(hub: Arc<Hub>, sidecar: Sidecar, user: String) {
    let flow = Flow::fresh();
    let span = flow.span();
    async {
        let mut pause = PAUSE_FIRST;
        loop {
            let attempt = tokio::time::timeout(ATTEMPT_DEADLINE, load(&sidecar, &user, &flow));
            match attempt.await {
                Ok(Ok(changes)) => {
                    tracing::info!(tasks = changes.len(), "a user's tasks are loaded");
                    return hub.loaded(&user, changes);
                }
                Ok(Err(error)) => tracing::warn!(%error, "a user's tasks cannot be loaded"),
                Err(_) => tracing::warn!("loading a user's tasks takes too long"),
            }
            if !hub.not_loaded(&user, TROUBLE) {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }
    .instrument(span)
    .await;
}

async fn load(sidecar: &Sidecar, user: &str, flow: &Flow) -> Result<Vec<Change>, SidecarError> {
    let mut listed = Vec::new();
    let mut next = None;
    for _ in 0..LIST_PAGES_MAX {
        let path = list_path(user, next.as_deref());
        let (verb, child) = (Method::GET, flow.child());
        let reply = sidecar
            .invoke(TODO_API_APP_ID, verb, &path, &child, HeaderMap::new(), Vec::new())
            .await?;
        let list: List = reply.read()?;
        listed.extend(list.tasks);
        next = list.next;
        if next.is_none() || listed.len() > crate::feed::TASKS_MAX {
            break;
        }
    }
    // An id that no task can have is one that the scheduler has not.
    let open = listed.iter().filter(|task| is_open(task));
    let open = open.filter_map(|task| TaskId::parse(task.task_id.as_ref()).ok());
    let views = stream::iter(open.collect::<Vec<_>>())
        .map(|id| async move { view(sidecar, &id, flow).await })
        .buffer_unordered(ASKED_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut changes: Vec<Change> =
        listed.into_iter().filter(is_open).map(|task| Change::Listed(Box::new(task))).collect();
    for view in views {
        changes.extend(view?);
    }
    Ok(changes)
}

fn list_path(user: &str, next: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("userId", user)
        .append_pair("status", "open")
        .append_pair("limit", LIST_LIMIT);
    if let Some(next) = next {
        query.append_pair("after", next);
    }
    format!("v1/tasks?{}", query.finish())
}

fn is_open(task: &TaskEvent<'_>) -> bool {
    matches!(task.status, TaskStatus::Pending | TaskStatus::InProgress)
}

/// A task as the scheduler has it. One that it has not, or cannot read, is shown as its owner lists it:
/// one task in trouble must not keep the others from being seen.
async fn view(sidecar: &Sidecar, id: &TaskId, flow: &Flow) -> Result<Option<Change>, SidecarError> {
    let told = sidecar.scheduler(&flow.child()).get(id).await;
    match told.map_err(SidecarError::from) {
        Ok(view) => Ok(Some(Change::Synced(Box::new(sync(view))))),
        Err(SidecarError::Refused(problem)) => {
            tracing::debug!(task.id = %id, %problem, "the scheduler does not show the task");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The answer to `get` as the `task.sync` of the same version.
fn sync(view: TaskView<'static>) -> TaskSync<'static> {
    let TaskView { task_id, version, next_reminder_at, task, reminders, .. } = view;
    let task: Task = task.into_owned();
    let task = TaskSnapshot {
        task_id,
        title: Cow::Owned(task.title.to_string()),
        description: task.description.as_ref().map(|text| Cow::Owned(text.to_string())),
        due_date: task.due_date.clone().map(Cow::Owned),
        start: task.start.clone().map(Cow::Owned),
        recurrence: task.recurrence.clone().map(Cow::Owned),
        priority: task.priority,
        tags: task.tags.iter().map(|tag| Cow::Owned(tag.to_string())).collect(),
        status: TaskStatus::from(Some(task.status)),
        assignee: task.assignee.as_ref().map(|who| Cow::Owned(who.to_string())),
        created_by: task.created_by.as_ref().map(|who| Cow::Owned(who.to_string())),
        user_id: task.user_id.as_ref().map(|who| Cow::Owned(who.to_string())),
        version,
        source_version: None,
        next_reminder_at,
        paused: None,
    };
    TaskSync { task, reminders }
}
