//! What is measured of publishing: each call, and each event from its commit on.

use super::lanes::{Batch, Outbox};
use crate::metrics::{gauge, metrics};
use crate::turn::effect::Handover;
use reminder_contract::cloud_event::topic_name;
use tokio::time::Instant;

/// Notes that handovers were taken on now.
pub(super) fn taken_on(handovers: Vec<Handover>) -> impl Iterator<Item = Handover> {
    let now = Instant::now();
    handovers.into_iter().map(move |handover| handover.taken_on(now))
}

/// Tells how many events wait, and since when.
pub(super) fn waiting(outbox: &Outbox) {
    metrics().outbox.set(gauge(outbox.waiting()));
    metrics().outbox_age.since(outbox.oldest().and_then(Handover::since));
}

/// A call that publishes a batch.
pub(super) struct Call(Instant);

impl Call {
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    /// The time since an event was taken on has the attempts in it that failed, and the wait for earlier
    /// events of its task.
    pub(super) fn end(self, batch: &Batch, acknowledged: bool) {
        let (metrics, name) = (metrics(), [("topic", topic_name(batch.topic))]);
        metrics.publish_call_seconds.get_or_create(&name).observe(self.0.elapsed().as_secs_f64());
        if acknowledged {
            let histogram = metrics.publish_seconds.get_or_create(&name);
            for waited in batch.items.iter().filter_map(|item| item.handover.waited()) {
                histogram.observe(waited.as_secs_f64());
            }
        }
    }
}
