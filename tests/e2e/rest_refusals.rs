//! What the REST edge refuses: bad calls with their true statuses, and callers without a token.

use crate::identity::provider::Call;
use crate::process::{Service, environment};
use crate::proxy::ClosedPort;
use crate::suite::{Suite, gentle};
use reqwest::Method;
use serde_json::Value;

/// A call, and the status and field of its refusal.
type Case<'a> = (Method, &'a str, &'a str, &'a str, u16, Option<&'a str>);

const JSON: &str = "application/json";

#[test]
fn bad_calls_get_problems_with_their_true_statuses() {
    gentle(async |suite| {
        let base = format!("http://127.0.0.1:{}", suite.manifest().replica(1).unwrap().app_port);
        // A connection for each call: one that was refused before its body was read is closed.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let large = format!("{{\"title\":\"{}\"}}", "x".repeat(70_000));
        let deep = format!("{{\"title\":{}", "[".repeat(100));
        let patch = "application/merge-patch+json";
        let cases: Vec<Case<'_>> = vec![
            (Method::GET, "/v1/nothing", "", "", 404, None),
            (Method::GET, "/v1/users/ada", "", "", 405, None),
            (Method::GET, "/v1/tasks/no-such-task", "", "", 404, None),
            (Method::POST, "/v1/tasks/a", "{}", JSON, 405, None),
            (Method::DELETE, "/v1/tasks:batch", "", "", 405, None),
            (Method::PUT, "/v1/users/ada/export", "{}", JSON, 405, None),
            (Method::PUT, "/v1/tasks/a", &large, JSON, 413, None),
            (Method::PUT, "/v1/tasks/a", "title=x", "application/x-www-form-urlencoded", 415, None),
            (Method::PATCH, "/v1/tasks/a", "{}", JSON, 415, None),
            (Method::PUT, "/v1/tasks/a/calendar", "{}", JSON, 415, None),
            (Method::PUT, "/v1/tasks/a", "{", JSON, 422, None),
            (Method::PUT, "/v1/tasks/a", &deep, JSON, 422, None),
            (Method::PUT, "/v1/tasks/a", "[]", JSON, 422, None),
            (Method::PUT, "/v1/tasks/a", "{\"titel\":\"x\"}", JSON, 422, Some("titel")),
            (
                Method::PUT,
                "/v1/tasks/a?ifPsat=fire",
                "{\"title\":\"x\"}",
                JSON,
                422,
                Some("ifPsat"),
            ),
            (Method::PUT, "/v1/tasks/a?ifPast=no", "{\"title\":\"x\"}", JSON, 422, Some("ifPast")),
            (Method::PUT, "/v1/tasks/a%20b", "{\"title\":\"x\"}", JSON, 422, Some("taskId")),
            (Method::PATCH, "/v1/tasks/no-such-task", "{}", patch, 404, None),
            (Method::PUT, "/v1/tasks/a/reminders/x", "{\"id\":\"y\"}", JSON, 422, Some("id")),
            (Method::PUT, "/v1/tasks/a/calendar", "x", "text/calendar", 422, None),
            (Method::POST, "/v1/tasks/a/snooze", "[]", JSON, 422, None),
            (Method::GET, "/v1/tasks/a/preview?count=0", "", "", 422, Some("count")),
            (Method::GET, "/v1/tasks/a/explain?reminderId=due", "", "", 422, Some("scheduledFor")),
            (Method::GET, "/v1/tasks?limit=1000", "", "", 422, Some("limit")),
            (Method::GET, "/v1/reminders?from=soon", "", "", 422, Some("from")),
            (
                Method::POST,
                "/v1/tasks:batch",
                "{\"items\":[{}]}",
                JSON,
                422,
                Some("items[0].method"),
            ),
        ];
        for (method, path, body, media_type, status, field) in cases {
            let mut request = http.request(method.clone(), format!("{base}{path}"));
            if !media_type.is_empty() {
                request = request.header("content-type", media_type).body(body.to_owned());
            }
            let response = request.send().await.unwrap();
            let place = format!("{method} {path}");
            assert_eq!(response.status(), status, "{place}");
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{place}");
            assert_eq!(response.headers().contains_key("allow"), status == 405, "{place}");
            let text = response.text().await.unwrap();
            let problem: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(problem["status"], status, "{place}: {problem}");
            assert_eq!(problem.get("field").and_then(Value::as_str), field, "{place}: {problem}");
        }
    });
}

