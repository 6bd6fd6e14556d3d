//! What is told of each call, whoever makes it and however it ends: a metric by its operation, and a span, which
//! commands and their turns continue.
//!
//! Names are those of OpenTelemetry's conventions for HTTP servers. The path itself is in none of them, for it names
//! tasks and users.

use crate::metrics::{exemplar, metrics};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use reminder_contract::rest::{self, OPERATIONS};
use reminder_telemetry::context;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

const TRACEPARENT: HeaderName = HeaderName::from_static(rest::TRACEPARENT);

/// The status of a call whose caller left before it was answered.
const NO_STATUS: &str = "none";

/// The route of all that is about a user, whose id may have slashes.
pub(super) const USERS: &str = "/v1/users/{*userPath}";

/// Who refuses calls before their handlers see them: the guard against other sites, the check of tokens, what tokens of
/// users are for, the rate of each caller, the bound on calls at the same time.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Refuser {
    Guard,
    Token,
    Scope,
    Rate,
    Places,
}

impl Refuser {
    const fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Token => "token",
            Self::Scope => "scope",
            Self::Rate => "rate",
            Self::Places => "places",
        }
    }

    /// Counts a call that it refuses.
    pub(in crate::http) fn refuses(self) {
        metrics().http_refusals.get_or_create(&[("reason", self.name())]).inc();
    }
}

/// Has all calls of these routes told of, refused ones included.
pub(in crate::http) fn observed(routes: Router) -> Router {
    routes.layer(middleware::from_fn(observe))
}

async fn observe(mut request: Request, next: Next) -> Response {
    let call = Call::of(&request);
    let span = call.span();
    let parent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    if let Some(parent) = parent {
        context::continue_from(&span, parent);
    }
    let own = context::traceparent_of(&span).and_then(|own| HeaderValue::from_str(&own).ok());
    let span = match own {
        // What follows is part of this call, not of its caller's.
        Some(own) => {
            request.headers_mut().insert(TRACEPARENT, own);
            span
        }
        // Nobody collects it, and lines of the log are long enough.
        None => Span::none(),
    };
    let under_way = UnderWay::begin(call.name);
    let response = next.run(request).instrument(span.clone()).await;
    under_way.ended(response.status(), &span);
    response
}

/// What is called.
struct Call {
    verb: &'static str,
    /// As the document has it, or as it is routed.
    route: String,
    /// The operation, or what else it is.
    name: &'static str,
}

impl Call {
    fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let route = template(matched.unwrap_or_default(), request.uri().path());
        let verb = verb(request.method());
        // Answered as a GET without its body.
        let answered_as = if verb == "HEAD" { "GET" } else { verb };
        let operation = rest::find_operation(answered_as, &route);
        let name = operation.map_or_else(|| other(&route), |operation| operation.name);
        Self { verb, route, name }
    }

    fn span(&self) -> Span {
        let name = format!("{} {}", self.verb, self.route);
        tracing::info_span!(
            "request",
            otel.name = name.as_str(),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = self.verb,
            http.route = self.route.as_str(),
            http.response.status_code = Empty,
            "error.type" = Empty,
        )
    }
}

/// The path of an operation as the document has it: what is about a user is one route.
pub(super) fn template(route: &str, path: &str) -> String {
    if route != USERS {
        return route.to_owned();
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let of_user = format!("/v1/users/{{userId}}/{last}");
    let known = OPERATIONS.iter().any(|one| one.path == of_user);
    if known { of_user } else { "/v1/users/{userId}".to_owned() }
}

/// What is called and is no operation: the console, the document with its page, or nothing that there is.
fn other(route: &str) -> &'static str {
    match route {
        route if route.starts_with("/console") => "console",
        route if route == "/openapi.json" || route.starts_with("/docs") => "document",
        _ => "unknown",
    }
}

