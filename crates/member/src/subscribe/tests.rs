//! Deliveries against a sidecar that only notes what it is asked.

use super::{Outcome, Subscriptions};
use crate::config::{Secret, SidecarConfig};
use crate::server::{Routes, app};
use crate::sidecar::{Operation, Precondition, Sidecar, SidecarError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use reminder_contract::cloud_event::{CloudEvent, EventType, Flow, neighbour};
use reminder_contract::dead_letter::VALUE_MAX_BYTES;
use reminder_contract::names::{TASK_UPDATES, TASK_UPDATES_DLQ};
use reminder_contract::size::MESSAGE_MAX_BYTES;
use reminder_domain::{TaskId, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The address, the body and the headers of a call.
type Asked = (String, Vec<u8>, HeaderMap);

/// What a fake sidecar was asked, and what it answers.
#[derive(Clone, Default)]
struct Fake {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<Mutex<Option<(u16, String)>>>,
}

impl Fake {
    async fn start(&self, token: Option<&str>) -> Sidecar {
        let router = Router::new().fallback(note).with_state(self.clone());
        let port = listen(router).await;
        sidecar_at(port, token)
    }

    fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = Some((status, body.to_owned()));
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn sidecar_at(http_port: u16, token: Option<&str>) -> Sidecar {
    let token = token.and_then(|token| Secret::non_empty(token.to_owned()));
    let scheduler_token = Secret::non_empty("its-own".to_owned());
    let (pubsub, state_store) = ("kafka".to_owned(), "store".to_owned());
    let config = SidecarConfig { http_port, token, scheduler_token, pubsub, state_store };
    Sidecar::new(&config).unwrap()
}

async fn note(
    State(fake): State<Fake>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    fake.asked.lock().unwrap().push((uri.to_string(), body.to_vec(), headers));
    let (status, body) = fake.answer.lock().unwrap().clone().unwrap_or((204, String::new()));
    (StatusCode::from_u16(status).unwrap(), body)
}

async fn listen(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

fn comments(count: u32) -> CloudEvent<'static, Value> {
    let id = TaskId::parse("milk").unwrap();
    let data = json!({ "taskId": "milk", "count": count, "version": 1 });
    let time = Timestamp::from_millis(1_900_000_000_000);
    let flow = Flow { correlation_id: Some("flow-1".into()), ..Flow::default() };
    let event = neighbour(EventType::TaskCommentsUpdated, &id, 1, time, flow, data);
    let text = serde_json::to_string(&event).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A member with one subscription, behind its port.
async fn member(fake: &Fake, outcome: Outcome) -> u16 {
    member_that_asks_for(fake, outcome, "token").await
}

/// The same with this token; empty: with none.
async fn member_that_asks_for(fake: &Fake, outcome: Outcome, token: &str) -> u16 {
    let sidecar = fake.start(None).await;
    let subscriptions =
        Subscriptions::new(sidecar.clone()).topic(TASK_UPDATES, "/events", move |delivered| {
            assert_eq!(delivered.flow.correlation_id(), "flow-1");
            let outcome = outcome.clone();
            async move { outcome }
        });
    let routes = Routes { public: Router::new(), sidecar: subscriptions.router() };
    let token = Secret::non_empty(token.to_owned());
    listen(app(routes, sidecar, token, CancellationToken::new())).await
}

async fn deliver(port: u16, body: Vec<u8>) -> Value {
    let request = reqwest::Client::new()
        .post(format!("http://127.0.0.1:{port}/events"))
        .header("dapr-api-token", "token")
        .header("__key", "of-the-record")
        .header("__offset", "7");
    request.body(body).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_sidecar_is_told_what_to_deliver_and_must_show_its_token() {
    let port = member(&Fake::default(), Outcome::Done).await;
    let url = format!("http://127.0.0.1:{port}/dapr/subscribe");
    let client = reqwest::Client::new();
    let refused = client.get(&url).header("dapr-api-token", "other").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let told = client.get(&url).header("dapr-api-token", "token").send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    let expected = json!([{ "pubsubname": "kafka", "topic": TASK_UPDATES, "route": "/events",
                            "deadLetterTopic": TASK_UPDATES_DLQ }]);
    assert_eq!(told, expected);
    let probe = client.get(format!("http://127.0.0.1:{port}/healthz")).send().await.unwrap();
    assert_eq!(probe.status(), 200, "probes have no token");
}

#[tokio::test]
async fn without_a_token_nothing_is_taken_from_a_page_in_a_browser() {
    let body = serde_json::to_vec(&comments(1)).unwrap();
    let client = reqwest::Client::new();
    for (name, value, open, guarded) in [
        ("origin", "http://evil.example", 403, 200),
        // Its own pages have nothing to say there either.
        ("origin", "http://localhost:8080", 403, 200),
        ("origin", "null", 403, 200),
        ("sec-fetch-site", "cross-site", 403, 200),
        ("sec-fetch-site", "same-origin", 403, 200),
        ("x-nothing", "of a program", 200, 200),
    ] {
        for (token, expected) in [("", open), ("token", guarded)] {
            let port = member_that_asks_for(&Fake::default(), Outcome::Done, token).await;
            // As a page may send it to another site, without asking first.
            let call = client.post(format!("http://127.0.0.1:{port}/events"));
            let call = call.header("content-type", "text/plain").header(name, value);
            let answer = call.header("dapr-api-token", token).body(body.clone()).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.status(), expected, "{name}: {value}, {token:?}");
            let told = answer.text().await.unwrap();
            assert_eq!(told.contains("APP_API_TOKEN"), expected == 403, "{told}");
        }
    }
}

#[tokio::test]
async fn what_becomes_of_an_event_is_said_in_daprs_words() {
    for (outcome, status) in [
        (Outcome::Done, "SUCCESS"),
        (Outcome::Retry("away".into()), "RETRY"),
        (Outcome::Drop, "DROP"),
    ] {
        let fake = Fake::default();
        let port = member(&fake, outcome).await;
        let answer = deliver(port, serde_json::to_vec(&comments(1)).unwrap()).await;
        assert_eq!(answer["status"], status);
        assert!(fake.asked().is_empty());
    }
}

#[tokio::test]
async fn what_cannot_be_read_goes_to_the_dead_letters_with_the_reason() {
    let fake = Fake::default();
    let port = member(&fake, Outcome::Done).await;
    let mut event = serde_json::to_value(comments(1)).unwrap();
    event["data"]["count"] = json!("many");
    let body = event.to_string().into_bytes();
    assert_eq!(deliver(port, body.clone()).await["status"], "SUCCESS");
    let asked = fake.asked();
    let [(uri, sent, _)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(sent, &body);
    assert!(uri.starts_with(&format!("/v1.0/publish/kafka/{TASK_UPDATES_DLQ}?")), "{uri}");
    for told in [
        "metadata.reason=invalid",
        "partitionKey=of-the-record",
        "originoffset=7",
        "rawPayload=true",
    ] {
        assert!(uri.contains(told), "{told}: {uri}");
    }
}

/// The sidecar reads no more than 4 KiB of a call before its body, and refuses the rest for ever.
#[tokio::test]
async fn a_letter_fits_through_the_sidecar_whatever_its_record_says() {
    const LINE_MAX_BYTES: usize = 3_072;
    for text in ["x", "/", "\n", "ü", "牛"] {
        let long = text.repeat(10_000);
        let fake = Fake::default();
        let port = member(&fake, Outcome::DeadLetter(long.clone())).await;
        let mut event = serde_json::to_value(comments(1)).unwrap();
        event["id"] = json!(long);
        event["subject"] = json!(format!("task:{long}"));
        let number = "7".repeat(10_000);
        let request = reqwest::Client::new()
            .post(format!("http://127.0.0.1:{port}/events"))
            .header("dapr-api-token", "token")
            .header("__partition", &number)
            .header("__offset", &number);
        let answer = request.body(event.to_string()).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], "SUCCESS");
        let (uri, _, headers) = fake.asked().remove(0);
        let named: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        assert!(uri.len() + named < LINE_MAX_BYTES, "{}: {uri}", uri.len());
        for told in ["partitionKey", "detail", "eventid", "originpartition", "originoffset"] {
            let name = format!("metadata.{told}=");
            let (_, value) = uri.split_once(&name).unwrap_or_else(|| panic!("{told}: {uri}"));
            assert!(!value.is_empty() && !value.starts_with('&'), "{told} is empty: {uri}");
        }
    }
}

#[tokio::test]
async fn a_record_that_is_too_large_for_a_letter_is_put_away_by_its_beginning() {
    let fake = Fake::default();
    let port = member(&fake, Outcome::Done).await;
    let answer = deliver(port, vec![b'x'; VALUE_MAX_BYTES + 1]).await;
    assert_eq!(answer["status"], "SUCCESS");
    let (uri, sent, _) = fake.asked().remove(0);
    assert_eq!(sent.len(), VALUE_MAX_BYTES);
    let told = format!("metadata.cutfrom={}", VALUE_MAX_BYTES + 1);
    assert!(uri.contains(&told), "{uri}");
}

#[tokio::test]
async fn while_the_dead_letters_are_away_an_event_comes_again() {
    let fake = Fake::default();
    fake.answers(500, "no broker");
    let port = member(&fake, Outcome::Done).await;
    assert_eq!(deliver(port, b"{".to_vec()).await["status"], "RETRY");
}

#[tokio::test]
async fn a_type_that_nobody_knows_yet_is_acknowledged() {
    let fake = Fake::default();
    let port = member(&fake, Outcome::Retry("never asked".into())).await;
    let mut event = serde_json::to_value(comments(1)).unwrap();
    event["type"] = json!("task.praised");
    assert_eq!(deliver(port, event.to_string().into_bytes()).await["status"], "SUCCESS");
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn an_event_is_published_under_its_task_with_our_token() {
    let fake = Fake::default();
    let sidecar = fake.start(Some("dapr-token")).await;
    sidecar.publish(TASK_UPDATES, &comments(1)).await.unwrap();
    let (uri, _, headers) = fake.asked().remove(0);
    assert!(uri.ends_with("?metadata.partitionKey=milk"), "{uri}");
    assert_eq!(headers["content-type"], "application/cloudevents+json");
    assert_eq!(headers["dapr-api-token"], "dapr-token");
}

#[tokio::test]
async fn an_event_that_no_broker_would_take_is_refused_before_it_is_sent() {
    let fake = Fake::default();
    let sidecar = fake.start(None).await;
    let mut event = serde_json::to_value(comments(1)).unwrap();
    event["data"]["last"] = json!("x".repeat(MESSAGE_MAX_BYTES));
    let event: CloudEvent<'static, Value> = serde_json::from_value(event).unwrap();
    let error = sidecar.publish(TASK_UPDATES, &event).await.unwrap_err();
    assert!(matches!(error, SidecarError::TooLarge(_)) && !error.is_transient());
    assert!(error.to_string().contains("are the most"), "{error}");
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_write_that_came_too_late_is_a_conflict_and_an_absent_store_is_not() {
    let fake = Fake::default();
    let sidecar = fake.start(None).await;
    let write = [Operation::save("k", &1, Precondition::Absent).unwrap()];
    for (status, body, conflict) in [
        (409, "", true),
        (500, "possible etag mismatch. error from state store: nothing", true),
        (500, "failed to save: no item was updated", true),
        (500, "no connection", false),
    ] {
        fake.answers(status, body);
        let error = sidecar.transact(&write).await.unwrap_err();
        assert_eq!(matches!(error, SidecarError::Conflict), conflict, "{body}: {error}");
        assert!(error.is_transient(), "{error}");
    }
    let (_, body, _) = fake.asked().remove(0);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let expected = json!({ "operations": [{ "operation": "upsert", "request": {
        "key": "k", "value": 1, "options": { "concurrency": "first-write" } } }] });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_scheduler_is_asked_by_service_invocation_within_the_flow() {
    let fake = Fake::default();
    let flow = crate::Flow::fresh();
    let sidecar = fake.start(Some("hush")).await;
    fake.answers(200, "{}");
    let milk = TaskId::parse("milk").unwrap();
    let options = reminder_client::CallOptions::default();
    // `{}` is no answer of the scheduler's, but it was asked.
    let told = sidecar.scheduler(&flow).complete(&milk, &options).await;
    assert!(matches!(told.map_err(SidecarError::from), Err(SidecarError::Unreadable { .. })));
    let (path, _, headers) = fake.asked().remove(0);
    assert_eq!(path, "/v1.0/invoke/reminder-scheduler/method/v1/tasks/milk/complete");
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-correlation-id"), flow.correlation_id());
    assert_eq!(header("traceparent"), flow.traceparent());
    assert_eq!(header("dapr-api-token"), "hush");
    assert_eq!(header("authorization"), "Bearer its-own");
}
