//! What is counted of rounds.

use super::{Purged, RoundError};
use crate::metrics::{metrics, seconds};
use reminder_domain::Timestamp;

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
        metrics().last_purge.set(seconds(now.as_millis()));
    }
}
