//! A task as a resource: put, patched, read, deleted.

use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES};
use super::body::{self, MethodBody};
use super::merge::{self, Changed};
use super::precondition::{self, Expected};
use super::{Rest, call};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::rest::{JSON, MERGE_PATCH};
use reminder_contract::wire::Method;
use serde_json::Value;

/// Creates the task or replaces all of it.
#[utoipa::path(put, path = "/v1/tasks/{taskId}", tag = "tasks", request_body(content = ref("#/components/schemas/Task"), content_type = "application/json"), responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer")), (status = 201, description = "The task is new; `Location` is where it is", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn put(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let (id, if_past) = (asked.task()?, asked.if_past()?);
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let task = body::json(&body)?;
    let answered = if asked.expected()? == Expected::Existing {
        // The actor knows versions only, so whether it is there is looked up first.
        let task: Value = serde_json::from_str(task.get()).unwrap_or_default();
        let always = |_: Value| task.clone();
        let change = Changed { id: &id, sent: &body, if_past: if_past.as_deref() };
        merge::put_changed(&rest, &asked, change, always).await
    } else {
        let put = |mut method: MethodBody| {
            method.optional("ifPast", if_past.as_deref());
            method.with("task", task)
        };
        rest.command(&id, Method::Put, &asked, put).await
    };
    let answered = answered.map_err(|problem| problem.within("task"))?;
    let response = answer::json(answered.version, answered.body);
    Ok(if answered.created { answer::created(response, &id) } else { response })
}

/// Changes some fields of the task, by a JSON Merge Patch (RFC 7396).
#[utoipa::path(patch, path = "/v1/tasks/{taskId}", tag = "tasks", request_body(content = ref("#/components/schemas/TaskPatch"), content_type = "application/merge-patch+json"), responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn patch(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let (id, if_past) = (asked.task()?, asked.if_past()?);
    let body = body::read(&asked.headers, body, MERGE_PATCH, COMMAND_MAX_BYTES).await?;
    let patch: Value = serde_json::from_str(body::json(&body)?.get()).unwrap_or_default();
    let merged = |mut task: Value| {
        merge::merge(&mut task, &patch);
        task
    };
    let change = Changed { id: &id, sent: &body, if_past: if_past.as_deref() };
    let answered = merge::put_changed(&rest, &asked, change, merged).await;
    let answered = answered.map_err(|problem| problem.within("task"))?;
    Ok(answer::json(answered.version, answered.body))
}

/// The task as it is.
#[utoipa::path(get, path = "/v1/tasks/{taskId}", tag = "tasks", responses((status = 200, description = "The task", content_type = "application/json", body = ref("#/components/schemas/TaskView")), (status = 304, description = "It still is at the version of `If-None-Match`")))]
pub(super) async fn read(State(rest): State<Rest>, mut asked: Asked) -> Result<Response, Refusal> {
    let id = asked.task()?;
    asked.without_query()?;
    let answered = rest.ask(&id, "get", MethodBody::question(&asked.meta)).await?;
    if precondition::is_known(&asked.headers, answered.version)? {
        return Ok(answer::unchanged(answered.version));
    }
    Ok(answer::json(answered.version, answered.body))
}

/// The task is gone; a tombstone keeps its version.
#[utoipa::path(delete, path = "/v1/tasks/{taskId}", tag = "tasks", responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/CommandAnswer"))))]
pub(super) async fn delete(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let id = asked.task()?;
    asked.without_query()?;
    let answered: call::Answered = rest.command(&id, Method::Delete, &asked, |body| body).await?;
    Ok(answer::json(answered.version, answered.body))
}
