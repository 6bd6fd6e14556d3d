//! The actor API as a client uses it.

use crate::event::Event;
use crate::suite::{EVENT_DEADLINE, Suite};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reminder_contract::names::ACTOR_TYPE;
use reminder_stack::probe;
use serde_json::{Value, json};
use std::time::Duration;

/// For one call; with placement away calls hang until it is back.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// For a command that is repeated until it is answered, across the absence of a part.
const ANSWER_DEADLINE: Duration = Duration::from_secs(90);

/// The sidecar of one replica, seen by a client.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    pub(crate) port: u16,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// Whether the header is there that tells a refusal.
    pub(crate) is_problem: bool,
    pub(crate) body: Value,
}

impl Api {
    pub(crate) fn new(port: u16) -> Self {
        let client = reqwest::Client::builder().timeout(CALL_DEADLINE).build().unwrap();
        Self { client, port }
    }

    pub(crate) async fn call(
        &self,
        task: &str,
        method: &str,
        body: impl Into<reqwest::Body>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        self.call_actor(ACTOR_TYPE, task, method, body, headers).await
    }

    pub(crate) async fn call_actor(
        &self,
        actor_type: &str,
        id: &str,
        method: &str,
        body: impl Into<reqwest::Body>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let port = self.port;
        let url = format!("http://127.0.0.1:{port}/v1.0/actors/{actor_type}/{id}/method/{method}");
        let mut request = self.client.put(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let content_type = header("content-type").unwrap_or_default();
        let is_problem = header("X-DaprErrorResponseHeader").as_deref() == Some("true");
        let status = response.status().as_u16();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, content_type, is_problem, body })
    }
}

impl Answer {
    /// The body of an answer that is no refusal.
    #[track_caller]
    pub(crate) fn accepted(self) -> Value {
        assert!(self.is_accepted(), "refused: {self:?}");
        self.body
    }

    /// The problem of a refusal, which must have that status and name that field.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, field: Option<&str>) -> Value {
        assert!(self.is_problem && self.status == 200, "not refused: {self:?}");
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["status"], status, "{}", self.body);
        assert_eq!(self.body.get("field").and_then(Value::as_str), field, "{}", self.body);
        for name in ["type", "title", "detail"] {
            assert!(self.body[name].as_str().is_some_and(|text| !text.is_empty()), "no {name}");
        }
        self.body
    }

    pub(crate) fn is_accepted(&self) -> bool {
        self.status == 200 && !self.is_problem
    }
}

/// A task of one test: its id, and the fields of its next `put`.
#[derive(Clone)]
pub(crate) struct Task {
    suite: &'static Suite,
    pub(crate) id: String,
    pub(crate) fields: Value,
    api: Api,
}

impl Task {
    pub(crate) fn new(suite: &'static Suite, id: String) -> Self {
        let fields = json!({ "title": format!("Task {id}"), "userId": "u@example.org" });
        let api = suite.api();
        Self { suite, id, fields, api }
    }

    /// Sets a field of the next `put`.
    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields[field] = value.into();
        self
    }

    pub(crate) fn due(self, at: DateTime<Utc>) -> Self {
        self.with("dueDate", rfc3339(at))
    }

    /// Another task that says the same, without a client of its own.
    pub(crate) fn another(&self, name: &str) -> Self {
        Self { id: self.suite.unique(name), ..self.clone() }
    }

    /// Calls another replica's sidecar from now on.
    pub(crate) fn through(mut self, api: Api) -> Self {
        self.api = api;
        self
    }

    /// The body of a `put`.
    pub(crate) fn body(&self) -> Value {
        json!({ "task": self.fields })
    }

    /// One call, answered in any way.
    pub(crate) async fn call(&self, method: &str, body: &Value) -> Answer {
        self.call_raw(method, body.to_string(), &[]).await
    }

    pub(crate) async fn call_raw(
        &self,
        method: &str,
        body: impl Into<reqwest::Body>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.api.call(&self.id, method, body, headers).await.unwrap()
    }

    pub(crate) async fn put(&self) -> Value {
        self.call("put", &self.body()).await.accepted()
    }

    pub(crate) async fn complete(&self) -> Value {
        self.call("complete", &json!({})).await.accepted()
    }

    pub(crate) async fn delete(&self) -> Value {
        self.call("delete", &json!({})).await.accepted()
    }

    pub(crate) async fn get(&self) -> Value {
        self.call_raw("get", "", &[]).await.accepted()
    }

    /// A `put` as a careful client sends it: under one command id until it is answered, whatever
    /// is away meanwhile.
    pub(crate) async fn put_until_answered(&self) -> Value {
        let mut body = self.body();
        body["commandId"] = format!("put-{}", self.id).into();
        self.until_answered("put", body.to_string()).await
    }

    /// A `get`, repeated in the same way.
    pub(crate) async fn get_until_answered(&self) -> Value {
        self.until_answered("get", String::new()).await
    }

    async fn until_answered(&self, method: &str, body: String) -> Value {
        let attempt = || async {
            let answer = self.api.call(&self.id, method, body.clone(), &[]).await.ok()?;
            if answer.is_accepted() {
                return Some(answer.body);
            }
            let passes = answer.body["status"] == 503 || answer.status >= 500;
            assert!(passes, "refused for good: {answer:?}");
            None
        };
        let answer = probe::until(ANSWER_DEADLINE, attempt).await;
        answer.unwrap_or_else(|| panic!("{}: {method} is not answered", self.id))
    }

    /// The first event of that type.
    pub(crate) async fn event(&self, kind: &str) -> Event {
        self.event_within(kind, 1, EVENT_DEADLINE).await
    }

    /// The `nth` event of that type (from 1), duplicates dropped.
    pub(crate) async fn event_within(&self, kind: &str, nth: usize, limit: Duration) -> Event {
        self.suite.journal.wait_for(&self.id, kind, nth, limit).await
    }

    /// All events so far, of all topics, duplicates dropped.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.suite.journal.events(&self.id)
    }

    /// How many reminders fired so far.
    pub(crate) fn triggered(&self) -> usize {
        self.events().iter().filter(|event| event.kind == "reminder.triggered").count()
    }
}

pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// So many milliseconds from now.
pub(crate) fn in_ms(ms: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::milliseconds(ms)
}

/// Waits until the clock shows it.
pub(crate) async fn clock_shows(at: DateTime<Utc>) {
    if let Ok(left) = (at - Utc::now()).to_std() {
        tokio::time::sleep(left).await;
    }
}
