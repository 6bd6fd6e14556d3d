//! What rang: the scheduler is asked by its client, and its answer handed on. What may be asked of it, and how
//! a body is wrong, its contract says.

use super::{Addressed, Api, IDEMPOTENCY_KEY};
use crate::answer::Failure;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::HeaderMap;
use reminder_client::wire::{CommandAnswer, Method, parse_command};
use reminder_client::{CallOptions, CorrelationId, IfVersion, Problem, ProblemKind, Ring, Snooze};
use reminder_domain::command::CommandKind;
use reminder_member::SidecarError;
use serde::Deserialize;

/// How a body names its command, if it does; the header may do so as well.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(default)]
    command_id: Option<CorrelationId>,
}

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
) -> Result<Json<CommandAnswer<'static>>, Failure> {
    ask(&api, addressed, Method::Snooze, &headers, &body).await
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
) -> Result<Json<CommandAnswer<'static>>, Failure> {
    ask(&api, addressed, Method::Acknowledge, &headers, &body).await
}

async fn ask(
    api: &Api,
    Addressed { id, flow }: Addressed,
    method: Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Json<CommandAnswer<'static>>, Failure> {
    let command = parse_command(method, body)?;
    if command.as_user.is_some() {
        // Dropped without a word, it would let through what the caller wanted to be refused.
        return Err(Problem::invalid("asUser", "is not for callers of this service").into());
    }
    let options = CallOptions {
        idempotency_key: key(headers, body)?,
        if_version: command
            .if_version
            .map(|n| if n == 0 { IfVersion::Absent } else { IfVersion::At(n) }),
        ..CallOptions::default()
    };
    let scheduler = api.sidecar.scheduler(&flow);
    let told = match command.kind {
        CommandKind::Snooze { reminder_id, delay } => {
            scheduler.snooze(&id, &Snooze { reminder_id, delay }, &options).await
        }
        CommandKind::Acknowledge { reminder_id } => {
            scheduler.acknowledge(&id, &Ring { reminder_id }, &options).await
        }
        _ => {
            let detail = format!("{} is not asked of the scheduler here", method.as_str());
            return Err(Problem::new(ProblemKind::Inapplicable, detail).into());
        }
    };
    let answer = told.map_err(SidecarError::from)?;
    tracing::info!(task.id = %id, method = method.as_str(), "asked the scheduler");
    Ok(Json(answer))
}

/// What names the command: its body, or the header.
fn key(headers: &HeaderMap, body: &[u8]) -> Result<Option<CorrelationId>, Problem> {
    // It was read as a command before; an empty one is no JSON.
    let Named { command_id } = serde_json::from_slice(body).unwrap_or_default();
    if command_id.is_some() {
        return Ok(command_id);
    }
    let named = headers.get(&IDEMPOTENCY_KEY).map(|key| {
        let key = key.to_str().map_err(|_| "must be visible ASCII characters".to_owned());
        key.and_then(|key| CorrelationId::parse(key).map_err(|error| error.to_string()))
    });
    let named = named.transpose();
    named.map_err(|reason| Problem::invalid(IDEMPOTENCY_KEY.as_str(), &reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_named_by_its_body_or_by_its_header() {
        let headers = |key: &'static str| {
            let key = axum::http::HeaderValue::from_static(key);
            HeaderMap::from_iter([(IDEMPOTENCY_KEY, key)])
        };
        let named = |headers, body: &str| key(&headers, body.as_bytes());
        let id = |text: &str| Ok(Some(CorrelationId::parse(text).unwrap()));
        assert_eq!(named(headers("k-1"), ""), id("k-1"));
        assert_eq!(named(headers("k-1"), r#"{"commandId": "c-1"}"#), id("c-1"));
        assert_eq!(named(HeaderMap::new(), r#"{"for": "PT10M"}"#), Ok(None));
        let refused = named(headers("a b"), "{}").unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("idempotency-key"));
    }
}
