//! The client against a server of the test's own: what is sent, what is sent again, what is told.

use crate::{
    CallOptions, Client, ClientBuilder, CorrelationId, Error, IfPast, IfVersion, Person,
    ProblemKind, Ring, TaskId, TasksQuery, Traceparent,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use reminder_contract::Problem;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What came, as a line each, and how it is answered: the last answer stays.
#[derive(Default)]
struct Script {
    seen: Mutex<Vec<String>>,
    answers: Mutex<Vec<(u16, &'static str, String)>>,
}

const ANSWER: &str = r#"{"taskId":"milk","version":3,"status":"pending","nextReminderAt":null}"#;
const JSON: &str = "application/json";

async fn answered(State(script): State<Arc<Script>>, request: Request) -> Response {
    let header = |name: &str| {
        let value = request.headers().get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or("-").to_owned()
    };
    let names = ["idempotency-key", "if-match", "if-none-match", "authorization", "dapr-api-token"];
    let flow = ["x-correlation-id", "traceparent"];
    let told: Vec<String> = names.iter().chain(&flow).map(|name| header(name)).collect();
    let line = format!("{} {} {}", request.method(), request.uri(), told.join(" "));
    script.seen.lock().unwrap().push(line);
    let mut answers = script.answers.lock().unwrap();
    let (status, media_type, body) =
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
    (StatusCode::from_u16(status).unwrap(), [("content-type", media_type)], body).into_response()
}

async fn server(answers: Vec<(u16, &'static str, String)>) -> (Arc<Script>, String) {
    let script = Arc::new(Script { answers: Mutex::new(answers), ..Script::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answered).with_state(Arc::clone(&script));
    tokio::spawn(axum::serve(listener, app).into_future());
    (script, address)
}

fn problem(kind: ProblemKind) -> (u16, &'static str, String) {
    let problem = Problem::new(kind, "as the test says");
    let body = String::from_utf8(problem.to_json()).unwrap();
    (problem.status, "application/problem+json", body)
}

fn direct(address: &str) -> ClientBuilder {
    Client::direct(address).unwrap()
}

fn milk() -> TaskId {
    TaskId::parse("milk").unwrap()
}

#[tokio::test]
async fn a_command_is_sent_with_its_key_version_and_tokens() {
    let (script, address) = server(vec![(200, JSON, ANSWER.into())]).await;
    let options = CallOptions {
        idempotency_key: Some(CorrelationId::parse("k-1").unwrap()),
        if_version: Some(IfVersion::At(2)),
        if_past: Some(IfPast::Reject),
        ..CallOptions::default()
    };
    let client = direct(&address).bearer("secret").build().unwrap();
    let put = client.put(&milk(), &json!({ "title": "Milk" }), &options).await.unwrap();
    assert_eq!(put.version, 3);
    let absent = CallOptions { if_version: Some(IfVersion::Absent), ..options };
    let sidecar = Client::through_sidecar(&address, "reminder-scheduler").unwrap();
    let sidecar = sidecar.sidecar_token("token").build().unwrap();
    sidecar
        .acknowledge(&milk(), &Ring::default(), &CallOptions { if_past: None, ..absent })
        .await
        .unwrap();
    let seen = script.seen.lock().unwrap();
    assert_eq!(
        *seen,
        [
            "PUT /v1/tasks/milk?ifPast=reject k-1 \"2\" - Bearer secret - - -",
            "POST /v1.0/invoke/reminder-scheduler/method/v1/tasks/milk/acknowledge k-1 - * - token - -",
        ]
    );
}

#[tokio::test]
async fn a_flow_goes_with_every_call_and_what_a_command_says_counts_more() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (script, address) = server(vec![(200, JSON, ANSWER.into())]).await;
    let name = |text: &str| CorrelationId::parse(text).unwrap();
    let trace = Traceparent::parse(TRACE).unwrap();
    // An HTTP client of the caller's own brings no tokens along: they are the client's.
    let client = direct(&address).bearer("secret").http_client(reqwest::Client::new());
    let client = client.build().unwrap();
    let of_flow = client.in_flow(Some(&name("flow-1")), Some(&trace));
    let options = CallOptions {
        idempotency_key: Some(name("k-1")),
        correlation_id: Some(name("flow-2")),
        ..CallOptions::default()
    };
    of_flow.complete(&milk(), &options).await.unwrap();
    // What a question is answered with here is no task, but it was asked.
    let _ = of_flow.get(&milk()).await;
    let _ = client.get(&milk()).await;
    let seen = script.seen.lock().unwrap();
    let told: Vec<&str> = seen.iter().map(|line| line.rsplit("milk").next().unwrap()).collect();
    let question = |flow: &str| format!(" - - - Bearer secret - {flow}");
    assert_eq!(told[0], format!("/complete k-1 - - Bearer secret - flow-2 {TRACE}"));
    assert_eq!(told[1..], [question(&format!("flow-1 {TRACE}")), question("- -")]);
}

#[tokio::test]
async fn what_may_pass_is_sent_again_with_the_same_key() {
    let busy = Problem::new(ProblemKind::Overloaded, "busy").retry_after(0);
    let busy = (503, "application/problem+json", String::from_utf8(busy.to_json()).unwrap());
    let gone = (500, JSON, r#"{"errorCode":"ERR_DIRECT_INVOKE"}"#.to_owned());
    let (script, address) = server(vec![busy, gone, (200, JSON, ANSWER.into())]).await;
    let client = direct(&address).build().unwrap();
    client.complete(&milk(), &CallOptions::default()).await.unwrap();
    client.complete(&milk(), &CallOptions::default()).await.unwrap();
    let seen = script.seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "one key: {seen:?}");
    assert_ne!(seen[2], seen[3], "another call has another key");
    assert!(!seen[0].contains("complete - "), "there is a key: {seen:?}");
}

#[tokio::test]
async fn a_refusal_is_told_as_it_is_and_not_sent_again() {
    for kind in [ProblemKind::InvalidInput, ProblemKind::UnknownTask, ProblemKind::DamagedState] {
        let (script, address) = server(vec![problem(kind)]).await;
        let error = direct(&address).build().unwrap().get(&milk()).await.unwrap_err();
        assert_eq!(error.problem().and_then(Problem::kind), Some(kind));
        assert!(!error.is_transient());
        assert_eq!(script.seen.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn tries_and_time_are_bounded() {
    let (script, address) = server(vec![(502, "text/plain", "no upstream".into())]).await;
    let client = direct(&address).retries(2).build().unwrap();
    let error = client.get(&milk()).await.unwrap_err();
    assert!(matches!(&error, Error::Unexpected { status: 502, detail } if detail == "no upstream"));
    assert_eq!(script.seen.lock().unwrap().len(), 3);

    // The service asks for more time than there is, so the refusal is told at once.
    let (script, address) = server(vec![problem(ProblemKind::Unavailable)]).await;
    let client = direct(&address).deadline(Duration::from_millis(500)).build().unwrap();
    let error = client.get(&milk()).await.unwrap_err();
    assert_eq!(error.problem().unwrap().kind(), Some(ProblemKind::Unavailable));
    assert_eq!(script.seen.lock().unwrap().len(), 1);

    let nobody = direct("http://127.0.0.1:9").retries(1).build().unwrap();
    assert!(matches!(nobody.get(&milk()).await.unwrap_err(), Error::Unanswered(_)));
}

#[tokio::test]
async fn all_pages_are_one_stream() {
    let item = |id: &str| {
        json!({ "taskId": id, "userId": null, "status": "pending", "nextReminderAt": null,
                "version": 1, "updatedAt": "2027-01-01T00:00:00.000Z" })
    };
    let page = |items: serde_json::Value, next: Option<&str>| {
        (200, JSON, json!({ "items": items, "nextCursor": next }).to_string())
    };
    let pages = vec![
        page(json!([item("a"), item("b")]), Some("c/1")),
        // A page may be empty although more follow.
        page(json!([]), Some("c2")),
        page(json!([item("c")]), None),
    ];
    let (script, address) = server(pages).await;
    let client = direct(&address).build().unwrap();
    let query = TasksQuery { user: Some("a&b".into()), ..TasksQuery::default() };
    let all: Vec<_> = client.tasks(query).try_collect().await.unwrap();
    let ids: Vec<&str> = all.iter().map(|item| item.task_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let seen = script.seen.lock().unwrap();
    let paths: Vec<&str> = seen.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    let first = "/v1/tasks?user=a%26b";
    assert_eq!(paths, [first, &format!("{first}&cursor=c%2F1"), &format!("{first}&cursor=c2")]);
}

#[tokio::test]
async fn users_are_written_as_a_path_wants_them() {
    let view = r#"{"userId":"a/b c","version":0,"preferences":{"zone":"UTC"},"tasks":{"open":0,"outdated":0}}"#;
    let (script, address) = server(vec![(200, JSON, view.into())]).await;
    let client = direct(&format!("{address}/behind/")).build().unwrap();
    let user = Person::parse("a/b c").unwrap();
    assert_eq!(client.preferences(&user).await.unwrap().version, 0);
    assert!(
        script.seen.lock().unwrap()[0].starts_with("GET /behind/v1/users/a%2Fb%20c/preferences ")
    );
}

#[test]
fn what_is_no_address_or_token_is_refused() {
    for address in ["", "127.0.0.1:8080", "ftp://host", "http://"] {
        assert!(Client::direct(address).is_err(), "{address}");
    }
    let error = direct("http://host").bearer("a\nb").build().unwrap_err();
    assert_eq!(error.to_string(), "the bearer token has characters that no header may hold");
}

#[test]
fn an_address_is_told_without_what_is_secret_of_it() {
    let told = |address: &str| direct(address).build().unwrap().address();
    assert_eq!(told("http://ada:hush@localhost:8080/?key=hush"), told("http://localhost:8080"));
    assert_eq!(told("https://ada@example.org/a/"), "https://example.org/a");
}
