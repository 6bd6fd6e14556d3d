//! What the page may do: handed on to the todo-api, in a flow of its own, and answered as it answers.

use super::{Front, refused};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use reminder_contract::names::TODO_API_APP_ID;
use reminder_contract::problem::{Problem, ProblemKind};
use reminder_domain::TaskId;
use reminder_member::{Flow, SidecarError};
use tracing::Instrument as _;

/// Names what is asked, so that it is done once however often it is sent.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What may be done to a task here.
const ACTIONS: &[&str] = &["complete", "snooze", "acknowledge"];

/// A new task.
pub(super) async fn create(
    State(front): State<Front>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    hand_on(&front, "POST /api/tasks", "v1/tasks", &headers, body).await
}

/// Something is done to a task.
pub(super) async fn act(
    State(front): State<Front>,
    Path((id, action)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Ok(id) = TaskId::parse(&id) else {
        return refused(&Problem::invalid("taskId", "is not the id of a task"));
    };
    if !ACTIONS.contains(&action.as_str()) {
        let unknown =
            Problem::new(ProblemKind::Inapplicable, format!("nobody can {action} a task"));
        return refused(&unknown.with_task_id(&id));
    }
    let (name, path) =
        (format!("POST /api/tasks/{{id}}/{action}"), format!("v1/tasks/{id}/{action}"));
    hand_on(&front, &name, &path, &headers, body).await
}

async fn hand_on(
    front: &Front,
    name: &str,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let (flow, span) = Flow::from_headers(headers).begin(name);
    let mut response = async {
        let answered = call(front, path, headers, &flow, body).await;
        let status = answered.status().as_u16();
        tracing::info!(path, status, "asked the todo-api");
        answered
    }
    .instrument(span)
    .await;
    if let Some(id) = flow.headers().remove("correlation-id") {
        response.headers_mut().insert("correlation-id", id);
    }
    response
}

async fn call(
    front: &Front,
    path: &str,
    headers: &HeaderMap,
    flow: &Flow,
    body: Bytes,
) -> Response {
    let mut passed = HeaderMap::new();
    passed.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = headers.get(&IDEMPOTENCY_KEY) {
        passed.insert(IDEMPOTENCY_KEY, key.clone());
    }
    let answer = front
        .sidecar
        .invoke(TODO_API_APP_ID, Method::POST, path, flow, passed, body.to_vec())
        .await;
    let reply = match answer {
        Ok(reply) => reply,
        Err(error) => {
            tracing::warn!(%error, "the todo-api cannot be asked");
            return refused(&unreachable(&error));
        }
    };
    let kind = reply.headers.get(CONTENT_TYPE).cloned();
    // The sidecar answers itself when there is nobody to ask, in words that are not for users.
    let is_json =
        kind.as_ref().is_some_and(|kind| kind.as_bytes().windows(4).any(|w| w == b"json"));
    let from_sidecar = reply.status.is_server_error() && reply.body.starts_with(b"{\"errorCode\"");
    if from_sidecar || (!is_json && !reply.status.is_success()) {
        let body = String::from_utf8_lossy(&reply.body);
        tracing::warn!(status = reply.status.as_u16(), %body, "the todo-api did not answer");
        return refused(&Problem::unavailable("the todo-api does not answer at the moment"));
    }
    let status = StatusCode::from_u16(reply.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/json"));
    (status, [(CONTENT_TYPE, kind)], reply.body).into_response()
}

fn unreachable(error: &SidecarError) -> Problem {
    match error {
        SidecarError::Refused(problem) => problem.clone(),
        _ => Problem::unavailable("the todo-api does not answer at the moment"),
    }
}
