//! Probes: what is missing until the service can work.

use crate::metrics;
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use reminder_contract::names::{APP_HEALTH_PATH, LIVENESS_PATH, METRICS_PATH, READINESS_PATH};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The parts that are checked.
pub const SIDECAR: &str = "sidecar";
/// As [`SIDECAR`].
pub const DATABASE: &str = "database";
/// The database by way of the sidecar, which turns need; told of only when it is lost.
pub const STORE: &str = "stateStore";
/// The keys of the identity provider.
pub const KEYS: &str = "keys";
/// Whether callers show the right token.
const TOKEN: &str = "token";

/// Whether the service can work.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What the service waits for at its start, by part; empty once all were there.
    missing: BTreeMap<&'static str, String>,
    /// Parts that were there and do not answer now.
    lost: BTreeMap<&'static str, String>,
    /// Parts that not every service has, and this one does.
    extra: BTreeSet<&'static str>,
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

    /// Has a part be told of that not every service has. Without it others still work, so that it keeps
    /// nobody from being ready.
    pub fn also(&self, part: &'static str) {
        self.lock().extra.insert(part);
    }

    /// Notes whether a part that was there still answers; logs when that changes.
    pub fn seen(&self, part: &'static str, answer: Result<(), String>) {
        match answer {
            Ok(()) => {
                if self.lock().lost.remove(part).is_some() {
                    tracing::info!(part, "a part is back");
                }
            }
            Err(reason) => {
                if self.lock().lost.insert(part, reason.clone()).is_none() {
                    tracing::warn!(part, reason, "a part is lost");
                }
            }
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
        .route(LIVENESS_PATH, get(|| async { Json(json!({ "alive": true })) }))
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
    report(state.is_ready(), &state)
}

async fn healthy(extract::State(readiness): extract::State<Readiness>) -> Response {
    let state = readiness.lock();
    report(state.can_host() && !state.resubscribing, &state)
}

impl State {
    /// Whether turns can run here, or could if what all replicas need were there.
    fn can_host(&self) -> bool {
        self.missing.is_empty() && !self.lost.contains_key(STORE)
    }

    /// Whether calls should come here rather than to another replica. A sidecar that is gone is this
    /// one's alone; a database that is gone is everybody's, and with no replica left that is ready,
    /// callers would get no answer instead of a 503 that says when to try again.
    fn is_ready(&self) -> bool {
        let alone = self.lost.contains_key(SIDECAR) || self.refused.is_some();
        self.can_host() && !alone && !self.stopping
    }

    /// Each check in a word, and the reasons of those that are not well.
    fn checks(&self) -> (BTreeMap<&'static str, &'static str>, BTreeMap<&'static str, &str>) {
        let mut checks = BTreeMap::from([(SIDECAR, "ok"), (DATABASE, "ok"), (TOKEN, "ok")]);
        checks.extend(self.extra.iter().map(|part| (*part, "ok")));
        let mut reasons = BTreeMap::new();
        let missing = self.missing.iter().map(|(part, reason)| (*part, "waiting", &**reason));
        let lost = self.lost.iter().map(|(part, reason)| (*part, "lost", &**reason));
        let refused = self.refused.map(|reason| (TOKEN, "refused", reason));
        for (part, word, reason) in lost.chain(missing).chain(refused) {
            checks.insert(part, word);
            reasons.insert(part, reason);
        }
        (checks, reasons)
    }
}

fn report(good: bool, state: &State) -> Response {
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (checks, reasons) = state.checks();
    let body = json!({
        "ready": good, "stopping": state.stopping, "checks": checks, "waitingFor": reasons,
    });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(readiness: &Readiness) -> (bool, serde_json::Value) {
        let state = readiness.lock();
        let (checks, reasons) = state.checks();
        (state.is_ready(), json!([checks, reasons]))
    }

    #[test]
    fn a_lost_sidecar_is_this_replicas_alone_and_a_lost_database_everybodys() {
        let readiness = Readiness::default();
        readiness.waiting(DATABASE, "starting");
        let waiting = json!([
            {"sidecar": "ok", "database": "waiting", "token": "ok"}, {"database": "starting"}
        ]);
        assert_eq!(state(&readiness), (false, waiting));
        readiness.ready(DATABASE);
        assert!(state(&readiness).0);
        readiness.seen(DATABASE, Err("no answer".into()));
        let lost = json!([{"sidecar": "ok", "database": "lost", "token": "ok"}, {"database": "no answer"}]);
        assert_eq!(state(&readiness), (true, lost));
        readiness.seen(SIDECAR, Err("gone".into()));
        assert!(!state(&readiness).0);
        readiness.seen(SIDECAR, Ok(()));
        readiness.seen(DATABASE, Ok(()));
        assert!(readiness.lock().can_host());
        readiness.seen(STORE, Err("no answer".into()));
        assert!(!state(&readiness).0 && !readiness.lock().can_host(), "another replica can do it");
        readiness.seen(STORE, Ok(()));
        readiness.token_shown(Some("wrong"));
        let refused =
            json!([{"sidecar": "ok", "database": "ok", "token": "refused"}, {"token": "wrong"}]);
        assert_eq!(state(&readiness), (false, refused));
        readiness.token_shown(None);
        assert!(state(&readiness).0);
        readiness.stopping();
        assert!(!state(&readiness).0);
    }
}
