//! The Dapr job that begins rounds of the purge, as the sidecar calls it.

use crate::retention::job::{Bell, JOB};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;

/// The route of the job. It is answered at once: a round may take longer than the sidecar waits.
pub fn route(bell: &Bell) -> Router {
    let bell = bell.clone();
    let ring = move || async move {
        bell.ring();
        StatusCode::OK
    };
    Router::new().route(&format!("/job/{JOB}"), post(ring))
}
