//! Our own actors, wherever they live now.

use super::{Sidecar, failed, request, within};
use crate::dapr::inbound::internal::{
    ERASE, EraseRequest, NO_VERSION, PURGE, REFRESH, Reached, SETTLE, SettleRequest,
};
use crate::ports::{ActorApi, Actors, CallError};
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::InvokeActorRequest;
use reminder_contract::names::ACTOR_TYPE;
use reminder_domain::ids::Person;
use reminder_domain::{Retention, TaskId};
use std::collections::HashMap;
use std::time::Duration;

/// How long an internal turn may take. With placement dead, actor calls hang until it is back.
const TURN_DEADLINE: Duration = Duration::from_secs(20);

/// How long a caller's turn may take: longer than it may wait for a place, so that its own refusal arrives.
const CALL_DEADLINE: Duration = Duration::from_secs(25);

#[async_trait]
impl ActorApi for Sidecar {
    async fn call(
        &self,
        actor_type: &'static str,
        id: String,
        method: &'static str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        self.invoke(actor_type, id, method, body, CALL_DEADLINE).await
    }
}

#[async_trait]
impl Actors for Sidecar {
    async fn settle(&self, id: &TaskId, at_least: u64) -> Result<u64, CallError> {
        let reached = self.internal(id, SETTLE, SettleRequest { at_least }.to_json()).await?;
        Ok(reached.version)
    }

    async fn refresh(&self, id: &TaskId) -> Result<(), CallError> {
        self.internal(id, REFRESH, Vec::new()).await.map(|Reached { .. }| ())
    }

    async fn purge(&self, id: &TaskId, retention: Retention) -> Result<bool, CallError> {
        let body = serde_json::to_vec(&retention).map_err(|error| CallError(error.to_string()))?;
        Ok(self.internal(id, PURGE, body).await?.version == NO_VERSION)
    }

    async fn erase(&self, id: &TaskId, user: &Person) -> Result<u64, CallError> {
        let body = serde_json::to_vec(&EraseRequest { user_id: user.clone() });
        let body = body.map_err(|error| CallError(error.to_string()))?;
        Ok(self.internal(id, ERASE, body).await?.version)
    }
}

impl Sidecar {
    async fn internal(
        &self,
        id: &TaskId,
        method: &str,
        data: Vec<u8>,
    ) -> Result<Reached, CallError> {
        let answer = self.invoke(ACTOR_TYPE, id.to_string(), method, data, TURN_DEADLINE).await?;
        serde_json::from_slice(&answer)
            .map_err(|_| CallError(format!("the {method} turn was refused; it is tried again")))
    }

    async fn invoke(
        &self,
        actor_type: &str,
        actor_id: String,
        method: &str,
        data: Vec<u8>,
        deadline: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let message = InvokeActorRequest {
            actor_type: actor_type.into(),
            actor_id,
            method: method.into(),
            data,
            metadata: HashMap::new(),
        };
        let mut client = self.client.clone();
        let call = client.invoke_actor(request(message, deadline));
        Ok(within(deadline, call).await.map_err(failed)?.data)
    }
}
