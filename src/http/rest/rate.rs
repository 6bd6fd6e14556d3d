//! How often one caller may call, where `REST_RATE` says so.

use super::access::ShownBySidecar;
use super::answer::Refusal;
use super::observe::Refuser;
use crate::tokens::Caller;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use reminder_contract::{Problem, ProblemKind};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

/// In which a sidecar says which application calls.
const CALLER: &str = "dapr-caller-app-id";

/// Callers that are remembered before those are forgotten who have not called for a while.
const CALLERS_MAX: usize = 10_000;

/// What callers may do; `None`: whatever they like.
pub(super) type Rate = Option<Arc<DefaultKeyedRateLimiter<String>>>;

/// So many calls a second for each caller, and as many at once.
pub(super) fn of(per_second: Option<NonZeroU32>) -> Rate {
    per_second.map(|rate| Arc::new(RateLimiter::keyed(Quota::per_second(rate))))
}

/// Lets a call through if its caller has not used up its share.
pub(super) async fn check(State(rate): State<Rate>, request: Request, next: Next) -> Response {
    let Some(rate) = rate else { return next.run(request).await };
    if rate.len() > CALLERS_MAX {
        rate.retain_recent();
    }
    match rate.check_key(&caller(&request)) {
        Ok(()) => next.run(request).await,
        Err(until) => {
            Refuser::Rate.refuses();
            let wait = until.wait_time_from(DefaultClock::default().now());
            let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
            let problem = Problem::new(ProblemKind::TooManyRequests, "REST_RATE is used up");
            Refusal(problem.retry_after(seconds)).into_response()
        }
    }
}

/// The user whose token it is, else the application that calls, when the sidecar vouches for it, else the
/// address.
fn caller(request: &Request) -> String {
    if let Some(Caller::User(user)) = request.extensions().get::<Caller>() {
        // No application and no address begins so.
        return format!("user {user}");
    }
    let vouched = request.extensions().get::<ShownBySidecar>().is_some();
    let app = request.headers().get(CALLER).filter(|_| vouched);
    if let Some(app) = app.and_then(|app| app.to_str().ok()) {
        return app.to_owned();
    }
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    address.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use tower::ServiceExt;

    fn app(rate: Rate) -> Router {
        Router::new()
            .fallback(|| async { "done" })
            .layer(middleware::from_fn_with_state(rate, check))
    }

    async fn status(app: &Router, caller: &'static str, vouched: bool) -> u16 {
        let mut request = Request::builder().header(CALLER, caller).body(Body::empty()).unwrap();
        if vouched {
            request.extensions_mut().insert(ShownBySidecar);
        }
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status() == 429, response.headers().contains_key("retry-after"));
        response.status().as_u16()
    }

    #[tokio::test]
    async fn each_caller_has_a_share_of_its_own_if_the_sidecar_vouches_for_it() {
        let one = NonZeroU32::new(1);
        let limited = app(of(one));
        assert_eq!(status(&limited, "a", true).await, 200);
        assert_eq!(status(&limited, "a", true).await, 429);
        assert_eq!(status(&limited, "b", true).await, 200);
        // Who calls directly cannot take another name to get another share.
        assert_eq!(status(&limited, "c", false).await, 200);
        assert_eq!(status(&limited, "d", false).await, 429);
        let unlimited = app(of(None));
        for _ in 0..10 {
            assert_eq!(status(&unlimited, "a", true).await, 200);
        }
    }
}
