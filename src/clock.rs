//! The only module that reads the clock.

use reminder_domain::Timestamp;
use std::time::Duration;

/// How long to sleep at most before looking at the wall clock again: it may be stepped meanwhile,
/// while a sleep runs on the monotonic clock.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The wall clock, rounded down to the millisecond so that nothing counts as due too early.
pub fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}

/// Waits until the wall clock shows `at`.
pub async fn wait_until(at: Timestamp) {
    loop {
        let left_ms = at.millis_since(now());
        let Ok(left_ms @ 1..) = u64::try_from(left_ms) else { return };
        tokio::time::sleep(Duration::from_millis(left_ms).min(LOOK_AGAIN)).await;
    }
}
