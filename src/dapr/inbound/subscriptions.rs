//! What the sidecar subscribes to for us, and how it delivers.
//!
//! The subscription is declared twice: here, and as a resource (`components/task-events.yaml` and
//! `k8s/base/task-events.yaml`) for who looks for it there. They do not add up: for one component and
//! topic Dapr starts one subscription, and what the service says itself takes the place of the resource
//! (`ListSubscriptionsAppByPubSub` in its `pkg/runtime/compstore/subscriptions.go`).
//!
//! Records come raw: as an event, the sidecar would parse each of them, put what it cannot parse to the
//! dead letters without a reason, and hand on other bytes than were published. And no verdict is ever
//! `DROP`: with it, the sidecar writes the dead letter itself, without a reason, and it looks for it at
//! the wrong place when a part of a batch comes again (`psm.PubSubMessages` in
//! `pkg/runtime/subscription/postman/http/http.go`).

use super::dead_letters;
use super::near::NearTasks;
use crate::ingest::settings::{BATCH_WAIT_MS, Settings};
use crate::ingest::{Ingest, Record, Verdict};
use crate::watch::Ears;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reminder_contract::incoming::EVENT_MAX_BYTES;
use reminder_contract::names::{TASK_EVENTS, TASK_EVENTS_DLQ, TASK_EVENTS_ROUTE};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Room in a body for what is not the value of a record, in bytes for each.
const ENTRY_OVERHEAD_BYTES: usize = 16 * 1024;

/// The answer to `GET /dapr/subscribe`.
pub fn declared(pubsub: &str, settings: Settings) -> String {
    // Letters come from others as well: whether we take events or not, they are kept.
    let mut all = dead_letters::subscriptions(pubsub);
    if settings.enabled {
        all.push(json!({
            "pubsubname": pubsub,
            "topic": TASK_EVENTS,
            "deadLetterTopic": TASK_EVENTS_DLQ,
            "route": TASK_EVENTS_ROUTE,
            "metadata": { "rawPayload": "true" },
            "bulkSubscribe": {
                "enabled": true,
                "maxMessagesCount": settings.batch,
                "maxAwaitDurationMs": BATCH_WAIT_MS,
            },
        }));
    }
    serde_json::Value::from(all).to_string()
}

/// Where the records are delivered.
pub fn route(ingest: Arc<Ingest<NearTasks>>, batch: u32, ears: Ears) -> Router {
    let records = usize::try_from(batch).unwrap_or(usize::MAX).saturating_add(1);
    let max = records.saturating_mul(EVENT_MAX_BYTES.div_ceil(3) * 4 + ENTRY_OVERHEAD_BYTES);
    let deliver = move |body: Bytes| async move {
        ears.hear(TASK_EVENTS);
        delivered(&ingest, &body).await
    };
    Router::new().route(TASK_EVENTS_ROUTE, post(deliver)).layer(DefaultBodyLimit::max(max))
}

/// Many records in one call.
#[derive(Deserialize)]
struct Bulk<'a> {
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

/// One of them.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, rename = "entryId")]
    id: Cow<'a, str>,
    /// In base64 where it comes raw, which is what we ask for; otherwise an event as JSON.
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl Entry<'_> {
    fn record(&self) -> Record {
        let text = self.event.get();
        let encoded = serde_json::from_str::<String>(text).ok();
        let decoded = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        Record {
            value: decoded.unwrap_or_else(|| text.as_bytes().to_vec()),
            metadata: self.metadata.clone().unwrap_or_default(),
        }
    }
}

/// Answers a delivery: many records, or a single one where somebody has switched bulk off.
async fn delivered(ingest: &Arc<Ingest<NearTasks>>, body: &[u8]) -> Response {
    let Ok(Bulk { entries }) = serde_json::from_slice(body) else {
        let record = Record { value: body.to_vec(), ..Record::default() };
        let verdicts = ingest.take(vec![record]).await;
        let status = verdicts.first().map_or("RETRY", |verdict| word(*verdict));
        return answer(&json!({ "status": status }));
    };
    let records = entries.iter().map(Entry::record).collect();
    let verdicts = ingest.take(records).await;
    let statuses = entries
        .iter()
        .zip(verdicts)
        .map(|(entry, verdict)| json!({ "entryId": entry.id, "status": word(verdict) }));
    answer(&json!({ "statuses": statuses.collect::<Vec<_>>() }))
}

/// What Dapr calls a verdict.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "SUCCESS",
        Verdict::Again => "RETRY",
    }
}

fn answer(body: &serde_json::Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, json, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_as_they_were_published() {
        let body = br#"{"id":"","entries":[
            {"entryId":"0","event":"aGVsbG8=","contentType":"application/octet-stream","metadata":{"__key":"a"}},
            {"entryId":"1","event":{"specversion":"1.0"},"metadata":null}]}"#;
        let bulk: Bulk<'_> = serde_json::from_slice(body).unwrap();
        let [raw, event] = &bulk.entries[..] else { panic!("two entries") };
        assert_eq!(raw.record().value, b"hello");
        assert_eq!(raw.record().metadata["__key"], "a");
        assert_eq!(event.record().value, br#"{"specversion":"1.0"}"#);
    }

    #[test]
    fn no_events_are_subscribed_to_when_it_is_off() {
        let settings = Settings { enabled: false, concurrency: 1, batch: 1 };
        let off = declared("kafka-pubsub", settings);
        assert!(!off.contains(r#""topic":"task-events""#), "{off}");
        assert!(off.contains(r#""topic":"task-events-dlq""#), "{off}");
        let on = declared("kafka-pubsub", Settings { enabled: true, ..settings });
        assert!(on.contains(r#""topic":"task-events""#), "{on}");
    }
}
