//! What the watch asks of the sidecar: canaries, and whether it hosts our actors.

use super::{METADATA_DEADLINE, Sidecar, failed, request, within};
use crate::clock::{Clock as _, SystemClock};
use crate::ports::CallError;
use crate::watch::Canaries;
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::actor_runtime::ActorRuntimeStatus;
use dapr::dapr::proto::runtime::v1::{GetMetadataRequest, PublishEventRequest};
use reminder_contract::canary::{CANARY_HEADER, CANARY_KEY, event};
use reminder_contract::cloud_event::CONTENT_TYPE;
use reminder_contract::names::TASK_EVENTS;
use std::time::Duration;

/// How long publishing one may take. One that is published later all the same does no harm.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(10);

#[async_trait]
impl Canaries for Sidecar {
    async fn release(&self, topic: &'static str) -> Result<(), CallError> {
        let id = uuid::Uuid::new_v4().to_string();
        let mut metadata = vec![("partitionKey", CANARY_KEY.to_owned())];
        let (data, content_type) = if topic == TASK_EVENTS {
            (event(&id, &SystemClock.now().to_string()), CONTENT_TYPE)
        } else {
            metadata.extend([("rawPayload", "true".to_owned()), (CANARY_HEADER, id)]);
            (CANARY_HEADER.into(), "application/octet-stream")
        };
        let message = PublishEventRequest {
            pubsub_name: self.pubsub.clone(),
            topic: topic.into(),
            data,
            data_content_type: content_type.into(),
            metadata: metadata.into_iter().map(|(name, text)| (name.into(), text)).collect(),
        };
        let mut client = self.client.clone();
        let call = client.publish_event(request(message, PUBLISH_DEADLINE));
        within(PUBLISH_DEADLINE, call).await.map_err(failed)?;
        Ok(())
    }

    async fn hosts_actors(&self) -> Result<bool, CallError> {
        let mut client = self.client.clone();
        let call = client.get_metadata(request(GetMetadataRequest {}, METADATA_DEADLINE));
        let metadata = within(METADATA_DEADLINE, call).await.map_err(failed)?;
        let runtime = metadata.actor_runtime.unwrap_or_default();
        // Not `host_ready`: that is gone with placement, while the subscriptions stay.
        Ok(runtime.runtime_status() == ActorRuntimeStatus::Running)
    }
}
