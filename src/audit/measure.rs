//! What is counted of rounds.

use super::paced::PassError;
use super::round::Findings;
use crate::metrics::{metrics, seconds};
use crate::read_model::FindingKind;
use reminder_domain::Timestamp;
use std::time::Duration;

/// Counts a round; `held`: this replica had the lease.
pub(super) fn round<T>(held: bool, ended: &Result<T, PassError>, took: Duration, now: Timestamp) {
    let metrics = metrics();
    let outcome = match ended {
        Err(_) => "failed",
        Ok(_) if held => "done",
        Ok(_) => "left",
    };
    metrics.rounds.get_or_create(&[("outcome", outcome)]).inc();
    metrics.lease_held.set(i64::from(held));
    if held {
        metrics.round_seconds.observe(took.as_secs_f64());
    } else {
        // Whoever has the lease tells.
        metrics.oldest_overdue.set(0.0);
    }
    if outcome == "done" {
        metrics.last_round.set(seconds(now.as_millis()));
    }
}

/// Counts what a round found.
pub(super) fn findings(findings: &Findings) {
    let Findings { settled, republished, armed, scheduler_lost, parked, unparked, failed } =
        *findings;
    for (what, count) in [
        (FindingKind::Settled.as_str(), settled),
        (FindingKind::Republished.as_str(), republished),
        ("armed", armed),
        (FindingKind::SchedulerLost.as_str(), usize::from(scheduler_lost)),
        (FindingKind::Parked.as_str(), parked),
        (FindingKind::Unparked.as_str(), unparked),
        ("failed", failed),
    ] {
        metrics().found.get_or_create(&[("what", what)]).inc_by(count as u64);
    }
}
