//! The HTTP server of a member: probes, the sidecar's token, a graceful end.

use crate::config::{Secret, ServerConfig};
use crate::flow::Flow;
use crate::sidecar::{Sidecar, TOKEN_HEADER};
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HeaderName, ORIGIN};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reminder_contract::names::{APP_HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};
use std::net::SocketAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

/// What a caller without the right token is told.
const WRONG_TOKEN: &str = "the header dapr-api-token does not match APP_API_TOKEN: the sidecar must \
                           be started with the same APP_API_TOKEN as this process";

/// In which browsers say where a call comes from (<https://www.w3.org/TR/fetch-metadata/>). No script can set it.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page in a browser is told.
const A_PAGE: &str = "this is for the sidecar alone: without APP_API_TOKEN nothing is taken from a page in a browser";

/// What a member answers.
pub struct Routes {
    /// For everybody who reaches the port, and through the sidecar by service invocation.
    pub public: Router,
    /// For the sidecar alone: subscriptions and what they deliver. Pages in browsers are refused.
    pub sidecar: Router,
}

/// What ends a server other than being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Is another process using the port? Choose another with APP_PORT"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The server broke.
    #[error("the server ended: {0}")]
    Server(std::io::Error),
}

/// Serves until `stop` is cancelled, then finishes what was begun, for as long as the grace allows.
pub async fn serve(
    routes: Routes,
    sidecar: Sidecar,
    config: &ServerConfig,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })?;
    tracing::info!(%address, "listening");
    let app = app(routes, sidecar, config.token.clone(), stop.clone());
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => return ended.unwrap_or(Ok(())).map_err(ServeError::Server),
        () = stop.cancelled() => {}
    }
    if let Ok(ended) = tokio::time::timeout(config.shutdown_grace, &mut server).await {
        return ended.unwrap_or(Ok(())).map_err(ServeError::Server);
    }
    tracing::warn!("some answers were not finished in time");
    server.abort();
    Ok(())
}

/// Everything a member answers: the probes, which ask for no token, and its routes.
pub fn app(
    routes: Routes,
    sidecar: Sidecar,
    token: Option<Secret>,
    stop: CancellationToken,
) -> Router {
    let guarded = match token {
        Some(token) => routes.sidecar.layer(middleware::from_fn_with_state(Arc::new(token), check)),
        None => routes.sidecar.layer(middleware::from_fn(no_page)),
    };
    let ready = Arc::new(Ready { sidecar, stop });
    Router::new()
        .route(LIVENESS_PATH, get(|| async { "alive" }))
        // The sidecar asks here whether it may deliver; it does so itself, so it is there.
        .route(APP_HEALTH_PATH, get(|| async { "healthy" }))
        .route(READINESS_PATH, get(is_ready).with_state(ready))
        .merge(guarded)
        .merge(routes.public)
}

/// Handles a call within its flow: handlers find it as an extension, lines are logged in its span, and
/// the answer names it.
pub async fn in_flow(mut request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let name = match request.extensions().get::<MatchedPath>() {
        Some(matched) => format!("{method} {}", matched.as_str()),
        None => method.to_string(),
    };
    let (flow, span) = Flow::from_headers(request.headers()).begin(&name);
    request.extensions_mut().insert(flow.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        tracing::info!(%method, path, status = response.status().as_u16(), "answered");
    });
    response.headers_mut().extend(flow.headers());
    response
}

struct Ready {
    sidecar: Sidecar,
    stop: CancellationToken,
}

async fn is_ready(State(ready): State<Arc<Ready>>) -> Response {
    if ready.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping").into_response();
    }
    if ready.sidecar.is_healthy().await {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "waiting for the sidecar").into_response()
    }
}

async fn check(State(expected): State<Arc<Secret>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(TOKEN_HEADER).map_or(&[][..], |value| value.as_bytes());
    if expected.expose().as_bytes().ct_eq(shown).into() {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "a call without the right APP_API_TOKEN");
    (StatusCode::UNAUTHORIZED, WRONG_TOKEN).into_response()
}

/// Refuses what a page has its browser send, of whatever site: where nobody shows a token, being on this host is
/// all that is asked, and pages are there as well. Browsers say so of themselves, and the sidecar does not. It does
/// hand on the headers of who calls through it: a page that reaches the sidecar's own port gets no further either. (It
/// makes headers of a record's headers too: one that has an `Origin` is a dead letter after its retries.)
async fn no_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !headers.contains_key(FETCH_SITE) && !headers.contains_key(ORIGIN) {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "a call for the sidecar that a page made");
    (StatusCode::FORBIDDEN, A_PAGE).into_response()
}

/// Cancelled by the first SIGTERM or SIGINT.
///
/// # Errors
/// When the process cannot listen for signals.
pub fn termination() -> std::io::Result<CancellationToken> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