/// A method of HTTP, of which callers may invent as many as they like.
fn verb(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

/// A call that is not answered yet; one that is dropped so is counted as well.
struct UnderWay {
    name: &'static str,
    began: Instant,
    status: &'static str,
}

impl UnderWay {
    fn begin(name: &'static str) -> Self {
        metrics().http_in_flight.inc();
        Self { name, began: Instant::now(), status: NO_STATUS }
    }

    fn ended(mut self, status: StatusCode, span: &Span) {
        self.status = class(status);
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", status.as_str());
        }
        let took = self.began.elapsed().as_secs_f64();
        let seconds = metrics().http_request_seconds.get_or_create(&[("operation", self.name)]);
        seconds.observe(took, exemplar(context::trace_of(span)), None);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        metrics().http_in_flight.dec();
        let labels = [("operation", self.name), ("status", self.status)];
        metrics().http_requests.get_or_create(&labels).inc();
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::rest::openapi;
    use crate::metrics::{NO_OPERATIONS, REFUSERS};
    use axum::body::Body;
    use axum::routing::get;
    use std::future::pending;
    use std::sync::Arc;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    fn count(operation: &'static str, status: &'static str) -> u64 {
        let labels = [("operation", operation), ("status", status)];
        metrics().http_requests.get_or_create(&labels).get()
    }

    fn app() -> Router {
        let routes = Router::new()
            .route("/v1/tasks/{taskId}/explain", get(|| async { StatusCode::IM_A_TEAPOT }))
            .route(USERS, get(|| async { StatusCode::BAD_GATEWAY }));
        observed(routes)
    }

    async fn call(method: &str, path: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        app().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn calls_are_counted_by_operation_and_status_and_never_by_path() {
        let teapots = count("explainReminder", "4xx");
        for verb in ["GET", "HEAD"] {
            assert_eq!(call(verb, "/v1/tasks/milk/explain").await, StatusCode::IM_A_TEAPOT);
        }
        assert_eq!(count("explainReminder", "4xx"), teapots + 2);
        let erasures = count("getErasure", "5xx");
        assert_eq!(call("GET", "/v1/users/a/b/erasure").await, StatusCode::BAD_GATEWAY);
        assert_eq!(count("getErasure", "5xx"), erasures + 1);
        let unknown = count("unknown", "4xx");
        assert_eq!(call("BREW", "/v1/tasks/milk/explain").await, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(count("unknown", "4xx"), unknown + 1);
        assert!(!metrics().text().contains("milk"), "no path is a label");
    }

    #[tokio::test]
    async fn a_caller_who_leaves_is_counted_too() {
        let left = count("previewTask", "none");
        let reached = Arc::new(Notify::new());
        let handler = Arc::clone(&reached);
        let hang = move || async move {
            handler.notify_one();
            pending::<()>().await;
        };
        let app = observed(Router::new().route("/v1/tasks/{taskId}/preview", get(hang)));
        let request = Request::get("/v1/tasks/milk/preview").body(Body::empty()).unwrap();
        let called = tokio::spawn(app.oneshot(request));
        reached.notified().await;
        assert!(metrics().http_in_flight.get() >= 1);
        called.abort();
        assert!(called.await.unwrap_err().is_cancelled());
        assert_eq!(count("previewTask", "none"), left + 1);
    }

    #[test]
    fn what_there_may_be_is_there_from_the_start() {
        let all = [Refuser::Guard, Refuser::Token, Refuser::Scope, Refuser::Rate, Refuser::Places];
        assert_eq!(all.map(Refuser::name), REFUSERS);
        assert_eq!(["/console", "/docs", "/v1/{*path}"].map(other), NO_OPERATIONS);
    }

    /// A new operation gets a name, or this fails.
    #[test]
    fn the_operations_are_those_of_the_document() {
        let document = openapi::document();
        let mut told = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (verb, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap().to_owned();
                told.push((verb.to_uppercase(), path.clone(), name));
            }
        }
        let known =
            OPERATIONS.iter().map(|one| (one.verb.into(), one.path.into(), one.name.into()));
        let mut known: Vec<(String, String, String)> = known.collect();
        told.sort();
        known.sort();
        assert_eq!(told, known);
    }

    #[test]
    fn whatever_is_about_a_user_is_one_of_few_routes() {
        let of = |path| template(USERS, path);
        assert_eq!(of("/v1/users/a/b/preferences"), "/v1/users/{userId}/preferences");
        assert_eq!(of("/v1/users/ada@example.org"), "/v1/users/{userId}");
        assert_eq!(of("/v1/users/ada/secrets"), "/v1/users/{userId}");
        assert_eq!(template("/v1/tasks", "/v1/tasks"), "/v1/tasks");
    }
}
