//! What browsers get: the page, its stream of news, and what it may do.

mod actions;
mod origin;
mod page;
mod stream;

use crate::config::Settings;
use crate::hub::Hub;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reminder_contract::problem::{self, Problem};
use reminder_member::Sidecar;
use std::sync::Arc;

/// Largest body of a request, in bytes: that of a command of the scheduler.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// Only our own files, no inline script, no inline style, no frame around us; and no markup made by
/// script at all, in browsers that know Trusted Types.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What every route needs.
#[derive(Clone, Debug)]
pub struct Front {
    /// Pages and feeds.
    pub hub: Arc<Hub>,
    /// The way to the services behind us.
    pub sidecar: Sidecar,
    /// What the page is told at its start.
    pub settings: Settings,
}

/// The routes for browsers.
pub fn router(front: Front) -> Router {
    let api = Router::new()
        .route("/api/stream", get(stream::follow))
        .route("/api/tasks", post(actions::create))
        .route("/api/tasks/{id}/{action}", post(actions::act))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::from_fn(origin::check))
        .with_state(front);
    api.merge(page::router()).layer(middleware::from_fn(guard))
}

/// Headers that keep browsers from doing more than they should.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A problem as an HTTP answer.
fn refused(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, problem::CONTENT_TYPE)], problem.to_json()).into_response()
}
