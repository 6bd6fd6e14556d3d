//! The actor state store through the sidecar.

use super::{Sidecar, failed, request, within};
use crate::ports::{CallError, CommitError, StateStore, UserStore};
use crate::read_model::{FENCED_SQLSTATE, UNREADABLE_SQLSTATE};
use async_trait::async_trait;
use dapr::dapr::proto::common::v1::StateItem;
use dapr::dapr::proto::runtime::v1::{
    ExecuteActorStateTransactionRequest, GetActorStateRequest, GetStateRequest, SaveStateRequest,
    TransactionalActorStateOperation,
};
use reminder_contract::names::{ACTOR_TYPE, STATE_KEY, USER_ACTOR_TYPE, USER_STATE_KEY};
use reminder_contract::user_id::to_actor_id;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a read may take.
const LOAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long a write may take before its outcome counts as unknown.
const COMMIT_DEADLINE: Duration = Duration::from_secs(5);

/// One state of one actor.
#[derive(Clone, Copy)]
struct Place<'a> {
    actor_type: &'a str,
    actor_id: &'a str,
    key: &'a str,
}

impl<'a> Place<'a> {
    fn of_task(id: &'a TaskId) -> Self {
        Self { actor_type: ACTOR_TYPE, actor_id: id.as_str(), key: STATE_KEY }
    }

    fn of_user(actor_id: &'a str) -> Self {
        Self { actor_type: USER_ACTOR_TYPE, actor_id, key: USER_STATE_KEY }
    }
}

impl Sidecar {
    /// How many answers have come from the state store so far.
    pub fn state_answers(&self) -> u64 {
        self.state_answers.load(Ordering::Relaxed)
    }

    async fn load_state(&self, place: Place<'_>) -> Result<Option<Vec<u8>>, CallError> {
        let message = GetActorStateRequest {
            actor_type: place.actor_type.into(),
            actor_id: place.actor_id.into(),
            key: place.key.into(),
        };
        let mut client = self.client.clone();
        let call = client.get_actor_state(request(message, LOAD_DEADLINE));
        let answer = within(LOAD_DEADLINE, call).await.map_err(failed)?;
        self.state_answers.fetch_add(1, Ordering::Relaxed);
        Ok((!answer.data.is_empty()).then_some(answer.data))
    }

    async fn commit_state(&self, place: Place<'_>, state: Vec<u8>) -> Result<(), CommitError> {
        // One operation: Dapr's v2 store runs it as one autocommit statement, one round trip.
        let upsert = TransactionalActorStateOperation {
            operation_type: "upsert".into(),
            key: place.key.into(),
            value: Some(prost_types::Any {
                type_url: "type.googleapis.com/bytes".into(),
                value: state,
            }),
            metadata: HashMap::new(),
        };
        let message = ExecuteActorStateTransactionRequest {
            actor_type: place.actor_type.into(),
            actor_id: place.actor_id.into(),
            operations: vec![upsert],
        };
        let mut client = self.client.clone();
        let call = client.execute_actor_state_transaction(request(message, COMMIT_DEADLINE));
        match within(COMMIT_DEADLINE, call).await {
            Ok(()) => {
                self.state_answers.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            // An unreadable value is refused for good as well: the turn loads, and finds it so.
            Err(status)
                if [FENCED_SQLSTATE, UNREADABLE_SQLSTATE]
                    .iter()
                    .any(|code| status.message().contains(code)) =>
            {
                Err(CommitError::Fenced(status.message().to_owned()))
            }
            Err(status) => Err(CommitError::Unknown(failed(status).0)),
        }
    }
}

#[async_trait]
impl UserStore for Sidecar {
    async fn load_user(&self, user: &Person) -> Result<Option<Vec<u8>>, CallError> {
        self.load_state(Place::of_user(&to_actor_id(user))).await
    }

    async fn commit_user(&self, user: &Person, state: Vec<u8>) -> Result<(), CommitError> {
        self.commit_state(Place::of_user(&to_actor_id(user)), state).await
    }
}

#[async_trait]
impl StateStore for Sidecar {
    async fn load(&self, id: &TaskId) -> Result<Option<Vec<u8>>, CallError> {
        self.load_state(Place::of_task(id)).await
    }

    async fn commit(&self, id: &TaskId, state: Vec<u8>) -> Result<(), CommitError> {
        self.commit_state(Place::of_task(id), state).await
    }

    async fn load_watermark(&self, epoch: u64) -> Result<u64, CallError> {
        let message = GetStateRequest {
            store_name: self.state_store.clone(),
            key: watermark_key(epoch),
            ..GetStateRequest::default()
        };
        let mut client = self.client.clone();
        let call = client.get_state(request(message, LOAD_DEADLINE));
        let answer = within(LOAD_DEADLINE, call).await.map_err(failed)?;
        if answer.data.is_empty() {
            return Ok(0);
        }
        serde_json::from_slice(&answer.data)
            .map_err(|error| CallError(format!("the watermark of {epoch:x} is damaged: {error}")))
    }

    async fn save_watermark(&self, epoch: u64, n: u64) -> Result<(), CallError> {
        let item = StateItem {
            key: watermark_key(epoch),
            value: n.to_string().into_bytes(),
            ..StateItem::default()
        };
        let message = SaveStateRequest { store_name: self.state_store.clone(), states: vec![item] };
        let mut client = self.client.clone();
        let call = client.save_state(request(message, COMMIT_DEADLINE));
        within(COMMIT_DEADLINE, call).await.map_err(failed)
    }
}

/// Where the watermark of a process run is kept. It has no time to live: a task untouched for a
/// year still refers to the epoch of its last commit.
fn watermark_key(epoch: u64) -> String {
    format!("watermark-{epoch:016x}")
}
