//! Commands: repeated, in conflict, and what they carry on to the events they lead to.

use crate::api::in_ms;
use crate::suite::{EVENT_DEADLINE, gentle};
use serde_json::json;

#[test]
fn a_command_id_is_applied_once_and_refused_with_another_body() {
    gentle(async |suite| {
        let task = suite.task("idempotent").due(in_ms(3_600_000));
        let mut body = task.body();
        body["commandId"] = json!("c-1");
        let first = task.call("put", &body).await.accepted();
        // Something else in between, so that it is not the last body that is recognised.
        task.complete().await;
        assert_eq!(task.call("put", &body).await.accepted(), first, "the recorded answer");
        assert_eq!(task.get().await["version"], 2);

        let mut other = task.clone().with("title", "Another").body();
        other["commandId"] = json!("c-1");
        task.call("put", &other).await.refused(422, Some("commandId"));
        assert_eq!(task.get().await["version"], 2);
    });
}

#[test]
fn a_repeat_of_the_last_body_changes_nothing() {
    gentle(async |suite| {
        let task = suite.task("repeat").due(in_ms(3_600_000));
        let first = task.put().await;
        assert_eq!(task.put().await, first);
        let done = task.complete().await;
        assert_eq!(task.complete().await, done);
        // An event that comes after all others of the task.
        task.delete().await;
        task.event_within("task.updated", 3, EVENT_DEADLINE).await;
        assert_eq!(task.events().iter().filter(|e| e.kind == "task.updated").count(), 3);
    });
}

#[test]
fn a_command_for_another_version_is_refused_and_says_which_there_is() {
    gentle(async |suite| {
        let task = suite.task("conflict").due(in_ms(3_600_000));
        let mut body = task.body();
        body["ifVersion"] = json!(0);
        assert_eq!(task.call("put", &body).await.accepted()["version"], 1);
        let stored = task.get().await;
        body["task"]["title"] = json!("Too late");
        let problem = task.call("put", &body).await.refused(409, Some("ifVersion"));
        assert_eq!(problem["actualVersion"], 1);
        task.call("complete", &json!({ "ifVersion": 7 })).await.refused(409, Some("ifVersion"));
        assert_eq!(task.get().await, stored);
        assert_eq!(
            task.call("complete", &json!({ "ifVersion": 1 })).await.accepted()["version"],
            2
        );
    });
}

#[test]
fn commands_to_an_unknown_task_are_refused() {
    gentle(async |suite| {
        let task = suite.task("unknown");
        for method in ["get", "complete", "reopen", "delete"] {
            let problem = task.call(method, &json!({})).await.refused(404, None);
            assert_eq!(problem["taskId"], *task.id);
        }
    });
}

#[test]
fn correlation_id_and_trace_reach_the_events() {
    gentle(async |suite| {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
        let task = suite.task("traced").due(in_ms(2_000));
        let mut body = task.body();
        body["correlationId"] = json!("flow-1");
        let headers = [("traceparent", &*traceparent)];
        task.call_raw("put", body.to_string(), &headers).await.accepted();

        let scheduled = task.event("reminder.scheduled").await;
        assert_eq!(scheduled.envelope["correlationid"], "flow-1");
        let parent = scheduled.envelope["traceparent"].as_str().unwrap();
        assert!(parent.contains(trace), "the sidecar goes on with the trace: {parent}");

        let fired = task.event("reminder.triggered").await;
        assert_eq!(fired.envelope["correlationid"], "flow-1");
        assert_eq!(fired.data()["scheduleTraceparent"], parent, "a link to what scheduled it");
        let own = fired.envelope["traceparent"].as_str().unwrap_or_default();
        assert!(!own.contains(trace), "the trace ended with the command: {own}");
    });
}
