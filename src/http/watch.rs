//! Looks again and again whether the parts that the service needs are still there, for readiness.

use super::health::{DATABASE, Readiness, SIDECAR};
use crate::dapr::outbound::Sidecar;
use crate::read_model::{FiringSwitch, ReadModel};
use std::sync::Arc;
use std::time::Duration;

/// How often each is asked.
const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(3);

/// Watches for ever, once both were there.
pub async fn watch(sidecar: Arc<Sidecar>, model: Arc<ReadModel>, readiness: Readiness) {
    let mut timer = tokio::time::interval(WATCH_EVERY);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let (sidecar, database) =
            tokio::join!(answers(sidecar.ping()), answers(model.firing_stop()));
        readiness.seen(SIDECAR, sidecar);
        readiness.seen(DATABASE, database);
    }
}

async fn answers<T, E: std::fmt::Display>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_DEADLINE, asked).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".into()),
    }
}
