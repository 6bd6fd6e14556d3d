//! What rang: the scheduler is asked, and its answer handed on.

use super::{Addressed, Api};
use crate::answer::Failure;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::response::Response;
use reminder_contract::wire::Method;

/// Puts off what rang: asks the scheduler. The body is that of its `snooze`: `for`, `until` or `preset`,
/// and perhaps `reminderId`.
#[utoipa::path(post, path = "/v1/tasks/{id}/snooze", tag = "reminders",
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "Names this call")),
    request_body(content = Value, content_type = "application/json"),
    responses((status = 200, description = "The scheduler's answer", body = Value),
        (status = 404, description = "There is no such task"),
        (status = 409, description = "Nothing of it has rung"),
        (status = 422, description = "A field cannot be used; `field` says which")))]
pub(crate) async fn snooze(
    State(api): State<Api>,
    addressed: Addressed,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    api.ask_scheduler(addressed, Method::Snooze, &headers, &body).await
}

/// Says that what rang was seen: asks the scheduler. The body may name a `reminderId`.
#[utoipa::path(post, path = "/v1/tasks/{id}/acknowledge", tag = "reminders",
    params(("id" = String, Path), ("idempotency-key" = Option<String>, Header, description = "Names this call")),
    request_body(content = Option<Value>, content_type = "application/json"),
    responses((status = 200, description = "The scheduler's answer", body = Value),
        (status = 404, description = "There is no such task"),
        (status = 409, description = "Nothing of it has rung")))]
pub(crate) async fn acknowledge(
    State(api): State<Api>,
    addressed: Addressed,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    api.ask_scheduler(addressed, Method::Acknowledge, &headers, &body).await
}
