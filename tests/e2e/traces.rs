//! Spans: a command is part of its caller's trace, a firing has a trace of its own, which its event
//! continues and which is linked to the command.

use crate::api::in_ms;
use crate::suite::{Suite, disruptive};
use reminder_contract::names::METRICS_PATH;
use reminder_stack::spans::{Collector, Span};
use reminder_stack::{Part, probe};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Spans are sent every five seconds, or when there are many.
const EXPORT_DEADLINE: Duration = Duration::from_secs(30);
/// Until the reminder is due, in ms.
const SOON_MS: i64 = 2_500;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

async fn export_to(suite: &Suite, collector: &Collector) {
    let variable = ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.endpoint());
    suite.stack.run_app_as(&suite.program, &BTreeMap::from([variable])).unwrap();
    suite.stop(Part::App(1)).await;
    suite.start_and_wait(Part::App(1)).await;
    suite.stack.wait_hosting(1).await.unwrap();
}

async fn span(collector: &Collector, task: &str, name: &str) -> Span {
    let find = || async {
        let spans = collector.spans().into_iter();
        let mut of_task = spans.filter(|span| span.attribute("task.id") == Some(task));
        of_task.find(|span| span.name == name && span.attribute("correlation.id").is_some())
    };
    let found = probe::until(EXPORT_DEADLINE, find).await;
    found.unwrap_or_else(|| panic!("no span {name} of {task} in {:#?}", collector.spans()))
}

#[test]
fn a_command_is_part_of_its_callers_trace_and_what_fires_is_linked_to_it() {
    disruptive(async |suite| {
        let collector = Collector::start().await.unwrap();
        export_to(suite, &collector).await;
        let task = suite.task("traced").due(in_ms(SOON_MS));
        let flow = task.id.clone();
        let parent = format!("00-{TRACE}-{CALLER}-01");
        let body = json!({ "task": task.fields, "correlationId": flow }).to_string();
        let put = suite.api().call(&task.id, "put", body, &[("traceparent", &parent)]).await;
        put.unwrap().accepted();
        let fired = task.event("reminder.triggered").await;
        let scheduled = task.event("reminder.scheduled").await;

        let put = span(&collector, &task.id, "put").await;
        assert_eq!((put.service.as_str(), put.trace.as_str()), ("reminder-scheduler", TRACE));
        assert_ne!(
            put.parent, "",
            "it is part of the caller's span, or of the sidecar's in between"
        );
        assert_eq!(put.attribute("correlation.id"), Some(&*flow));
        let parent_of_events = format!("00-{TRACE}-{}-01", put.id);
        assert_eq!(scheduled.envelope["traceparent"], parent_of_events);

        let wake = span(&collector, &task.id, "wake").await;
        assert_ne!(wake.trace, TRACE, "the trace of the command ended long ago");
        assert_eq!(wake.links, [(TRACE.to_owned(), put.id.clone())], "{wake:#?}");
        assert_eq!(wake.attribute("correlation.id"), Some(&*flow));
        assert_eq!(fired.envelope["traceparent"], format!("00-{}-{}-01", wake.trace, wake.id));
        assert_eq!(fired.data()["scheduleTraceparent"], parent_of_events);
        assert_eq!(fired.envelope["correlationid"], flow);

        // From a bucket of the histogram one comes to the trace.
        let port = suite.manifest().replica(1).unwrap().app_port;
        let metrics = probe::get(port, METRICS_PATH, &[]).await.unwrap().body;
        let exemplar = format!(r#"# {{trace_id="{}"}}"#, wake.trace);
        let of = |name: &str| metrics.lines().any(|l| l.starts_with(name) && l.contains(&exemplar));
        assert!(of("reminder_firing_lateness_seconds_bucket"), "{metrics}");
        the_edge_stands_between_its_caller_and_the_turn(suite, &collector).await;
    });
}

async fn the_edge_stands_between_its_caller_and_the_turn(
    suite: &'static Suite,
    collector: &Collector,
) {
    let task = suite.task("traced-call");
    let port = suite.manifest().replica(1).unwrap().app_port;
    let url = format!("http://127.0.0.1:{port}/v1/tasks/{}", task.id);
    let put = reqwest::Client::new()
        .put(url)
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .header("x-correlation-id", &task.id)
        .body(task.fields.to_string());
    assert_eq!(put.send().await.unwrap().status(), 201);
    let turn = span(collector, &task.id, "put").await;
    let find = || async {
        let spans = collector.spans().into_iter();
        spans
            .filter(|span| span.name == "PUT /v1/tasks/{taskId}")
            .find(|span| span.id == turn.parent)
    };
    let call = probe::until(EXPORT_DEADLINE, find).await;
    let call = call.unwrap_or_else(|| panic!("no call of {turn:#?} in {:#?}", collector.spans()));
    assert_eq!((call.trace.as_str(), call.parent.as_str()), (TRACE, CALLER));
    assert_eq!(turn.trace, TRACE);
    for (attribute, value) in [
        ("http.request.method", "PUT"),
        ("http.route", "/v1/tasks/{taskId}"),
        ("http.response.status_code", "201"),
    ] {
        assert_eq!(call.attribute(attribute), Some(value), "{call:#?}");
    }
    assert!(!format!("{call:?}").contains(&task.id), "a call names no task: {call:#?}");
}
