//! The edge in front of actors that answer as the test says.

use super::access::Access;
use super::{Rest, routes};
use crate::config::{ConsoleMode, ServerConfig};
use crate::http::guard::Hosts;
use crate::ports::{ActorApi, CallError};
use crate::read_model::Listing;
use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use reminder_domain::limits;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// Answers, in their order; the last one stays. And what was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Value>>,
    asked: Mutex<Vec<(String, &'static str, Value)>>,
}

#[async_trait]
impl ActorApi for Script {
    async fn call(
        &self,
        _: &'static str,
        id: String,
        method: &'static str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        let body = serde_json::from_slice(&body).unwrap();
        self.asked.lock().unwrap().push((id, method, body));
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let answer = answer.ok_or_else(|| CallError("nobody is there".into()))?;
        Ok(answer.to_string().into_bytes())
    }
}

fn script(answers: impl IntoIterator<Item = Value>) -> Arc<Script> {
    Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() })
}

async fn call(script: &Arc<Script>, request: Request<Body>) -> (u16, HeaderMap, Value) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = ServerConfig {
        listen,
        token: None,
        rest_token: None,
        tokens: None,
        rest_hosts: Vec::new(),
        rest_rate: None,
        console: ConsoleMode::Off,
    };
    let rest = Rest::new(script.clone(), Arc::new(Listing::default()));
    let app = routes(rest, &Arc::new(Access::new(&server, None)), Hosts::of(&server), None);
    let mut request = request;
    request.headers_mut().entry("host").or_insert_with(|| "localhost".parse().unwrap());
    let response = app.oneshot(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn patch(key: Option<&str>) -> Request<Body> {
    let request =
        Request::patch("/v1/tasks/milk").header("content-type", "application/merge-patch+json");
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    request.body(Body::from(r#"{"tags":["home"],"description":null}"#)).unwrap()
}

fn view(version: u64) -> Value {
    let task = json!({ "title": "Milk", "description": "Blue", "priority": "normal", "status": "pending" });
    json!({ "taskId": "milk", "version": version, "nextReminderAt": null, "task": task, "reminders": [] })
}

fn answer(version: u64) -> Value {
    json!({ "taskId": "milk", "version": version, "status": "pending", "nextReminderAt": null })
}

fn problem(slug: &str, status: u16) -> Value {
    let type_uri = format!("https://reminder-scheduler.dev/problems/{slug}");
    json!({ "type": type_uri, "title": "t", "status": status, "detail": "d", "actualVersion": 9 })
}

#[tokio::test]
async fn a_patch_begins_anew_when_somebody_was_in_between() {
    let script = script([view(1), problem("version-conflict", 409), view(2), answer(3)]);
    let (status, headers, _) = call(&script, patch(Some("k"))).await;
    assert_eq!((status, &headers["etag"]), (200, &"\"3\"".parse().unwrap()));
    let asked = script.asked.lock().unwrap();
    let methods: Vec<&str> = asked.iter().map(|(_, method, _)| *method).collect();
    assert_eq!(methods, ["get", "put", "get", "put"]);
    let (first, second) = (&asked[1].2, &asked[3].2);
    assert_eq!((&first["ifVersion"], &second["ifVersion"]), (&json!(1), &json!(2)));
    assert_eq!(first["commandId"], second["commandId"], "it is one command");
    let merged =
        json!({ "title": "Milk", "priority": "normal", "status": "pending", "tags": ["home"] });
    assert_eq!(second["task"], merged);
}

#[tokio::test]
async fn a_patch_gives_up_after_a_number_of_attempts_and_at_once_with_if_match() {
    let crowd = [view(1), problem("version-conflict", 409)];
    let crowded = script(crowd.iter().cycle().take(40).cloned());
    let (status, headers, _) = call(&crowded, patch(None)).await;
    assert_eq!((status, headers.contains_key("retry-after")), (503, true));
    assert_eq!(crowded.asked.lock().unwrap().len(), 10);
    let mut request = patch(None);
    request.headers_mut().insert("if-match", "\"1\"".parse().unwrap());
    let crowded = script(crowd);
    let (status, headers, told) = call(&crowded, request).await;
    assert_eq!((status, &headers["etag"]), (412, &"\"9\"".parse().unwrap()));
    assert_eq!((&told["status"], &told["actualVersion"]), (&json!(412), &json!(9)));
    assert_eq!(crowded.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_patch_that_was_applied_before_is_answered_with_where_the_task_is() {
    let known = script([view(5), problem("command-id-reused", 422)]);
    let (status, _, told) = call(&known, patch(Some("k"))).await;
    assert_eq!((status, &told["version"], &told["created"]), (200, &json!(5), &json!(false)));
}

#[tokio::test]
async fn an_actor_that_cannot_be_reached_is_a_503_with_a_time() {
    let nobody = Arc::new(Script::default());
    let get = Request::get("/v1/tasks/milk").body(Body::empty()).unwrap();
    let (status, headers, told) = call(&nobody, get).await;
    assert_eq!((status, headers.contains_key("retry-after")), (503, true));
    assert_eq!((&told["status"], &told["taskId"]), (&json!(503), &json!("milk")));
    // As long as the database is not there, the lists say so as well.
    let list = Request::get("/v1/tasks").body(Body::empty()).unwrap();
    assert_eq!(call(&nobody, list).await.0, 503);
}

#[tokio::test]
async fn what_headers_say_goes_into_the_command_and_nothing_else_can_slip_in() {
    let done = script([answer(2)]);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::post("/v1/tasks/milk/snooze")
        .header("content-type", "application/json; charset=utf-8")
        .header("if-match", "\"1\"")
        .header("idempotency-key", "k-\"1\"")
        .header("x-correlation-id", "flow")
        .header("traceparent", traceparent)
        .body(Body::from(r#" {"for":"PT5M"} "#))
        .unwrap();
    assert_eq!(call(&done, request).await.0, 200);
    let told = json!({ "commandId": "k-\"1\"", "ifVersion": 1, "correlationId": "flow",
                       "traceparent": traceparent, "for": "PT5M" });
    assert_eq!(done.asked.lock().unwrap()[0], ("milk".into(), "snooze", told));
    for body in [r#"{"a":1},"ifVersion":2,{"#, r#"{"a":1}}"#, "{", "[]"] {
        let request =
            Request::post("/v1/tasks/milk/snooze").header("content-type", "application/json");
        assert_eq!(call(&done, request.body(Body::from(body)).unwrap()).await.0, 422, "{body}");
    }
    assert_eq!(done.asked.lock().unwrap().len(), 1, "nothing of it reached the actor");
}

#[tokio::test]
async fn an_item_of_a_batch_that_is_too_long_is_refused_by_itself_and_sent_nowhere() {
    let done = script([answer(2)]);
    let zeros = "0,".repeat(limits::PAYLOAD_MAX_BYTES / 2);
    let items = [
        format!(r#"{{"method":"put","taskId":"long","task":[{zeros}0]}}"#),
        r#"{"method":"put","taskId":"vast","task":1e999}"#.to_owned(),
        r#"{"method":"complete","taskId":"milk","ifVersion":1}"#.to_owned(),
    ];
    let body = format!(r#"{{"items":[{}]}}"#, items.join(","));
    let request = Request::post("/v1/tasks:batch").header("content-type", "application/json");
    let (status, _, told) = call(&done, request.body(Body::from(body)).unwrap()).await;
    assert_eq!(status, 200, "{told}");
    let results = told["results"].as_array().unwrap();
    let statuses: Vec<u64> =
        results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [413, 422, 200]);
    assert_eq!(results[0]["problem"]["taskId"], "long", "{told}");
    let sent = ("milk".into(), "complete", json!({ "ifVersion": 1 }));
    assert_eq!(*done.asked.lock().unwrap(), [sent]);
}
