//! Tasks that cannot be read: listed, and one of them as the index has it.

use super::Console;
use crate::http::rest::answer::Refusal;
use crate::http::rest::asked::Asked;
use crate::http::rest::lists::{self, unanswered};
use crate::read_model::ParkedTask;
use axum::Json;
use axum::extract::State;
use reminder_contract::rest::TaskItem;
use serde::Serialize;

/// Parked tasks of a page.
const PAGE: i64 = 50;

/// A page of parked tasks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParkedPage {
    /// The tasks, by their ids.
    items: Vec<ParkedTask>,
    /// The `after` of the next page.
    next_after: Option<String>,
}

/// What is known of a task without its actor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexEntry {
    /// As a list shows it; null: the index has no row.
    task: Option<TaskItem>,
    /// Why its state cannot be used; null: it is not parked.
    parked: Option<ParkedTask>,
}

/// A page of the parked tasks.
pub(super) async fn list(
    State(console): State<Console>,
    mut asked: Asked,
) -> Result<Json<ParkedPage>, Refusal> {
    let after = asked.params.take("after")?.unwrap_or_default();
    asked.without_query()?;
    let items = console.model.parked(&after, PAGE).await.map_err(|error| unanswered(&error))?;
    let full = i64::try_from(items.len()) == Ok(PAGE);
    let next_after = items.last().filter(|_| full).map(|last| last.task.clone());
    Ok(Json(ParkedPage { items, next_after }))
}

/// A task as the index has it.
pub(super) async fn entry(
    State(console): State<Console>,
    mut asked: Asked,
) -> Result<Json<IndexEntry>, Refusal> {
    let id = asked.task()?;
    asked.without_query()?;
    let entry = console.model.entry(&id).await.map_err(|error| unanswered(&error))?;
    Ok(Json(IndexEntry { task: entry.row.map(lists::task), parked: entry.parked }))
}
