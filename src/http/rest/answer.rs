//! Answers with their true status, version and place; refusals as problems.

use crate::dapr::inbound::reply;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use reminder_contract::rest::{JSON, MERGE_PATCH};
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::TaskId;

/// RFC 5789 §3.1: which patches are understood.
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// A call that was not done.
#[derive(Debug)]
pub(in crate::http) struct Refusal(pub(in crate::http) Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = reply::direct(&self.0);
        let headers = response.headers_mut();
        match self.0.kind() {
            Some(ProblemKind::Unauthorized) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Some(ProblemKind::UnsupportedMediaType) => {
                headers.insert(ACCEPT_PATCH, HeaderValue::from_static(MERGE_PATCH));
            }
            Some(ProblemKind::PreconditionFailed) => {
                // What the caller may ask for instead.
                headers.extend(self.0.actual_version.map(|version| (ETAG, etag(version))));
            }
            _ => {}
        }
        response
    }
}

/// JSON that an actor wrote, of a version.
pub(super) fn json(version: u64, body: Vec<u8>) -> Response {
    of_type(JSON, version, body)
}

/// A body of another type, of a version.
pub(super) fn of_type(media_type: &'static str, version: u64, body: impl Into<Body>) -> Response {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (ETAG, etag(version))];
    (headers, body.into()).into_response()
}

/// JSON without a version.
pub(super) fn untagged(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(JSON))], body).into_response()
}

/// Says that a task was made.
pub(super) fn created(mut response: Response, id: &TaskId) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/tasks/{id}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// The caller has this version already.
pub(super) fn unchanged(version: u64) -> Response {
    (StatusCode::NOT_MODIFIED, [(ETAG, etag(version))]).into_response()
}

/// Names a version.
pub(super) fn etag(version: u64) -> HeaderValue {
    // Digits and quotes always fit a header.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}
