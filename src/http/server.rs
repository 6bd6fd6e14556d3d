//! One listener whose actor routes appear once the parts behind them are ready.

use crate::config::Secret;
use crate::dapr::inbound::{reply, routes};
use crate::http::health::{self, Readiness};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use reminder_contract::{Problem, ProblemKind};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use tower::ServiceExt;

/// The actor routes, once they are there.
pub type LateRoutes = Arc<OnceLock<Router>>;

/// Everything this service answers.
pub fn app(
    readiness: Readiness,
    startup: Router,
    rest: Router,
    actors: LateRoutes,
    token: Option<Secret>,
) -> Router {
    let dapr = startup.fallback(forward);
    let dapr = routes::require_token(dapr, token, readiness.clone()).layer(axum::Extension(actors));
    health::routes(readiness).merge(rest).fallback_service(dapr)
}

async fn forward(
    axum::Extension(actors): axum::Extension<LateRoutes>,
    request: Request,
) -> Result<Response, Infallible> {
    if let Some(router) = actors.get() {
        return router.clone().oneshot(request).await;
    }
    let problem = Problem::new(ProblemKind::Unavailable, "the service is starting; see /readyz");
    Ok(reply::direct(&problem))
}
