//! A dead letter: what was delivered, as it was, with the reason in its headers.

use crate::sidecar::{RAW_PAYLOAD, Sidecar, SidecarError};

/// Why it is there.
const REASON: &str = "dead-letter-reason";
/// Which topic it was on.
const TOPIC: &str = "dead-letter-topic";

/// Longest reason, in characters: it travels in an address.
const REASON_MAX_CHARS: usize = 400;

pub(super) async fn publish(
    sidecar: &Sidecar,
    topic: &str,
    dead_letters: &str,
    reason: &str,
    body: &[u8],
) -> Result<(), SidecarError> {
    let reason: String = reason.chars().take(REASON_MAX_CHARS).collect();
    let metadata = [(RAW_PAYLOAD, "true"), (REASON, reason.as_str()), (TOPIC, topic)];
    let content_type = "application/octet-stream";
    sidecar.publish_raw(dead_letters, body.to_vec(), content_type, &metadata).await
}
