//! `/v1/users/{id}/channels`: which ways a user wants to be told by.

use crate::channels::webhook::Webhooks;
use crate::preferences::{Allowed, PreferenceStore, Preferences, Shown};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use reminder_contract::problem::CONTENT_TYPE as PROBLEM_JSON;
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::ids::Person;
use reminder_member::flow::CORRELATION_ID;
use reminder_member::{Flow, SidecarError};
use std::sync::Arc;
use tracing::Instrument as _;

/// What the routes need.
pub(crate) struct Api {
    /// Where preferences are kept.
    pub(crate) preferences: PreferenceStore,
    /// What is allowed here.
    pub(crate) allowed: Allowed,
    /// For the secrets of users.
    pub(crate) webhooks: Arc<Webhooks>,
}

/// The routes.
pub(crate) fn router(api: Api) -> Router {
    Router::new().route("/v1/users/{user}/channels", get(read).put(write)).with_state(Arc::new(api))
}

async fn read(
    State(api): State<Arc<Api>>,
    Path(user): Path<String>,
    headers: HeaderMap,
) -> Response {
    let flow = Flow::from_headers(&headers);
    let work = async { api.read(&user).await };
    answer(work.instrument(flow.span()).await, &flow)
}

async fn write(
    State(api): State<Arc<Api>>,
    Path(user): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let flow = Flow::from_headers(&headers);
    let work = async { api.write(&user, &body).await };
    answer(work.instrument(flow.span()).await, &flow)
}

impl Api {
    async fn read(&self, user: &str) -> Result<Shown, Problem> {
        let user = person(user)?;
        let found = self.preferences.of(Some(user.as_str())).await.map_err(|e| unavailable(&e))?;
        Ok(self.shown(&user, found))
    }

    async fn write(&self, user: &str, body: &[u8]) -> Result<Shown, Problem> {
        let user = person(user)?;
        let preferences: Preferences = serde_json::from_slice(body).map_err(|error| {
            let kind = if error.is_data() {
                ProblemKind::InvalidInput
            } else {
                ProblemKind::MalformedJson
            };
            Problem::new(kind, error.to_string())
        })?;
        preferences.check(self.allowed)?;
        self.preferences.put(&user, &preferences).await.map_err(|e| unavailable(&e))?;
        tracing::info!(channels = ?preferences.channels, "a user chose how to be told");
        Ok(self.shown(&user, preferences))
    }

    fn shown(&self, user: &Person, preferences: Preferences) -> Shown {
        Shown::new(preferences, user.as_str(), self.webhooks.secrets())
    }
}

fn person(user: &str) -> Result<Person, Problem> {
    Person::parse(user).map_err(|error| Problem::invalid("userId", &error.to_string()))
}

fn unavailable(error: &SidecarError) -> Problem {
    tracing::warn!(%error, "the preferences cannot be reached");
    Problem::new(ProblemKind::Unavailable, "the preferences cannot be reached")
}

fn answer(result: Result<Shown, Problem>, flow: &Flow) -> Response {
    let mut response = match result {
        Ok(shown) => Json(shown).into_response(),
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(CONTENT_TYPE, PROBLEM_JSON)], Json(problem)).into_response()
        }
    };
    if let Ok(id) = HeaderValue::from_str(flow.correlation_id()) {
        response.headers_mut().insert(CORRELATION_ID, id);
    }
    response
}
