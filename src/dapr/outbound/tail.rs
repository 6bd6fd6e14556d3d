//! Following a topic as it is told: a streaming subscription, which lives as long as its connection.

use super::{METADATA_DEADLINE, Sidecar, failed};
use crate::ports::CallError;
use dapr::dapr::proto::runtime::v1::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType as Asked;
use dapr::dapr::proto::runtime::v1::subscribe_topic_events_response_alpha1::SubscribeTopicEventsResponseType as Told;
use dapr::dapr::proto::runtime::v1::topic_event_response::TopicEventResponseStatus;
use dapr::dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsRequestInitialAlpha1,
    SubscribeTopicEventsRequestProcessedAlpha1, SubscribeTopicEventsResponseAlpha1,
    TopicEventResponse,
};
use futures_util::stream;
use tokio::sync::mpsc;
use tonic::codec::Streaming;

/// Answers that wait to be sent. One record is under way at a time, so there is hardly ever one.
const ANSWERS_MAX: usize = 16;

/// A topic that is followed. Dropped, it ends the subscription.
pub struct Tail {
    told: Streaming<SubscribeTopicEventsResponseAlpha1>,
    answers: mpsc::Sender<SubscribeTopicEventsRequestAlpha1>,
    /// The record that was handed out last.
    unanswered: Option<String>,
}

impl Sidecar {
    /// Follows a topic, through a component whose consumer group nobody else is in.
    ///
    /// # Errors
    /// Says what did not answer, or refused.
    pub async fn tail(&self, component: &str, topic: &str) -> Result<Tail, CallError> {
        let (answers, waiting) = mpsc::channel(ANSWERS_MAX);
        let initial = Asked::InitialRequest(SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: component.to_owned(),
            topic: topic.to_owned(),
            // As an event, the sidecar would parse each record and leave out what it cannot parse.
            metadata: [("rawPayload".to_owned(), "true".to_owned())].into(),
            dead_letter_topic: None,
        });
        let gone = |_| CallError("the subscription ended before it began".into());
        answers.send(asked(initial)).await.map_err(gone)?;
        let requests = stream::unfold(waiting, |mut waiting| async move {
            waiting.recv().await.map(|request| (request, waiting))
        });
        let mut client = self.client.clone();
        // The first message says that the subscription stands.
        let begin = async {
            let mut told = client.subscribe_topic_events_alpha1(requests).await?.into_inner();
            told.message().await?;
            Ok(told)
        };
        let late = |_| CallError(format!("no answer within {METADATA_DEADLINE:?}"));
        let told = tokio::time::timeout(METADATA_DEADLINE, begin).await.map_err(late)?;
        Ok(Tail { told: told.map_err(failed)?, answers, unanswered: None })
    }
}

impl Tail {
    /// The next record's very bytes; says of the one before that it was taken. `None`: it has ended.
    ///
    /// # Errors
    /// Says what ended the subscription.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        if let Some(id) = self.unanswered.take() {
            let status = TopicEventResponseStatus::Success.into();
            let taken = SubscribeTopicEventsRequestProcessedAlpha1 {
                id,
                status: Some(TopicEventResponse { status }),
            };
            if self.answers.send(asked(Asked::EventProcessed(taken))).await.is_err() {
                return Ok(None);
            }
        }
        loop {
            let Some(message) = self.told.message().await.map_err(failed)? else { return Ok(None) };
            if let Some(Told::EventMessage(event)) = message.subscribe_topic_events_response_type {
                self.unanswered = Some(event.id);
                return Ok(Some(event.data));
            }
        }
    }
}

fn asked(what: Asked) -> SubscribeTopicEventsRequestAlpha1 {
    SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(what) }
}
