//! The dead-letter topics, as the sidecar delivers them.
//!
//! They are subscribed to in bulk and raw. Raw: whatever the bytes are, they are kept. In bulk: only then
//! the headers of a record come in the body. For a single delivery Dapr makes HTTP headers of them, and one
//! with a name or a value that HTTP does not allow could never be delivered, nor anything behind it; such
//! records are just what ends up here.

use crate::dead_letters::keeping;
use crate::dead_letters::letter::Letter;
use crate::dead_letters::topics;
use crate::metrics::metrics;
use crate::read_model::ReadModel;
use crate::watch::Ears;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reminder_contract::canary::{CANARY_HEADER, CANARY_KEY};
use reminder_contract::dead_letter::{DAPR_KEY, PROBE};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Records of one delivery. Eight of the largest (1 MiB, a third more as base64) are far below
/// [`BODY_MAX_BYTES`].
const BULK_MAX_MESSAGES: u32 = 8;
/// How long the sidecar waits for that many, in milliseconds.
const BULK_MAX_WAIT_MS: u32 = 200;
/// The largest delivery. A cluster may allow larger records than ours are; one that is refused here would
/// be delivered again for ever.
const BODY_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Where letters are kept, once the database is there: the routes are, before it is migrated.
#[derive(Clone, Default)]
pub struct LetterBox(Arc<OnceLock<Arc<ReadModel>>>);

impl LetterBox {
    /// Uses this one.
    pub fn open(&self, model: Arc<ReadModel>) {
        // A second call would say the same.
        let _ = self.0.set(model);
    }

    /// Counts and forgets letters for ever, once it is open.
    pub fn keep(&self) -> impl Future<Output = ()> + use<> {
        let model = self.0.get().cloned();
        async move {
            if let Some(model) = model {
                keeping::keep(model).await;
            }
        }
    }
}

/// The subscriptions, as `/dapr/subscribe` tells them. A letter that cannot be kept has nowhere else to
/// go, so there is no dead-letter topic: it is delivered again until it is kept.
pub fn subscriptions(pubsub: &str) -> Vec<Value> {
    let subscription = |topic: &'static str| {
        json!({
            "pubsubname": pubsub,
            "topic": topic,
            "route": route(topic),
            "metadata": { "rawPayload": "true" },
            "bulkSubscribe": {
                "enabled": true,
                "maxMessagesCount": BULK_MAX_MESSAGES,
                "maxAwaitDurationMs": BULK_MAX_WAIT_MS,
            },
        })
    };
    topics().map(|topic| subscription(topic.name)).collect()
}

/// The routes that they lead to.
pub fn routes(letters: &LetterBox, ears: &Ears) -> Router {
    let mut router = Router::new();
    for topic in topics() {
        let ears = ears.clone();
        let receive = move |letters, body| {
            ears.hear(topic.name);
            receive(topic.name, letters, body)
        };
        router = router.route(&route(topic.name), post(receive));
    }
    router.layer(DefaultBodyLimit::max(BODY_MAX_BYTES)).with_state(letters.clone())
}

fn route(topic: &str) -> String {
    format!("/dead-letters/{topic}")
}

/// A delivery, as far as it matters.
#[derive(Deserialize)]
struct Delivery {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "entryId")]
    id: String,
    /// In base64; of a record without a value it is empty.
    #[serde(default)]
    event: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

/// What became of each record.
#[derive(Serialize)]
struct Answer {
    statuses: Vec<EntryStatus>,
}

#[derive(Serialize)]
struct EntryStatus {
    #[serde(rename = "entryId")]
    id: String,
    status: &'static str,
}

async fn receive(topic: &'static str, State(letters): State<LetterBox>, body: Bytes) -> Response {
    match keep(topic, &letters, &body).await {
        Ok(statuses) => Json(Answer { statuses }).into_response(),
        // The sidecar delivers all of them again, some seconds later; those that were kept are known.
        Err(reason) => {
            tracing::warn!(topic, reason, "dead letters could not be kept; they come again");
            (StatusCode::SERVICE_UNAVAILABLE, reason).into_response()
        }
    }
}

async fn keep(
    topic: &'static str,
    letters: &LetterBox,
    body: &[u8],
) -> Result<Vec<EntryStatus>, String> {
    let model = letters.0.get().ok_or("the database is not ready yet")?;
    let delivery = read(body)?;
    let ids: Vec<String> = delivery.iter().map(|(id, ..)| id.clone()).collect();
    let records: Vec<Letter> = delivery
        .into_iter()
        .filter(|(_, metadata, _)| !is_canary(metadata) && !metadata.contains_key(PROBE))
        .map(|(_, metadata, value)| Letter::new(topic, metadata, value))
        .collect();
    let new = model.keep_letters(&records).await.map_err(|error| error.to_string())?;
    if !new.is_empty() {
        let reasons: Vec<&str> = records.iter().map(|letter| letter.reason.as_str()).collect();
        tracing::warn!(topic, new = new.len(), ?reasons, "dead letters have come");
        let count = u64::try_from(new.len()).unwrap_or(u64::MAX);
        metrics().letters_received.get_or_create_owned(&[("topic", topic)]).inc_by(count);
    }
    Ok(ids.into_iter().map(|id| EntryStatus { id, status: "SUCCESS" }).collect())
}

/// Ours, which says by its coming all that it has to say.
fn is_canary(metadata: &BTreeMap<String, String>) -> bool {
    metadata.contains_key(CANARY_HEADER)
        && metadata.get(DAPR_KEY).is_some_and(|key| key == CANARY_KEY)
}

type Record = (String, BTreeMap<String, String>, Vec<u8>);

fn read(body: &[u8]) -> Result<Vec<Record>, String> {
    let delivery: Delivery = serde_json::from_slice(body)
        .map_err(|error| format!("this is no bulk delivery: {error}"))?;
    let record = |entry: Entry| {
        let value = BASE64_STANDARD
            .decode(entry.event)
            .map_err(|error| format!("entry {} is not raw: {error}", entry.id))?;
        Ok((entry.id, entry.metadata.unwrap_or_default(), value))
    };
    delivery.entries.into_iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dead_letter_topic_is_subscribed_to_raw_and_in_bulk() {
        let all = subscriptions("broker");
        assert_eq!(all.len(), 3);
        for one in all {
            assert_eq!(
                (&one["pubsubname"], &one["metadata"]["rawPayload"]),
                (&json!("broker"), &json!("true"))
            );
            assert_eq!(one["bulkSubscribe"]["enabled"], true);
            assert!(one["topic"].as_str().unwrap().ends_with("-dlq"));
            assert_eq!(one["deadLetterTopic"], Value::Null, "a letter has nowhere else to go");
        }
    }

    #[test]
    fn a_delivery_is_read_with_its_bytes() {
        let body = json!({"id": "x", "entries": [
            {"entryId": "0", "event": "/wA=", "metadata": {"__key": "milk", "a b": "c\n"}},
            {"entryId": "1", "event": "", "metadata": null},
        ]});
        let records = read(body.to_string().as_bytes()).unwrap();
        assert_eq!(records[0].2, [0xff, 0]);
        assert_eq!(records[0].1["a b"], "c\n");
        assert_eq!(records[1], ("1".to_owned(), BTreeMap::new(), Vec::new()));
        assert!(read(br#"{"entries": [{"entryId": "0", "event": "{}"}]}"#).is_err());
        assert!(read(b"{}").is_err());
    }
}
