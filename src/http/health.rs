//! Probes: what is missing until the service can work.

use crate::metrics;
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use reminder_contract::names::{APP_HEALTH_PATH, LIVENESS_PATH, METRICS_PATH, READINESS_PATH};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the service can work.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What the service waits for, by part; empty when it is ready.
    missing: BTreeMap<&'static str, String>,
    /// Why the last call with a token was refused. It keeps nothing from working, so it shows in
    /// readiness only: Dapr's health check carries no token and must not take the actors away.
    refused: Option<&'static str>,
    stopping: bool,
    /// Dapr's app health check shall fail, so that the sidecar leaves its topics and joins them anew.
    resubscribing: bool,
}

impl Readiness {
    /// Notes what a part waits for; tells whether that is news.
    pub fn waiting(&self, part: &'static str, reason: &str) -> bool {
        let known = self.lock().missing.insert(part, reason.to_owned());
        known.is_none_or(|known| known != reason)
    }

    /// Notes that a part is ready.
    pub fn ready(&self, part: &'static str) {
        if self.lock().missing.remove(part).is_some() {
            tracing::info!(part, "ready");
        }
    }

    /// Notes whether the last call showed the right token.
    pub fn token_shown(&self, refused: Option<&'static str>) {
        self.lock().refused = refused;
    }

    /// Has Dapr's app health check fail, or no longer.
    pub fn resubscribing(&self, now: bool) {
        self.lock().resubscribing = now;
    }

    /// Notes that the process is about to end.
    pub fn stopping(&self) {
        self.lock().stopping = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The probes, and the metrics: none asks for a token, for kubelet and Prometheus have none.
///
/// Dapr's app health check says whether turns can run: the sidecar hosts no actors without it. It
/// stays good while the process drains, since the sidecar would leave before the turns under way
/// have ended; readiness does not, so that no new calls are sent here.
pub fn routes(readiness: Readiness) -> Router {
    Router::new()
        .route(LIVENESS_PATH, get(|| async { "alive" }))
        .route(READINESS_PATH, get(ready))
        .route(APP_HEALTH_PATH, get(healthy))
        .route(METRICS_PATH, get(scraped))
        .with_state(readiness)
}

async fn scraped() -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::metrics().text()).into_response()
}

async fn ready(extract::State(readiness): extract::State<Readiness>) -> Response {
    let state = readiness.lock();
    report(state.missing.is_empty() && state.refused.is_none() && !state.stopping, &state)
}

async fn healthy(extract::State(readiness): extract::State<Readiness>) -> Response {
    let state = readiness.lock();
    report(state.missing.is_empty() && !state.resubscribing, &state)
}

fn report(good: bool, state: &State) -> Response {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut waiting_for = state.missing.clone();
    waiting_for.extend(state.refused.map(|reason| ("token", reason.to_owned())));
    let body = json!({ "ready": good, "waitingFor": waiting_for, "stopping": state.stopping });
    (status, Json(body)).into_response()
}
