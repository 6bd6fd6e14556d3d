//! Dapr's jobs, by its scheduler.

use super::{Sidecar, failed, request, within};
use crate::ports::CallError;
use crate::retention::job::Jobs;
use async_trait::async_trait;
use dapr::dapr::proto::runtime::v1::{GetJobRequest, Job, ScheduleJobRequest};
use std::time::Duration;
use tonic::{Code, Status};

/// How long the sidecar may take: with the scheduler away it gives up after about 10 s.
const DEADLINE: Duration = Duration::from_secs(15);

#[async_trait]
impl Jobs for Sidecar {
    async fn schedule_of(&self, job: &'static str) -> Result<Option<String>, CallError> {
        let mut client = self.client.clone();
        let call = client.get_job(request(GetJobRequest { name: job.into() }, DEADLINE));
        match within(DEADLINE, call).await {
            Ok(answer) => Ok(answer.job.map(|job| job.schedule.unwrap_or_default())),
            Err(status) if is_absent(&status) => Ok(None),
            Err(status) => Err(failed(status)),
        }
    }

    async fn schedule(&self, job: &'static str, schedule: String) -> Result<(), CallError> {
        let job = Job { name: job.into(), schedule: Some(schedule), ..Job::default() };
        let message = ScheduleJobRequest { job: Some(job), overwrite: true };
        let mut client = self.client.clone();
        within(DEADLINE, client.schedule_job(request(message, DEADLINE))).await.map_err(failed)?;
        Ok(())
    }
}

/// Dapr 1.18 says it in the text of another status.
fn is_absent(status: &Status) -> bool {
    status.code() == Code::NotFound || status.message().contains("job not found")
}
