//! One flow through all services: from a call of the page's backend to the notification. One
//! correlation id is in every event and in the logs of all four, and one trace leads through them, with
//! a link where the clock comes between.

use crate::suite::{Suite, eventually, gentle};
use chrono::{SecondsFormat, TimeDelta, Utc};
use reminder_contract::names::{APP_ID, FRONTEND_APP_ID, NOTIFICATION_APP_ID, TODO_API_APP_ID};
use reminder_stack::spans::{Collector, Span};
use reminder_stack::{Member, Part, logs};
use serde_json::{Value, json};

/// Where the stack's services were told to send their spans.
const ENDPOINT_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// How long the task waits for its reminder, in ms.
const SOON_MS: i64 = 4_000;

const TRACE: &str = "7c1f03577b34da6a3ce929d0e0e4aa02";
const CALLER: &str = "10f067aa0ba902b7";

async fn collector(suite: &Suite) -> Collector {
    let environment = suite.stack.manifest().unwrap().options.app_env;
    let endpoint = environment.get(ENDPOINT_VARIABLE).expect("the stack exports its spans");
    let port = endpoint.rsplit(':').next().and_then(|port| port.parse().ok());
    Collector::at(port.expect("an endpoint with a port")).await.unwrap()
}

/// Whether a line of a service's log belongs to the flow.
fn is_logged(suite: &Suite, part: Part, correlation: &str) -> bool {
    let log = std::fs::read_to_string(logs::path(suite.stack.dir(), part)).unwrap_or_default();
    let lines = log.lines().filter(|line| line.contains(correlation));
    lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| {
        let spans = line["spans"].as_array().into_iter().flatten();
        let mut around = spans.chain([&line["span"], &line]);
        around.any(|fields| fields["correlation.id"] == correlation)
    })
}

/// A span of a service in a trace.
async fn span(collector: &Collector, service: &str, name: &str, trace: &str) -> Span {
    let what = format!("the span {name} of {service} in {trace}");
    eventually(&what, || async {
        let mut spans = collector.spans().into_iter();
        spans
            .find(|span| span.service == service && span.trace == trace && span.name.contains(name))
    })
    .await
}

#[test]
fn one_flow_leads_through_all_services() {
    gentle(async |suite| {
        let collector = collector(suite).await;
        let (flow, user) = (suite.unique("flow"), suite.unique("user"));
        let due = Utc::now() + TimeDelta::milliseconds(SOON_MS);
        let task = json!({
            "title": "Follow me", "userId": user,
            "dueDate": due.to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        let base = suite.url(Member::FrontendSync, "");
        let made = suite.client.post(format!("{base}/api/tasks")).json(&task);
        let made = made.header("origin", &base).header("correlation-id", &flow);
        let made = made.header("traceparent", format!("00-{TRACE}-{CALLER}-01")).send().await;
        let made: Value = made.unwrap().error_for_status().unwrap().json().await.unwrap();
        let id = made["taskId"].as_str().expect("the id of the new task").to_owned();

        let created = suite.event_of(&id, "task.created").await;
        let scheduled = suite.event_of(&id, "reminder.scheduled").await;
        let fired = suite.event_of(&id, "reminder.triggered").await;
        for event in [&created, &scheduled, &fired] {
            assert_eq!(event["correlationid"], flow, "{event}");
        }
        let trace_of = |event: &Value| {
            let parent = event["traceparent"].as_str().unwrap_or_default().to_owned();
            parent.split('-').nth(1).unwrap_or_default().to_owned()
        };
        assert_eq!(trace_of(&created), TRACE);
        assert_eq!(trace_of(&scheduled), TRACE);
        let woken = trace_of(&fired);
        assert_ne!(woken, TRACE, "what the clock does is a trace of its own");

        span(&collector, FRONTEND_APP_ID, "POST", TRACE).await;
        span(&collector, TODO_API_APP_ID, "POST", TRACE).await;
        let turn = span(&collector, APP_ID, "ingest", TRACE).await;
        let wake = span(&collector, APP_ID, "wake", &woken).await;
        assert_eq!(wake.links, [(TRACE.to_owned(), turn.id)], "{wake:#?}");
        let told = span(&collector, NOTIFICATION_APP_ID, "reminder.triggered", &woken).await;
        assert!(told.links.iter().any(|(trace, _)| trace == TRACE), "{told:#?}");

        let parts = [
            Part::App(1),
            Part::Member(Member::TodoApi),
            Part::Member(Member::NotificationService),
            Part::Member(Member::FrontendSync),
        ];
        for part in parts {
            let logged = || async { is_logged(suite, part, &flow).then_some(()) };
            eventually(&format!("{part} logs the flow"), logged).await;
        }
    });
}
