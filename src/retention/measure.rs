//! What is counted of rounds.

use super::{Purged, RoundError};
use crate::metrics::{metrics, seconds};
use reminder_domain::Timestamp;
use std::time::Duration;

/// Counts a round; `ended`: whether it was this process's to do.
pub(super) fn round(purged: &Purged, ended: &Result<bool, RoundError>, now: Timestamp) {
    let Purged { tombstones, completed, kept, failed } = *purged;
    let found =
        [("tombstone", tombstones), ("completed", completed), ("kept", kept), ("failed", failed)];
    for (what, count) in found {
        metrics().purged.get_or_create_owned(&[("what", what)]).inc_by(count);
    }
    let outcome = match ended {
        Ok(true) => "done",
        Ok(false) => "left",
        Err(_) => "failed",
    };
    metrics().purge_rounds.get_or_create_owned(&[("outcome", outcome)]).inc();
    if let Ok(true) = ended {
        ended_at(now);
    }
}

/// Takes note of how often a round should come, and that from now on one is waited for.
pub(super) fn expected(every: Duration, now: Timestamp) {
    metrics().purge_interval.set(every.as_secs_f64());
    ended_at(now);
}

/// Takes note of when a round came to its end, by whichever replica.
pub(super) fn ended_at(at: Timestamp) {
    metrics().last_purge.set(seconds(at.as_millis()));
}
