//! Our own actors, wherever they live now.

use super::{Sidecar, failed, request, within};
use crate::dapr::inbound::settle;
use crate::ports::{Actors, CallError};
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::InvokeActorRequest;
use reminder_contract::names::ACTOR_TYPE;
use reminder_domain::TaskId;
use std::collections::HashMap;
use std::time::Duration;

/// How long a settle turn may take. With placement dead, actor calls hang until it is back.
const SETTLE_DEADLINE: Duration = Duration::from_secs(20);

#[async_trait]
impl Actors for Sidecar {
    async fn settle(&self, id: &TaskId, at_least: u64) -> Result<u64, CallError> {
        let message = InvokeActorRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: id.to_string(),
            method: settle::METHOD.into(),
            data: settle::Request { at_least }.to_json(),
            metadata: HashMap::new(),
        };
        let mut client = self.client.clone();
        let call = client.invoke_actor(request(message, SETTLE_DEADLINE));
        let answer = within(SETTLE_DEADLINE, call).await.map_err(failed)?;
        let settled: settle::Settled = serde_json::from_slice(&answer.data)
            .map_err(|_| CallError("the settle turn was refused; it is tried again".into()))?;
        Ok(settled.version)
    }
}