/// A service with neither sidecar nor database, and what it answers to a read with these headers: 503
/// when the call was let through.
async fn answers(
    suite: &Suite,
    settings: &[(&str, &str)],
    calls: &[(&[(&str, &str)], u16)],
) -> String {
    let missing = ClosedPort::new();
    let (port, url) =
        (missing.port.to_string(), format!("postgres://u:p@127.0.0.1:{}/d", missing.port));
    let needed = [("DAPR_GRPC_PORT", &*port), ("DATABASE_URL", &*url)];
    let environment = environment(&[&needed[..], settings].concat());
    let mut service = Service::start(suite, &environment);
    service.waits_for("database", "").await;
    for (headers, status) in calls {
        let answer = service.get("/v1/reminders", headers).await.unwrap();
        assert_eq!(answer.status, *status, "{settings:?} {headers:?}: {}", answer.body);
        assert!(answer.body.contains(&format!("\"status\":{status}")), "{}", answer.body);
    }
    service.terminate();
    service.ended().await.output
}

#[test]
fn who_shows_no_token_is_let_in_from_this_host_at_most() {
    gentle(async |suite| {
        let bearer = |token: &str| format!("Bearer {token}");
        let (right, wrong) = (bearer("a-rest-secret"), bearer("a-wrong-secret"));
        let of_sidecar: &[(&str, &str)] = &[("dapr-api-token", "a-sidecar-secret")];
        let (right, wrong): (&[_], &[_]) =
            (&[("authorization", &*right)], &[("authorization", &*wrong)]);
        answers(suite, &[], &[(&[], 503), (wrong, 503)]).await;
        let everywhere = ("APP_HOST", "0.0.0.0");
        answers(suite, &[everywhere], &[(&[], 403), (wrong, 403), (of_sidecar, 403)]).await;
        let token = ("REST_TOKEN", "a-rest-secret");
        let told = answers(
            suite,
            &[everywhere, token, ("APP_API_TOKEN", "a-sidecar-secret")],
            &[(&[], 401), (wrong, 401), (right, 503), (of_sidecar, 503)],
        )
        .await;
        assert!(!told.contains("secret"), "no token is logged: {told}");
        let sidecar = [("APP_API_TOKEN", "a-sidecar-secret")];
        answers(suite, &sidecar, &[(&[], 403), (of_sidecar, 503)]).await;
    });
}

#[test]
fn pages_of_other_sites_are_kept_away_where_no_token_is_asked_for() {
    gentle(async |suite| {
        let missing = ClosedPort::new();
        let port = missing.port.to_string();
        let url = format!("postgres://u:p@127.0.0.1:{port}/d");
        let needed = [("DAPR_GRPC_PORT", &*port), ("DATABASE_URL", &*url)];
        let of = |extra: &[(&str, &str)]| {
            Service::start(suite, &environment(&[&needed[..], extra].concat()))
        };
        let mut open = of(&[("REST_HOSTS", "reminders.example")]);
        open.waits_for("database", "").await;
        // 503 and 200: let through.
        for path in ["/v1/tasks", "/v1/nothing", "/console", "/docs/", "/openapi.json"] {
            let by = |host: &'static str| Call::new("GET", path).with("host", host);
            assert_eq!(by("evil.example").by(&open, "").await.status, 403, "{path}");
            for host in ["localhost", "reminders.example:8080"] {
                assert_ne!(by(host).by(&open, "").await.status, 403, "{path} as {host}");
            }
        }
        let put = Call::new("PUT", "/v1/tasks/a").json(&serde_json::json!({ "title": "t" }));
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "null"),
        ] {
            let answer = put.clone().with(name, value).by(&open, "").await;
            assert_eq!(answer.status, 403, "{name}: {answer:?}");
        }
        assert_eq!(put.by(&open, "").await.status, 503);
        open.terminate();
        open.ended().await;
        // Who shows a token cannot be a page of another site.
        let mut closed = of(&[("REST_TOKEN", "a-rest-secret")]);
        closed.waits_for("database", "").await;
        let elsewhere = put.with("host", "reminders.example").with("origin", "http://evil.example");
        assert_eq!(elsewhere.by(&closed, "a-rest-secret").await.status, 503);
        closed.terminate();
        closed.ended().await;
    });
}
