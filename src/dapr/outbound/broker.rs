//! Publishing through the sidecar.

use super::{Sidecar, failed, request, within};
use crate::ports::{Broker, CallError, Message};
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry};
use reminder_contract::cloud_event::{CONTENT_TYPE, partition_key, topic_name};
use reminder_domain::Topic;
use std::collections::HashMap;
use std::time::Duration;

/// How long a batch may take. The sidecar ignores it and goes on trying; a repeat is a duplicate
/// with the same id.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(10);

#[async_trait]
impl Broker for Sidecar {
    async fn publish(&self, topic: Topic, batch: Vec<Message>) -> Result<(), CallError> {
        let entries = batch.into_iter().map(|message| {
            // The key goes with the entry: of the request it would be the same for all.
            let key = ("partitionKey".to_owned(), partition_key(&message.key).to_owned());
            BulkPublishRequestEntry {
                entry_id: message.id,
                event: message.body,
                content_type: CONTENT_TYPE.into(),
                metadata: HashMap::from([key]),
            }
        });
        let message = BulkPublishRequest {
            pubsub_name: self.pubsub.clone(),
            topic: topic_name(topic).into(),
            entries: entries.collect(),
            // They are whole events: the sidecar need not read, amend and write each of them again,
            // which takes it longer than all else that it does with them.
            metadata: HashMap::from([("rawPayload".to_owned(), "true".to_owned())]),
        };
        let mut client = self.client.clone();
        let call = client.bulk_publish_event(request(message, PUBLISH_DEADLINE));
        let answer = within(PUBLISH_DEADLINE, call).await.map_err(failed)?;
        match answer.failed_entries.first() {
            None => Ok(()),
            Some(first) => Err(CallError(format!(
                "{} events were refused; the first, {}: {}",
                answer.failed_entries.len(),
                first.entry_id,
                first.error
            ))),
        }
    }
}
