//! One listener whose late routes appear once the parts behind them are ready.

use crate::config::Secret;
use crate::dapr::inbound::{reply, routes};
use crate::http::health::{self, Readiness};
use crate::http::{guard, rest};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use reminder_contract::{Problem, ProblemKind};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tower::ServiceExt;

/// How long a call waits for the routes that come late, and then for its refusal.
const STARTING_PAUSE: Duration = Duration::from_secs(1);

/// The routes that come late, once they are there.
pub type LateRoutes = Arc<OnceLock<Router>>;

/// Everything this service answers.
pub fn app(
    readiness: Readiness,
    startup: Router,
    rest: Router,
    late: LateRoutes,
    token: Option<Secret>,
) -> Router {
    let dapr = startup.fallback(forward);
    let dapr = match token {
        Some(token) => routes::require_token(dapr, token, readiness.clone()),
        None => guard::closed_to_pages(dapr),
    };
    let dapr = dapr.layer(axum::Extension(late)).layer(middleware::from_fn(only_sidecars));
    health::routes(readiness).merge(rest).fallback_service(dapr)
}

/// Answers what is not the sidecar's to call before a token is looked at: whoever looks in at the port shows
/// none, and that says nothing of the sidecar, by whose token this replica is ready or not.
async fn only_sidecars(request: Request, next: Next) -> Response {
    if routes::is_sidecars(request.uri().path()) {
        return next.run(request).await;
    }
    rest::nowhere(request.uri().clone()).await.into_response()
}

async fn forward(
    axum::Extension(late): axum::Extension<LateRoutes>,
    request: Request,
) -> Result<Response, Infallible> {
    if late.get().is_none() {
        // The sidecar repeats at once what is refused at once.
        tokio::time::sleep(STARTING_PAUSE).await;
    }
    if let Some(router) = late.get() {
        return router.clone().oneshot(request).await;
    }
    let problem = Problem::new(ProblemKind::Unavailable, "the service is starting; see /readyz");
    Ok(reply::direct(&problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::header::CONTENT_TYPE;
    use axum::routing::get;
    use reminder_contract::names::{READINESS_PATH, SIDECAR_TOKEN_HEADER};
    use reminder_contract::problem;
    use serde_json::Value;

    const ANSWER_MAX_BYTES: usize = 10_000;

    fn service(token: &str) -> Router {
        let startup = Router::new().route("/dapr/config", get(|| async { "{}" }));
        let token = Secret::non_empty(token.to_owned());
        app(Readiness::default(), startup, Router::new(), LateRoutes::default(), token)
    }

    async fn ask(service: &Router, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
        let request =
            headers.iter().fold(Request::get(path), |r, (name, value)| r.header(*name, *value));
        let answer = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers());
        let media_type = headers.get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap());
        let media_type = media_type.to_owned();
        let body = to_bytes(answer.into_body(), ANSWER_MAX_BYTES).await.unwrap();
        (status, media_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn without_a_token_nothing_of_the_sidecars_is_done_for_a_page_in_a_browser() {
        let (open, guarded) = (service(""), service("right"));
        for (name, value) in [
            ("origin", "http://evil.example"),
            // Also when its name leads here, as with DNS rebinding.
            ("origin", "http://localhost:8080"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            for path in ["/dapr/config", "/actors/TaskActor/milk", "/job/any"] {
                let (status, media_type, body) = ask(&open, path, &[(name, value)]).await;
                assert_eq!((status, &*media_type), (403, problem::CONTENT_TYPE), "{path}: {body}");
                assert!(body.contains("APP_API_TOKEN"), "{body}");
            }
            // Who shows the token is the sidecar, whatever it hands on.
            let shown = [(name, value), (SIDECAR_TOKEN_HEADER, "right")];
            assert_eq!(ask(&guarded, "/dapr/config", &shown).await.0, 200, "{name}: {value}");
        }
        for headers in [&[][..], &[("sec-fetch-mode", "cors")]] {
            assert_eq!(ask(&open, "/dapr/config", headers).await.0, 200, "of a program");
        }
    }

    async fn token_check(service: &Router) -> (u16, Value) {
        let (status, _, body) = ask(service, READINESS_PATH, &[]).await;
        let told: Value = serde_json::from_str(&body).unwrap();
        (status, told["checks"]["token"].clone())
    }

    #[tokio::test]
    async fn who_looks_in_without_a_token_keeps_no_replica_from_being_ready() {
        let service = service("right");
        for path in ["/", "/favicon.ico", "/v2/tasks", "/dapr", "/actors", "/job", "/healthz/x"] {
            let (status, media_type, body) = ask(&service, path, &[]).await;
            assert_eq!((status, &*media_type), (404, problem::CONTENT_TYPE), "{path}: {body}");
            assert_eq!(token_check(&service).await, (200, "ok".into()), "{path}");
        }
    }

    #[tokio::test]
    async fn a_sidecar_with_another_token_is_noted_until_it_shows_the_right_one() {
        let service = service("right");
        for path in ["/dapr/config", "/actors/TaskActor/milk", "/job/any", "/dead-letters/any"] {
            for shown in [&[][..], &[(SIDECAR_TOKEN_HEADER, "wrong")]] {
                assert_eq!(ask(&service, path, shown).await.0, 401, "{path}");
                assert_eq!(token_check(&service).await, (503, "refused".into()), "{path}");
            }
            let shown = [(SIDECAR_TOKEN_HEADER, "right")];
            let expected = if path == "/dapr/config" { 200 } else { 503 };
            assert_eq!(ask(&service, path, &shown).await.0, expected, "{path}");
            assert_eq!(token_check(&service).await, (200, "ok".into()), "{path}");
        }
    }
}
