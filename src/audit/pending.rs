//! How much waits, and until when: counted now and then by whoever holds the lease.

use super::{Audit, settings};
use crate::metrics::{HORIZONS, metrics};
use crate::ports::{Ports, ReminderIndex};
use crate::read_model::TaskIndex;
use reminder_domain::Timestamp;
use tokio::time::Instant;

impl<P: Ports + ReminderIndex> Audit<P> {
    /// Counts when it is time for it. Whoever does not hold the lease tells zeros: the holder tells.
    pub(super) async fn tell_pending(&mut self) {
        if !self.held {
            self.counted = None;
            tell(&[]);
            return;
        }
        let due = |at: Instant| at.elapsed() >= settings::PENDING_INTERVAL;
        if self.counted.is_some_and(|at| !due(at)) {
            return;
        }
        self.counted = Some(Instant::now());
        match count(&*self.model, self.clock.now()).await {
            Ok(counts) => tell(&counts),
            Err(error) => tracing::warn!(%error, "what is pending could not be counted"),
        }
    }
}

async fn count(
    model: &dyn TaskIndex,
    now: Timestamp,
) -> Result<Vec<i64>, crate::read_model::QueryError> {
    // The last bucket has no end.
    let ends = &HORIZONS[..HORIZONS.len() - 1];
    let ends: Vec<Timestamp> = ends.iter().map(|(_, ms)| now.saturating_add_ms(*ms)).collect();
    model.count_pending(&ends, settings::PENDING_MAX).await
}

fn tell(counts: &[i64]) {
    for (n, (horizon, _)) in HORIZONS.iter().enumerate() {
        let count = counts.get(n).copied().unwrap_or(0);
        metrics().pending.get_or_create_owned(&[("horizon", *horizon)]).set(count);
    }
}
