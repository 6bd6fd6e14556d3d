//! Publishing.

use super::{Sidecar, SidecarError, failed, unreachable};
use axum::http::header::CONTENT_TYPE;
use reminder_contract::{CloudEvent, cloud_event, size};
use serde::Serialize;

/// What the sidecar takes the Kafka key from.
pub const PARTITION_KEY: &str = "partitionKey";

/// What keeps the sidecar from wrapping the bytes into an event of its own.
pub const RAW_PAYLOAD: &str = "rawPayload";

/// What is asked.
const PUBLISH: &str = "publish";

impl Sidecar {
    /// Publishes an event. Its key is its task, so that the events of a task stay in order. One that is
    /// larger than a message may be is refused here, since the sidecar would go on trying.
    pub async fn publish<D: Serialize>(
        &self,
        topic: &str,
        event: &CloudEvent<'_, D>,
    ) -> Result<(), SidecarError> {
        let bytes = serde_json::to_vec(event)
            .map_err(|why| SidecarError::Unreadable { what: PUBLISH, why })?;
        size::check(&bytes)?;
        let key = event.subject.trim_start_matches("task:");
        let metadata = [(PARTITION_KEY, key)];
        self.publish_raw(topic, bytes, cloud_event::CONTENT_TYPE, &metadata).await
    }

    /// Publishes bytes, with metadata for the component.
    pub async fn publish_raw(
        &self,
        topic: &str,
        bytes: Vec<u8>,
        content_type: &str,
        metadata: &[(&str, &str)],
    ) -> Result<(), SidecarError> {
        let mut url = self.url(&["v1.0", "publish", &self.pubsub, topic]);
        for (name, value) in metadata {
            url.query_pairs_mut().append_pair(&format!("metadata.{name}"), value);
        }
        let request = self.client.post(url).header(CONTENT_TYPE, content_type).body(bytes);
        let answer = request.send().await.map_err(|error| unreachable(PUBLISH, &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let body = answer.text().await.unwrap_or_default();
        Err(failed(PUBLISH, status, &body))
    }
}
