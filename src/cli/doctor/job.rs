//! Whether the Dapr job is registered that begins purges.

use super::finding::Finding;
use crate::ports::CallError;
use crate::retention::job::{JOB, Jobs, schedule};
use crate::retention::settings::Settings;

/// The name of the check.
const CHECK: &str = "purge job";

/// Looks at it, when the sidecar can be asked.
pub(super) async fn look(jobs: &dyn Jobs, reached: bool, settings: Settings) -> Finding {
    if settings.retention.keeps_everything() {
        return Finding::skipped(CHECK, "nothing is purged: both retentions are off");
    }
    if !reached {
        return Finding::skipped(CHECK, "needs the sidecar");
    }
    judged(jobs.schedule_of(JOB).await, &schedule(settings.every))
}

fn judged(known: Result<Option<String>, CallError>, wanted: &str) -> Finding {
    match known {
        Ok(Some(known)) if known == wanted => Finding::ok(CHECK, format!("registered, {known}")),
        Ok(Some(known)) => Finding::warn(
            CHECK,
            format!("registered, but {known} and not {wanted}"),
            "Give this command the RETENTION_EVERY of the service. The service registers the job anew \
             within ten minutes of its start.",
        ),
        Ok(None) => Finding::warn(
            CHECK,
            "not registered: nothing is purged",
            "The service registers it at its start, and again when it finds that the scheduler has lost \
             its data. Until then, `reminder-scheduler purge` does what the job would.",
        ),
        Err(error) => {
            Finding::fail(CHECK, error.0, "The scheduler does not answer: see its check.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_job_that_is_missing_or_another_one_warns() {
        let wanted = "@every 3600s";
        let status = |known| judged(known, wanted).status;
        assert_eq!(status(Ok(Some(wanted.to_owned()))), Status::Ok);
        assert_eq!(status(Ok(Some("@every 1s".to_owned()))), Status::Warn);
        assert_eq!(status(Ok(None)), Status::Warn);
        assert_eq!(status(Err(CallError("away".into()))), Status::Fail);
    }
}
