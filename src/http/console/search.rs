//! Tasks by the beginning of their ids, by user and status.

use super::Console;
use crate::http::rest::answer::Refusal;
use crate::http::rest::asked::Asked;
use crate::http::rest::lists::page_of_tasks;
use axum::Json;
use axum::extract::State;
use reminder_contract::Problem;
use reminder_contract::rest::{Page, TaskItem};
use reminder_contract::wire::parse_task_id;

/// A page of tasks: what `GET /v1/tasks` understands, and `prefix`.
pub(super) async fn tasks(
    State(console): State<Console>,
    mut asked: Asked,
) -> Result<Json<Page<TaskItem>>, Refusal> {
    let prefix = asked.params.take("prefix")?.unwrap_or_default();
    // The beginning of an id is as an id is.
    if !prefix.is_empty() && parse_task_id(&prefix).is_err() {
        return Err(Problem::invalid("prefix", "must be the beginning of a task id").into());
    }
    page_of_tasks(&console.rest, &prefix, asked).await
}
