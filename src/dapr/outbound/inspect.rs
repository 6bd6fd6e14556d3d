//! What the sidecar tells about itself, and small calls that show whether what lies behind it answers:
//! for `doctor` and `events tail`.

use super::{METADATA_DEADLINE, Sidecar, failed, request, within};
use crate::ports::CallError;
use dapr::dapr::proto::runtime::v1::actor_runtime::ActorRuntimeStatus;
use dapr::dapr::proto::runtime::v1::{
    GetMetadataRequest, GetMetadataResponse, InvokeActorRequest, PublishEventRequest,
    PubsubSubscriptionType,
};
use reminder_contract::dead_letter::PROBE;
use reminder_contract::names::{ACTOR_TYPE, TASK_UPDATES_DLQ};
use std::collections::HashMap;
use std::time::Duration;
use tonic::Code;

/// How long an actor may take to answer a probe. With placement dead, calls hang until it is back.
const ACTOR_DEADLINE: Duration = Duration::from_secs(5);
/// How long the broker may take to acknowledge a probe. The sidecar ignores it and goes on trying.
const BROKER_DEADLINE: Duration = Duration::from_secs(5);
/// The key of the probe's record.
const PROBE_KEY: &str = "doctor";
/// The topic that it is published to: only the service reads it, and drops what says that it is a probe.
pub const PROBE_TOPIC: &str = TASK_UPDATES_DLQ;

/// What a sidecar says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SidecarFacts {
    /// The Dapr app id that it was started for.
    pub app_id: String,
    /// The version of Dapr.
    pub version: String,
    /// What it has loaded.
    pub components: Vec<Component>,
    /// What it is subscribed to.
    pub subscriptions: Vec<Subscription>,
    /// What it says of actors.
    pub actors: ActorFacts,
    /// The addresses of the schedulers that it is connected to.
    pub schedulers: Vec<String>,
}

/// A component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its type, such as `state.postgresql`.
    pub kind: String,
    /// The version of its type.
    pub version: String,
    /// What it is able to do, as Dapr calls it.
    pub capabilities: Vec<String>,
}

/// A subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// Whether it is one of a client, for as long as that is connected.
    pub streaming: bool,
}

/// What a sidecar says of actors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActorFacts {
    /// Whether its part for actors runs.
    pub running: bool,
    /// Whether actors are hosted here.
    pub host_ready: bool,
    /// Its connection to placement, in its words.
    pub placement: String,
    /// The types that are hosted, with how many of each are active.
    pub types: Vec<(String, i32)>,
}

/// Why a sidecar does not tell of itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It does not take our token.
    #[error("{0}")]
    Token(CallError),
    /// It does not answer.
    #[error("{0}")]
    Away(CallError),
}

impl Sidecar {
    /// Asks the sidecar about itself.
    ///
    /// # Errors
    /// Says whether it is away, or does not let us in.
    pub async fn describe(&self) -> Result<SidecarFacts, Silence> {
        let mut client = self.client.clone();
        let call = client.get_metadata(request(GetMetadataRequest {}, METADATA_DEADLINE));
        let status = match within(METADATA_DEADLINE, call).await {
            Ok(answer) => return Ok(facts(answer)),
            Err(status) => status,
        };
        Err(match status.code() {
            Code::Unauthenticated | Code::PermissionDenied => Silence::Token(failed(status)),
            _ => Silence::Away(failed(status)),
        })
    }

    /// Calls an actor that does not exist, which shows that calls get through to a host and back.
    /// Answers what it said.
    ///
    /// # Errors
    /// Says what did not answer.
    pub async fn probe_actor(&self) -> Result<String, CallError> {
        let message = InvokeActorRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: PROBE_KEY.into(),
            method: "get".into(),
            data: Vec::new(),
            metadata: HashMap::new(),
        };
        let mut client = self.client.clone();
        let call = client.invoke_actor(request(message, ACTOR_DEADLINE));
        let answer = within(ACTOR_DEADLINE, call).await.map_err(failed)?;
        Ok(String::from_utf8_lossy(&answer.data).into_owned())
    }

    /// Publishes a record that says that it is a probe, and waits for the broker's acknowledgement.
    ///
    /// # Errors
    /// Says what did not answer, or refused.
    pub async fn probe_broker(&self) -> Result<(), CallError> {
        let metadata = [("rawPayload", "true"), ("partitionKey", PROBE_KEY), (PROBE, PROBE_KEY)];
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let message = PublishEventRequest {
            pubsub_name: self.pubsub.clone(),
            topic: PROBE_TOPIC.into(),
            data: PROBE_KEY.into(),
            data_content_type: String::new(),
            metadata: metadata.into(),
        };
        let mut client = self.client.clone();
        let call = client.publish_event(request(message, BROKER_DEADLINE));
        within(BROKER_DEADLINE, call).await.map_err(failed)?;
        Ok(())
    }
}

fn facts(answer: GetMetadataResponse) -> SidecarFacts {
    let components = answer.registered_components.into_iter().map(|one| Component {
        name: one.name,
        kind: one.r#type,
        version: one.version,
        capabilities: one.capabilities,
    });
    let subscriptions = answer.subscriptions.into_iter().map(|one| Subscription {
        streaming: one.r#type() == PubsubSubscriptionType::Streaming,
        pubsub: one.pubsub_name,
        topic: one.topic,
    });
    let actors = answer.actor_runtime.unwrap_or_default();
    let types = actors.active_actors.iter().map(|one| (one.r#type.clone(), one.count)).collect();
    SidecarFacts {
        app_id: answer.id,
        version: answer.runtime_version,
        components: components.collect(),
        subscriptions: subscriptions.collect(),
        actors: ActorFacts {
            running: actors.runtime_status() == ActorRuntimeStatus::Running,
            host_ready: actors.host_ready,
            placement: actors.placement,
            types,
        },
        schedulers: answer.scheduler.map(|one| one.connected_addresses).unwrap_or_default(),
    }
}
