//! REST over tasks. The comments of the handlers are the texts of the `OpenAPI` document.

pub(crate) mod comments;
pub(crate) mod reminders;
pub(crate) mod tasks;

use crate::answer::{self, Failure, invalid};
use crate::change::{Change, Expected, unknown};
use crate::document::Document;
use crate::outbox::Outbox;
use crate::store::{Changed, Store};
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::header::{ETAG, HeaderMap, HeaderName, IF_MATCH};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use reminder_contract::rest;
use reminder_contract::wire::parse_task_id;
use reminder_domain::TaskId;
use reminder_domain::limits::PAYLOAD_MAX_BYTES;
use reminder_member::server::in_flow;
use reminder_member::{Flow, Sidecar};
use std::sync::Arc;

/// Names what is asked, so that it is done once however often it is sent.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(rest::IDEMPOTENCY_KEY);

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) sidecar: Sidecar,
}

/// Every route of the API.
pub(crate) fn routes(api: Api) -> Router {
    let document = crate::openapi::document();
    Router::new()
        .route("/v1/tasks", post(tasks::create).get(tasks::list))
        .route(
            "/v1/tasks/{id}",
            get(tasks::read).put(tasks::replace).patch(tasks::patch).delete(tasks::delete),
        )
        .route("/v1/tasks/{id}/complete", post(tasks::complete))
        .route("/v1/tasks/{id}/reopen", post(tasks::reopen))
        .route("/v1/tasks/{id}/snooze", post(reminders::snooze))
        .route("/v1/tasks/{id}/acknowledge", post(reminders::acknowledge))
        .route("/v1/tasks/{id}/comments", post(comments::comment).get(comments::comments))
        .route("/openapi.json", get(move || async move { Json(document) }))
        .fallback(answer::nowhere)
        .layer(DefaultBodyLimit::max(PAYLOAD_MAX_BYTES))
        .layer(middleware::from_fn(in_flow))
        .with_state(api)
}

/// What a call that changes a task says of it: which, as of which revision, in what flow.
pub(crate) struct Edit {
    id: TaskId,
    expected: Expected,
    flow: Flow,
}

impl FromRequestParts<Api> for Edit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let addressed = Addressed::from_request_parts(parts, api).await?;
        let expected = expected(&parts.headers)?;
        Ok(Self { id: addressed.id, expected, flow: addressed.flow })
    }
}

/// Which task a call is about, and its flow.
pub(crate) struct Addressed {
    id: TaskId,
    flow: Flow,
}

impl FromRequestParts<Api> for Addressed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, &()).await;
        let id = path.map_err(|error| invalid(error.body_text()))?;
        // `in_flow` gives every request one.
        let flow = parts.extensions.get().cloned().unwrap_or_else(Flow::fresh);
        Ok(Self { id: parse_task_id(&id)?, flow })
    }
}

impl Api {
    /// A task that there is.
    async fn known(&self, id: &TaskId) -> Result<Document, Failure> {
        let found = self.store.load(id).await?.map(|(document, _)| document);
        Ok(found.filter(|document| !document.deleted).ok_or_else(|| unknown(id))?)
    }

    async fn change(
        &self,
        id: &TaskId,
        change: &Change,
        expected: Expected,
        flow: &Flow,
    ) -> Result<Changed, Failure> {
        let changed = self.store.change(id, change, expected, flow).await?;
        if changed.written {
            let version = changed.document.version;
            tracing::info!(task.id = %id, version, "changed");
            self.outbox.wake(id);
        }
        Ok(changed)
    }

    async fn edit(
        &self,
        Edit { id, expected, flow }: Edit,
        change: Change,
    ) -> Result<Changed, Failure> {
        self.change(&id, &change, expected, &flow).await
    }

    /// An edit that is answered with the task.
    async fn edited(&self, edit: Edit, change: Change) -> Result<Response, Failure> {
        let changed = self.edit(edit, change).await?;
        Ok(answer::task(StatusCode::OK, &changed.document))
    }
}

/// What the caller expects of the task. Weak tags are as good as strong ones: they are all numbers.
fn expected(headers: &HeaderMap) -> Result<Expected, Failure> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(Expected::Anything) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expected::Existing);
    }
    let tag = text.trim_start_matches("W/");
    let number = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let revision = number.and_then(|number| number.parse().ok());
    revision
        .map(Expected::Revision)
        .ok_or_else(|| invalid(format!("if-match must be one {ETAG} of a task, in quotes, or *")))
}
