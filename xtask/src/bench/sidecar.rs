//! The sidecar over gRPC, as the service itself calls it.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use dapr::dapr::proto::common::v1::{
    JobFailurePolicy, JobFailurePolicyConstant, job_failure_policy::Policy,
};
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{
    BulkPublishRequest, BulkPublishRequestEntry, ExecuteActorStateTransactionRequest,
    InvokeActorRequest, RegisterActorReminderRequest, TransactionalActorStateOperation,
};
use reminder_contract::cloud_event::CONTENT_TYPE;
use reminder_contract::names::{PUBSUB, TASK_EVENTS};
use reminder_stack::Manifest;
use tonic::transport::{Channel, Endpoint};

/// The shortest interval that Dapr does not repeat back to back.
const RETRY_INTERVAL_SECONDS: i64 = 1;

/// A connection that all calls share.
#[derive(Clone)]
pub(super) struct Grpc(DaprClient<Channel>);

impl Grpc {
    /// To the sidecar of the first replica.
    pub(super) fn of(manifest: &Manifest) -> Result<Self> {
        Self::at(manifest.replica(1)?.grpc_port)
    }

    /// To a sidecar on that port.
    pub(super) fn at(port: u16) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.tcp_nodelay(true);
        Ok(Self(DaprClient::new(endpoint.connect_lazy())))
    }

    /// Publishes events of tasks, keyed by them.
    pub(super) async fn publish_events(&self, events: Vec<(String, Vec<u8>)>) -> Result<()> {
        let entries = events.into_iter().enumerate().map(|(number, (key, event))| {
            let metadata = HashMap::from([("partitionKey".to_owned(), key)]);
            let (entry_id, content_type) = (number.to_string(), CONTENT_TYPE.to_owned());
            BulkPublishRequestEntry { entry_id, event, content_type, metadata }
        });
        let request = BulkPublishRequest {
            pubsub_name: PUBSUB.into(),
            topic: TASK_EVENTS.into(),
            entries: entries.collect(),
            metadata: HashMap::new(),
        };
        let answer = self.0.clone().bulk_publish_event(request).await?.into_inner();
        ensure!(answer.failed_entries.is_empty(), "events were not published: {answer:?}");
        Ok(())
    }

    /// Calls an actor; gives what it answers.
    pub(super) async fn call(
        &self,
        actor_type: &str,
        id: &str,
        method: &str,
        data: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let request = InvokeActorRequest {
            actor_type: actor_type.into(),
            actor_id: id.into(),
            method: method.into(),
            data,
            metadata: HashMap::new(),
        };
        Ok(self.0.clone().invoke_actor(request).await?.into_inner().data)
    }

    /// Registers a reminder, to be tried for ever as those of the service are.
    pub(super) async fn register(
        &self,
        actor_type: &str,
        id: &str,
        name: String,
        due: DateTime<Utc>,
    ) -> Result<()> {
        let for_ever = Policy::Constant(JobFailurePolicyConstant {
            interval: Some(prost_types::Duration { seconds: RETRY_INTERVAL_SECONDS, nanos: 0 }),
            max_retries: None,
        });
        let request = RegisterActorReminderRequest {
            actor_type: actor_type.into(),
            actor_id: id.into(),
            name,
            due_time: due.to_rfc3339_opts(SecondsFormat::Millis, true),
            overwrite: Some(true),
            failure_policy: Some(JobFailurePolicy { policy: Some(for_ever) }),
            ..RegisterActorReminderRequest::default()
        };
        self.0.clone().register_actor_reminder(request).await?;
        Ok(())
    }

    /// Writes the state of an actor in one transaction.
    pub(super) async fn save(&self, actor_type: &str, id: String, state: Vec<u8>) -> Result<()> {
        let value = prost_types::Any { type_url: "type.googleapis.com/bytes".into(), value: state };
        let upsert = TransactionalActorStateOperation {
            operation_type: "upsert".into(),
            key: "state".into(),
            value: Some(value),
            metadata: HashMap::new(),
        };
        let request = ExecuteActorStateTransactionRequest {
            actor_type: actor_type.into(),
            actor_id: id,
            operations: vec![upsert],
        };
        self.0.clone().execute_actor_state_transaction(request).await?;
        Ok(())
    }
}
