//! Answers: tasks with their `ETag`, and problems as RFC 9457 wants them.

use crate::change::Refusal;
use crate::document::Document;
use crate::store::StoreError;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use reminder_contract::problem::CONTENT_TYPE as PROBLEM_JSON;
use reminder_contract::{Problem, ProblemKind};
use reminder_member::SidecarError;
use serde_json::{Value, json};

/// A call that was not done.
#[derive(Debug)]
pub(crate) struct Failure(StoreError);

impl<E: Into<StoreError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Problem> for StoreError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Refusal::Problem(problem))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            StoreError::Refused(refusal) => refused(refusal),
            StoreError::Sidecar(SidecarError::Refused(problem)) => of_contract(&problem),
            StoreError::Sidecar(error) => {
                tracing::warn!(%error, "a call failed");
                let detail = match error {
                    SidecarError::Conflict => "too many write to this task at the same time",
                    _ => "a part that is needed does not answer; repeating the call is safe",
                };
                of_contract(&Problem::unavailable(detail))
            }
        }
    }
}

fn refused(refusal: Refusal) -> Response {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Problem(problem) => of_contract(&problem),
        Refusal::Outdated { revision } => {
            let title = "The task has changed since";
            let mut response = own(StatusCode::PRECONDITION_FAILED, "outdated", title, &detail);
            if let Some(revision) = revision {
                response.headers_mut().insert(ETAG, etag(revision));
            }
            response
        }
        Refusal::Exists => {
            own(StatusCode::CONFLICT, "task-exists", "There is such a task", &detail)
        }
        Refusal::TooManyTasks(_) => {
            own(StatusCode::CONFLICT, "too-many-tasks", "The user has too many tasks", &detail)
        }
    }
}

/// A problem that only this service has.
fn own(status: StatusCode, slug: &str, title: &str, detail: &str) -> Response {
    problem(
        status,
        &json!({
            "type": format!("https://reminder-scheduler.dev/problems/todo-api/{slug}"),
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
        }),
    )
}

fn of_contract(told: &Problem) -> Response {
    let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = problem(status, &serde_json::to_value(told).unwrap_or_default());
    if let Some(seconds) = told.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn problem(status: StatusCode, body: &Value) -> Response {
    let json = HeaderValue::from_static(PROBLEM_JSON);
    (status, [(CONTENT_TYPE, json)], body.to_string()).into_response()
}

/// A path that leads nowhere.
pub(crate) async fn nowhere() -> Response {
    let title = "There is nothing here";
    own(StatusCode::NOT_FOUND, "unknown-path", title, "see /openapi.json for what there is")
}

/// A task.
pub(crate) fn task(status: StatusCode, document: &Document) -> Response {
    (status, [(ETAG, etag(document.revision))], Json(document.told())).into_response()
}

/// Names a revision.
pub(crate) fn etag(revision: u64) -> HeaderValue {
    // Digits and quotes always fit a header.
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// A field that cannot be used.
pub(crate) fn invalid(detail: impl Into<String>) -> Failure {
    Problem::new(ProblemKind::InvalidInput, detail).into()
}
