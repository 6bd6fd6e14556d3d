//! A bound on the calls that the edge works on at the same time.
//!
//! A call that came through the sidecar holds one of the connections that the sidecar has to us, and waits
//! for an actor, whose call needs another one. Were all of them held by callers, no actor could be reached
//! until their deadlines had passed.

use super::answer::Refusal;
use super::observe::Refuser;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::Problem;
use reminder_contract::names::SIDECAR_APP_MAX_CONCURRENCY;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A third of the sidecar's connections: batches call several actors at once, and wakes come as well.
const CALLS_AT_ONCE: usize = SIDECAR_APP_MAX_CONCURRENCY as usize / 3;

/// The places for calls.
pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(CALLS_AT_ONCE))
}

/// Lets a call through if there is a place for it.
pub(super) async fn take(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    if let Ok(_place) = places.try_acquire() {
        return next.run(request).await;
    }
    Refuser::Places.refuses();
    let detail = format!("{CALLS_AT_ONCE} calls are under way already");
    Refusal(Problem::overloaded(detail)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::middleware;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_call_without_a_place_is_refused_at_once_and_one_with_a_place_gives_it_back() {
        let places = Arc::new(Semaphore::new(1));
        let app = Router::new()
            .fallback(|| async { "done" })
            .layer(middleware::from_fn_with_state(Arc::clone(&places), take));
        let call = || app.clone().oneshot(Request::new(Body::empty()));
        assert_eq!(call().await.unwrap().status(), StatusCode::OK);
        let held = places.acquire().await.unwrap();
        let refused = call().await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(refused.headers().contains_key("retry-after"));
        drop(held);
        assert_eq!(call().await.unwrap().status(), StatusCode::OK);
    }
}
