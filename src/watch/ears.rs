//! What has come since somebody last looked, by topic.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Told by whoever takes deliveries, asked by the watch.
#[derive(Clone, Debug, Default)]
pub struct Ears(Arc<Mutex<BTreeSet<&'static str>>>);

impl Ears {
    /// Something has come from a topic, whatever becomes of it.
    pub fn hear(&self, topic: &'static str) {
        self.lock().insert(topic);
    }

    /// Whether something has come since the last question.
    pub(super) fn heard(&self, topic: &'static str) -> bool {
        self.lock().remove(topic)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
