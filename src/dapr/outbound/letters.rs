//! Sending a dead letter again: its very bytes, through the sidecar.

use super::{Sidecar, failed, request, within};
use crate::dead_letters::replay::Replay;
use crate::ports::CallError;
use dapr::dapr::proto::runtime::v1::PublishEventRequest;
use std::time::Duration;

/// How long one may take. The sidecar ignores it and goes on trying, so what has met it may have been
/// published all the same.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(10);

impl Sidecar {
    /// Publishes it and waits for the broker's acknowledgement.
    ///
    /// # Errors
    /// Says what did not answer, or refused.
    pub async fn publish_again(&self, replay: Replay) -> Result<(), CallError> {
        let message = PublishEventRequest {
            pubsub_name: self.pubsub.clone(),
            topic: replay.topic.to_owned(),
            data: replay.value,
            data_content_type: String::new(),
            metadata: replay.metadata.into_iter().collect(),
        };
        let mut client = self.client.clone();
        let call = client.publish_event(request(message, PUBLISH_DEADLINE));
        within(PUBLISH_DEADLINE, call).await.map_err(failed)?;
        Ok(())
    }
}
