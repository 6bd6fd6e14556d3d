//! What the sidecar delivers: events, typed by the contract, with the answers that Dapr knows.
//!
//! What cannot be read goes to the topic's dead letters with the reason in its headers, and never
//! blocks the partition behind it. An event of a type that the contract does not know yet is no
//! fault of anybody: it is counted and acknowledged.

mod dead_letter;
#[cfg(test)]
mod tests;

use self::dead_letter::Why;
use crate::flow::Flow;
use crate::sidecar::Sidecar;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use reminder_contract::CloudEvent;
use reminder_contract::canary::CANARY_TYPE;
use reminder_contract::cloud_event::{EventData, ReadError};
use reminder_contract::dead_letter::Reason;
use reminder_contract::topics::TOPICS;
use reminder_telemetry::context;
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::Instrument as _;

/// Longest body that the sidecar delivers: a message of the broker, twice over, for what the sidecar
/// adds to it.
const BODY_MAX_BYTES: usize = 2 * 1024 * 1024;

/// How long a handler may take; the sidecar delivers again what was not done by then.
const HANDLER_DEADLINE: Duration = Duration::from_secs(30);

/// An event, and the flow in which what it leads to is done.
#[derive(Debug)]
pub struct Delivered {
    /// The event.
    pub event: CloudEvent<'static, EventData<'static>>,
    /// A child of the flow that the event belongs to.
    pub flow: Flow,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or there is nothing to do.
    Done,
    /// Something needed did not answer: it shall come again, after a while.
    Retry(String),
    /// It cannot be handled, now or ever: it goes to the dead letters with this reason.
    DeadLetter(String),
    /// Nobody needs it: it is dropped, with a warning in the sidecar's log.
    Drop,
}

/// How a member handles the events of a topic.
type Handler =
    Arc<dyn Fn(Delivered) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// The topics that a member consumes.
pub struct Subscriptions {
    sidecar: Sidecar,
    topics: Vec<Topic>,
}

/// One of them.
#[derive(Clone)]
struct Topic {
    name: &'static str,
    route: &'static str,
    handler: Handler,
    sidecar: Sidecar,
    unknown: Arc<AtomicU64>,
}

impl Subscriptions {
    /// None yet.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar, topics: Vec::new() }
    }

    /// Consumes a topic: its events are delivered to `route` and handled by `handler`.
    #[must_use]
    pub fn topic<H, F>(mut self, name: &'static str, route: &'static str, handler: H) -> Self
    where
        H: Fn(Delivered) -> F + Send + Sync + 'static,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |delivered| Box::pin(handler(delivered)));
        let (sidecar, unknown) = (self.sidecar.clone(), Arc::default());
        self.topics.push(Topic { name, route, handler, sidecar, unknown });
        self
    }

    /// The routes that the sidecar calls, `/dapr/subscribe` among them.
    pub fn router(self) -> Router {
        let list = Value::Array(self.topics.iter().map(Topic::subscription).collect());
        let mut router =
            Router::new().route("/dapr/subscribe", get(move || async move { Json(list.clone()) }));
        for topic in self.topics {
            let route = topic.route;
            router = router.route(route, post(deliver).with_state(topic));
        }
        router.layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
    }
}

impl Topic {
    /// What the sidecar is told.
    fn subscription(&self) -> Value {
        let mut subscription = json!({
            "pubsubname": self.sidecar.pubsub(),
            "topic": self.name,
            "route": self.route,
        });
        if let Some(dead_letters) = self.dead_letters() {
            subscription["deadLetterTopic"] = dead_letters.into();
        }
        subscription
    }

    fn dead_letters(&self) -> Option<&'static str> {
        TOPICS.iter().find(|topic| topic.name == self.name)?.dead_letter
    }
}

/// Handles what the sidecar delivers, and answers in its words.
async fn deliver(State(topic): State<Topic>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let mut reason = Reason::Refused;
    let outcome = match CloudEvent::read(&body) {
        Ok(event) => handle(&topic, event).await,
        // It comes every minute and tells nothing.
        Err(ReadError::UnknownType(name)) if name == CANARY_TYPE => Outcome::Done,
        Err(ReadError::UnknownType(name)) => {
            let seen = topic.unknown.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::info!(
                topic = topic.name,
                "event.type" = name,
                seen,
                "an unknown type of event"
            );
            Outcome::Done
        }
        Err(ReadError::Malformed(error)) => {
            reason = if error.is_data() { Reason::Invalid } else { Reason::Malformed };
            Outcome::DeadLetter(error.to_string())
        }
    };
    let status = match settle(&topic, outcome, reason, &headers, &body).await {
        Outcome::Done | Outcome::DeadLetter(_) => "SUCCESS",
        Outcome::Retry(_) => "RETRY",
        Outcome::Drop => "DROP",
    };
    Json(json!({ "status": status }))
}

async fn handle(topic: &Topic, event: CloudEvent<'static, EventData<'static>>) -> Outcome {
    let (flow, span) = Flow::of_event(&event).begin(&event.event_type);
    if let EventData::ReminderTriggered(fired) = &event.data
        && let Some(scheduled) = &fired.schedule_traceparent
    {
        context::link_to(&span, scheduled);
        span.record("link.trace.id", context::trace_id(scheduled));
    }
    span.record("event.id", &*event.id);
    span.record("event.type", &*event.event_type);
    span.record("task.id", event.subject.trim_start_matches("task:"));
    let work = (topic.handler)(Delivered { event, flow }).instrument(span.clone());
    let outcome = tokio::time::timeout(HANDLER_DEADLINE, work)
        .await
        .unwrap_or_else(|_| Outcome::Retry("it took too long".into()));
    if let Outcome::Retry(reason) = &outcome {
        span.in_scope(|| tracing::warn!(topic = topic.name, reason, "an event comes again"));
    }
    outcome
}

/// Puts aside what cannot be handled. While even that cannot be done, it comes again.
async fn settle(
    topic: &Topic,
    outcome: Outcome,
    reason: Reason,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    let Outcome::DeadLetter(detail) = &outcome else { return outcome };
    let Some(dead_letters) = topic.dead_letters() else { return outcome };
    tracing::warn!(topic = topic.name, detail, "an event goes to the dead letters");
    let why = Why { reason, detail };
    match dead_letter::publish(&topic.sidecar, topic.name, dead_letters, why, headers, body).await {
        Ok(()) => outcome,
        Err(error) => {
            tracing::warn!(topic = topic.name, %error, "the dead letters do not take it");
            Outcome::Retry(error.to_string())
        }
    }
}
