//! The wall clock: the only module that reads it.

use reminder_domain::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long to sleep at most before looking at the wall clock again: it may be stepped meanwhile,
/// while a sleep runs on the monotonic clock.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A wall clock. It is handed in, so that the simulation can skew and step it.
pub trait Clock: Send + Sync + 'static {
    /// What it shows, rounded down to the millisecond so that nothing counts as due too early.
    fn now(&self) -> Timestamp;
}

/// A clock that many parts look at.
pub type SharedClock = Arc<dyn Clock>;

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
    }
}

/// By when something must have begun, on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn within(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// Whether it is too late.
    pub fn has_passed(self) -> bool {
        Instant::now() > self.0
    }
}

/// Waits until the clock shows `at`.
pub async fn wait_until(clock: &dyn Clock, at: Timestamp) {
    loop {
        let left_ms = at.millis_since(clock.now());
        let Ok(left_ms @ 1..) = u64::try_from(left_ms) else { return };
        tokio::time::sleep(Duration::from_millis(left_ms).min(LOOK_AGAIN)).await;
    }
}
