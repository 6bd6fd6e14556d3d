//! What ingestion asks of the sidecar: turns of tasks, and dead letters.

use super::{Sidecar, failed, request, within};
use crate::dapr::inbound::internal::{INGEST, Ingested};
use crate::ingest::ports::{DeadLetters, Followed, Letter, NotFollowed, Tasks};
use crate::ports::CallError;
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::{InvokeActorRequest, PublishEventRequest};
use reminder_contract::ProblemKind;
use reminder_contract::incoming::TaskNews;
use reminder_contract::names::ACTOR_TYPE;
use reminder_contract::problem::ProblemDetails;
use std::collections::HashMap;
use std::time::Duration;

/// How long a turn may take. With placement dead, actor calls hang until it is back.
pub(crate) const TURN_DEADLINE: Duration = Duration::from_secs(10);
/// How long a dead letter may take. The sidecar ignores it and goes on trying; a letter twice is
/// better than none.
const PUBLISH_DEADLINE: Duration = Duration::from_secs(10);
/// What the sidecar is told of a letter: it may be anything.
const ANY_BYTES: &str = "application/octet-stream";

#[async_trait]
impl Tasks for Sidecar {
    async fn follow(&self, news: &TaskNews, event: &[u8]) -> Result<Followed, NotFollowed> {
        let message = InvokeActorRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: news.task_id.to_string(),
            method: INGEST.into(),
            data: event.to_vec(),
            metadata: HashMap::new(),
        };
        let mut client = self.client.clone();
        let call = client.invoke_actor(request(message, TURN_DEADLINE));
        let answer = within(TURN_DEADLINE, call).await;
        let answer = answer.map_err(|status| NotFollowed::Transient(failed(status).0))?;
        read_answer(&answer.data)
    }
}

/// An answer, or a problem in its place.
fn read_answer(data: &[u8]) -> Result<Followed, NotFollowed> {
    if let Ok(Ingested { applied, .. }) = serde_json::from_slice(data) {
        return Ok(if applied { Followed::Applied } else { Followed::Known });
    }
    let problem: ProblemDetails = serde_json::from_slice(data).map_err(|_| {
        NotFollowed::Transient("an answer that is neither a version nor a problem".into())
    })?;
    Err(not_followed(&problem.type_uri, problem.detail))
}

/// What a problem means for the event that met it.
pub(crate) fn not_followed(type_uri: &str, detail: String) -> NotFollowed {
    let kind = ProblemKind::ALL.iter().find(|kind| kind.type_uri() == type_uri);
    match kind {
        Some(ProblemKind::Unavailable | ProblemKind::Overloaded | ProblemKind::NewerState) => {
            NotFollowed::Transient(detail)
        }
        Some(_) => NotFollowed::Refused(detail),
        // Of another version of this service, which will be gone soon or be here too.
        None => NotFollowed::Transient(detail),
    }
}

#[async_trait]
impl DeadLetters for Sidecar {
    async fn bury(&self, letter: Letter) -> Result<(), CallError> {
        let Letter { topic, key, value, headers } = letter;
        let mut metadata: HashMap<String, String> =
            headers.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        // Without it the sidecar would put an envelope of its own around the bytes.
        metadata.insert("rawPayload".into(), "true".into());
        metadata.extend(key.map(|key| ("partitionKey".to_owned(), key)));
        let message = PublishEventRequest {
            pubsub_name: self.pubsub.clone(),
            topic: topic.into(),
            data: value,
            data_content_type: ANY_BYTES.into(),
            metadata,
        };
        let mut client = self.client.clone();
        let call = client.publish_event(request(message, PUBLISH_DEADLINE));
        within(PUBLISH_DEADLINE, call).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reminder_contract::Problem;

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_refused() {
        assert_eq!(read_answer(br#"{"version":3,"applied":true}"#), Ok(Followed::Applied));
        assert_eq!(read_answer(br#"{"version":3,"applied":false}"#), Ok(Followed::Known));
        for kind in ProblemKind::ALL {
            let answer = read_answer(&Problem::new(*kind, "why").to_json());
            let passes = kind.status() == 503;
            match answer {
                Err(NotFollowed::Transient(reason)) => {
                    assert!(passes && reason == "why", "{kind:?}");
                }
                Err(NotFollowed::Refused(reason)) => {
                    assert!(!passes && reason == "why", "{kind:?}");
                }
                Ok(followed) => panic!("{kind:?}: {followed:?}"),
            }
        }
        assert!(matches!(read_answer(b"?"), Err(NotFollowed::Transient(_))));
    }
}
