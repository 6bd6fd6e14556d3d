//! A dead letter: what was delivered, as it was and with its key, with the reason in its headers.

use crate::clock;
use crate::sidecar::metadata::{
    DETAIL_MAX_BYTES, EVENT_ID_MAX_BYTES, KEY_MAX_BYTES, PLACE_MAX_BYTES, fitting,
};
use crate::sidecar::{PARTITION_KEY, RAW_PAYLOAD, Sidecar, SidecarError};
use axum::http::HeaderMap;
use reminder_contract::dead_letter::{
    CUT_FROM, DAPR_KEY, DAPR_OFFSET, DAPR_PARTITION, DETAIL, DETAIL_MAX_CHARS, EVENT_ID, FAILED_AT,
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TOPIC, REASON, Reason, beginning,
};
use serde::Deserialize;

/// Why it is one.
pub(super) struct Why<'a> {
    pub(super) reason: Reason,
    pub(super) detail: &'a str,
}

/// As much of it as can be read.
#[derive(Deserialize, Default)]
struct Identity {
    id: Option<String>,
    subject: Option<String>,
}

pub(super) async fn publish(
    sidecar: &Sidecar,
    topic: &str,
    dead_letters: &str,
    why: Why<'_>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), SidecarError> {
    let mut told = told(topic, &why, headers, body);
    let (value, cut_from) = beginning(body);
    told.extend(cut_from.map(|bytes| (CUT_FROM, bytes.to_string())));
    let metadata: Vec<(&str, &str)> = told.iter().map(|(name, text)| (*name, &**text)).collect();
    let content_type = "application/octet-stream";
    sidecar.publish_raw(dead_letters, value.to_vec(), content_type, &metadata).await
}

/// What the headers of the letter say.
fn told(
    topic: &str,
    why: &Why<'_>,
    headers: &HeaderMap,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let identity: Identity = serde_json::from_slice(body).unwrap_or_default();
    // The sidecar makes a header of each, by its own name (`InternalMetadataToHTTPHeader` in Dapr's
    // `pkg/messaging/v1/util.go`).
    let record = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let task = identity.subject.as_deref().map(|subject| subject.trim_start_matches("task:"));
    let detail: String = why.detail.chars().take(DETAIL_MAX_CHARS).collect();
    let place = |name| record(name).map(|number| fitting(number, PLACE_MAX_BYTES));
    let told = [
        (RAW_PAYLOAD, Some("true".to_owned())),
        (PARTITION_KEY, record(DAPR_KEY).or(task).map(|key| fitting(key, KEY_MAX_BYTES))),
        (REASON, Some(why.reason.as_str().to_owned())),
        (DETAIL, Some(fitting(&detail, DETAIL_MAX_BYTES))),
        (ORIGIN_TOPIC, Some(topic.to_owned())),
        (ORIGIN_PARTITION, place(DAPR_PARTITION)),
        (ORIGIN_OFFSET, place(DAPR_OFFSET)),
        (EVENT_ID, identity.id.as_deref().map(|id| fitting(id, EVENT_ID_MAX_BYTES))),
        (FAILED_AT, Some(clock::now().to_string())),
    ];
    told.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}
