//! The one reminder of each actor.

use super::{Sidecar, failed, request, within};
use crate::clock::{Clock, SystemClock};
use crate::ports::{CallError, Registered, ReminderIndex, Reminders};
use async_trait::async_trait;
use dapr::dapr::proto::common::v1::{
    JobFailurePolicy, JobFailurePolicyConstant, job_failure_policy::Policy,
};
use dapr::dapr::proto::runtime::v1::{
    GetActorReminderRequest, RegisterActorReminderRequest, UnregisterActorReminderRequest,
};
use reminder_contract::names::{ACTOR_TYPE, WAKE_REMINDER};
use reminder_domain::{TaskId, Timestamp};
use std::time::Duration;
use tonic::{Code, Status};

/// How long a registration may take; the sidecar itself gives up after about 10 s.
const ARM_DEADLINE: Duration = Duration::from_secs(3);
/// How long Dapr waits between attempts of a wake that was not answered with 200, in seconds.
/// Shorter ones are retried back to back.
const RETRY_INTERVAL_SECONDS: i64 = 1;

#[async_trait]
impl Reminders for Sidecar {
    async fn arm(&self, id: &TaskId, at: Timestamp) -> Result<(), CallError> {
        self.register(id.as_str(), WAKE_REMINDER, at, true).await.map_err(failed)
    }

    async fn arm_if_absent(&self, id: &TaskId, at: Timestamp) -> Result<Registered, CallError> {
        match self.register(id.as_str(), WAKE_REMINDER, at, false).await {
            Ok(()) => Ok(Registered::Now),
            Err(status) if is_already_there(&status) => Ok(Registered::Already),
            Err(status) => Err(failed(status)),
        }
    }

    async fn disarm(&self, id: &TaskId) -> Result<(), CallError> {
        let message = UnregisterActorReminderRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: id.to_string(),
            name: WAKE_REMINDER.into(),
        };
        let mut client = self.client.clone();
        let call = client.unregister_actor_reminder(request(message, ARM_DEADLINE));
        within(ARM_DEADLINE, call).await.map_err(failed)
    }
}

/// The actor of the canary. No task may have this id.
const CANARY_ACTOR: &str = "_canary";
/// How far away the canary is due, in ms: never, in practice.
const CANARY_DUE_MS: i64 = 10 * 365 * 24 * 3_600_000;

#[async_trait]
impl ReminderIndex for Sidecar {
    async fn canary_is_alive(&self, number: u64) -> Result<bool, CallError> {
        let message = GetActorReminderRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: CANARY_ACTOR.into(),
            name: canary(number),
        };
        let mut client = self.client.clone();
        let call = client.get_actor_reminder(request(message, ARM_DEADLINE));
        match within(ARM_DEADLINE, call).await {
            Ok(answer) => Ok(answer.due_time.is_some_and(|due| !due.is_empty())),
            Err(status) if status.code() == Code::NotFound => Ok(false),
            Err(status) => Err(failed(status)),
        }
    }

    async fn release_canary(&self, number: u64) -> Result<(), CallError> {
        let due = SystemClock.now().saturating_add_ms(CANARY_DUE_MS);
        self.register(CANARY_ACTOR, &canary(number), due, true).await.map_err(failed)
    }
}

fn canary(number: u64) -> String {
    format!("canary-{number}")
}

/// Dapr says it with this code, or in the words of the scheduler's client.
fn is_already_there(status: &Status) -> bool {
    status.code() == Code::AlreadyExists || status.message().contains("already exists")
}

impl Sidecar {
    async fn register(
        &self,
        actor: &str,
        name: &str,
        at: Timestamp,
        overwrite: bool,
    ) -> Result<(), Status> {
        // Without a policy Dapr gives up after three retries and deletes the reminder.
        let for_ever = Policy::Constant(JobFailurePolicyConstant {
            interval: Some(prost_types::Duration { seconds: RETRY_INTERVAL_SECONDS, nanos: 0 }),
            max_retries: None,
        });
        let message = RegisterActorReminderRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: actor.into(),
            name: name.into(),
            due_time: at.to_string(),
            overwrite: Some(overwrite),
            failure_policy: Some(JobFailurePolicy { policy: Some(for_ever) }),
            ..RegisterActorReminderRequest::default()
        };
        let mut client = self.client.clone();
        let call = client.register_actor_reminder(request(message, ARM_DEADLINE));
        within(ARM_DEADLINE, call).await
    }
}
