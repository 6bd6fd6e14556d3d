//! The bounds of ingestion.

use std::time::Duration;

/// How long a batch is tried again here when something does not answer, before the sidecar does. Long
/// enough for most restarts; short enough that a shutdown need not wait for it.
pub const BATCH_DEADLINE: Duration = Duration::from_secs(20);
/// The first pause after a failure; it doubles with every further one.
pub const RETRY_FIRST: Duration = Duration::from_millis(100);
/// The longest pause after a failure.
pub const RETRY_MAX: Duration = Duration::from_secs(3);
/// How long the sidecar waits for a batch to become full. It is what a single event waits at most.
pub const BATCH_WAIT_MS: u32 = 20;

/// What the operator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether events are followed at all.
    pub enabled: bool,
    /// Tasks that follow events at the same time.
    pub concurrency: usize,
    /// Most records of a batch.
    pub batch: u32,
}
