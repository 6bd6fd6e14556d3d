//! The one reminder of each actor.

use super::{Sidecar, failed, request, within};
use crate::ports::{CallError, Reminders};
use async_trait::async_trait;
use dapr::dapr::proto::common::v1::{
    JobFailurePolicy, JobFailurePolicyConstant, job_failure_policy::Policy,
};
use dapr::dapr::proto::runtime::v1::{
    RegisterActorReminderRequest, UnregisterActorReminderRequest,
};
use reminder_contract::names::{ACTOR_TYPE, WAKE_REMINDER};
use reminder_domain::{TaskId, Timestamp};
use std::time::Duration;

/// How long a registration may take; the sidecar itself gives up after about 10 s.
const ARM_DEADLINE: Duration = Duration::from_secs(3);
/// How long Dapr waits between attempts of a wake that was not answered with 200, in seconds.
/// Shorter ones are retried back to back.
const RETRY_INTERVAL_SECONDS: i64 = 1;

#[async_trait]
impl Reminders for Sidecar {
    async fn arm(&self, id: &TaskId, at: Timestamp) -> Result<(), CallError> {
        // Without a policy Dapr gives up after three retries and deletes the reminder.
        let for_ever = Policy::Constant(JobFailurePolicyConstant {
            interval: Some(prost_types::Duration { seconds: RETRY_INTERVAL_SECONDS, nanos: 0 }),
            max_retries: None,
        });
        let message = RegisterActorReminderRequest {
            actor_type: ACTOR_TYPE.into(),
            actor_id: id.to_string(),
            name: WAKE_REMINDER.into(),
            due_time: at.to_string(),
            overwrite: Some(true),
            failure_policy: Some(JobFailurePolicy { policy: Some(for_ever) }),
            ..RegisterActorReminderRequest::default()
        };
        let mut client = self.client.clone();
        let call = client.register_actor_reminder(request(message, ARM_DEADLINE));
        within(ARM_DEADLINE, call).await.map_err(failed)
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
