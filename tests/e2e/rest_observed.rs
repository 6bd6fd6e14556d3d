//! What a scrape tells of calls of the REST edge.

use crate::suite::{Suite, gentle};
use reminder_contract::names::METRICS_PATH;
use reminder_stack::probe;
use std::collections::BTreeMap;

/// The series of the edge with their values.
async fn scrape(port: u16) -> BTreeMap<String, f64> {
    let text = probe::get(port, METRICS_PATH, &[]).await.unwrap().body;
    let lines = text.lines().filter(|line| line.starts_with("reminder_http_"));
    let values = lines.map(|line| {
        let (series, value) = line.split(" # ").next().unwrap().rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    });
    values.collect()
}

fn port(suite: &Suite) -> u16 {
    suite.manifest().replica(1).unwrap().app_port
}

#[test]
fn calls_are_counted_by_operation_and_refused_ones_by_what_refused_them() {
    gentle(async |suite| {
        let (port, client) = (port(suite), reqwest::Client::new());
        let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
        let task = suite.unique("observed");
        let path = format!("/v1/tasks/{task}");
        let before = scrape(port).await;
        let put = client.put(url(&path)).header("content-type", "application/json");
        let put =
            put.body(r#"{"title":"Observed","userId":"u@example.org"}"#).send().await.unwrap();
        assert_eq!(put.status(), 201);
        let unknown = client.get(url("/v1/tasks/observed-not-there")).send().await.unwrap();
        assert_eq!(unknown.status(), 404);
        let elsewhere = client.get(url(&path)).header("host", "evil.example").send().await.unwrap();
        assert_eq!(elsewhere.status(), 403);
        let nowhere = client.get(url("/v1/nothing")).send().await.unwrap();
        assert_eq!(nowhere.status(), 404);
        let after = scrape(port).await;
        // Other tests call as well.
        for (series, more) in [
            (r#"reminder_http_requests_total{operation="putTask",status="2xx"}"#, 1.0),
            (r#"reminder_http_requests_total{operation="getTask",status="4xx"}"#, 2.0),
            (r#"reminder_http_requests_total{operation="unknown",status="4xx"}"#, 1.0),
            (r#"reminder_http_refusals_total{reason="guard"}"#, 1.0),
            (r#"reminder_http_request_seconds_count{operation="putTask"}"#, 1.0),
        ] {
            let grown = after[series] - before[series];
            assert!(grown >= more, "{series}: {grown}");
        }
        assert!(after.contains_key("reminder_http_requests_in_flight"));
        assert!(!after.keys().any(|series| series.contains("observed")), "no path is a label");
    });
}
