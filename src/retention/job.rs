//! The Dapr job that begins rounds: it is registered, looked after, and heard.
//!
//! Housekeeping may be late, so it may be a job: those live in the scheduler's store, which may be lost.
//! Then the audit notices, and it is registered anew.

use super::settings::{LOOK_EVERY, REGISTER_FIRST, REGISTER_MAX, Settings};
use super::{Purge, Round, measure};
use crate::clock::SharedClock;
use crate::metrics::metrics;
use crate::ports::{Actors, CallError};
use crate::read_model::Purges;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The name of the job; the sidecar calls `POST /job/purge`.
pub const JOB: &str = "purge";

/// Dapr's jobs.
#[async_trait]
pub trait Jobs: Send + Sync + 'static {
    /// The schedule of a job; `None`: there is none of this name.
    async fn schedule_of(&self, job: &'static str) -> Result<Option<String>, CallError>;
    /// Registers a job, in place of one of the same name.
    async fn schedule(&self, job: &'static str, schedule: String) -> Result<(), CallError>;
}

/// The bell that the sidecar rings.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Has a round begin; one that is asked for during another one begins after it.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// How the schedule of every so often is written.
pub fn schedule(every: Duration) -> String {
    format!("@every {}s", every.as_secs())
}

/// Keeps the job registered, for ever, and looks whether rounds come. A job that is there with the right
/// schedule is left alone: to register it anew would begin its pause anew, so with many restarts it would never
/// come. Beside every so often it looks when the scheduler is found to have `lost` its data.
pub async fn keep_registered(
    jobs: Arc<dyn Jobs>,
    rounds: Arc<dyn Purges>,
    clock: SharedClock,
    settings: Settings,
    lost: Arc<Notify>,
) {
    measure::expected(settings.every, clock.now());
    let wanted = schedule(settings.every);
    let mut pause = REGISTER_FIRST;
    loop {
        let registered = register(&*jobs, &wanted).await;
        look(&*rounds).await;
        metrics().purge_job_registered.set(i64::from(registered.is_ok()));
        pause = match registered {
            Ok(()) => {
                // Either way it looks again.
                let _ = tokio::time::timeout(LOOK_EVERY, lost.notified()).await;
                REGISTER_FIRST
            }
            Err(error) => {
                tracing::warn!(%error, "the purge job cannot be registered yet; nothing is purged without it");
                tokio::time::sleep(pause).await;
                (pause * 2).min(REGISTER_MAX)
            }
        };
    }
}

/// Another replica may have done the last round, or an earlier run of this one.
async fn look(rounds: &dyn Purges) {
    match rounds.last_finished().await {
        Ok(Some(at)) => measure::ended_at(at),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "it is not known when a purge last came to its end"),
    }
}

async fn register(jobs: &dyn Jobs, wanted: &str) -> Result<(), CallError> {
    let known = jobs.schedule_of(JOB).await?;
    if known.as_deref() != Some(wanted) {
        jobs.schedule(JOB, wanted.to_owned()).await?;
        tracing::info!(schedule = wanted, before = ?known, "the purge job is registered");
    }
    Ok(())
}

/// Purges whenever the bell rings, for ever.
pub async fn answer<P: Actors + 'static>(bell: Bell, mut purge: Purge<P>) {
    loop {
        bell.0.notified().await;
        match purge.round(&|_| {}).await {
            Ok(Round::Left) => {}
            Ok(Round::Done(purged)) if purged.is_nothing() => {}
            Ok(Round::Done(purged)) => tracing::info!(?purged, "what was over has been purged"),
            Err(error) => tracing::warn!(%error, "a purge was cut short; the next one goes on"),
        }
    }
}
