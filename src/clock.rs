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

/// Waits until the clock shows `at`, and no longer than that takes by what it shows now: a clock that is set back
/// meanwhile holds up nothing. So whoever has waited looks at the clock once more.
pub async fn wait_until(clock: &dyn Clock, at: Timestamp) {
    let left = || match u64::try_from(at.millis_since(clock.now())) {
        Ok(left_ms @ 1..) => Some(Duration::from_millis(left_ms)),
        _ => None,
    };
    let Some(longest) = left() else { return };
    let until = Instant::now() + longest;
    while let Some(left) = left()
        && Instant::now() < until
    {
        let end = until.min(Instant::now() + left.min(LOOK_AGAIN));
        tokio::time::sleep_until(end).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Goes with the monotonic clock, but for a step.
    struct Stepped(Instant, AtomicI64);

    impl Clock for Stepped {
        fn now(&self) -> Timestamp {
            let elapsed_ms = i64::try_from(self.0.elapsed().as_millis()).unwrap();
            Timestamp::from_millis(1_800_000_000_000 + elapsed_ms + self.1.load(Ordering::SeqCst))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_makes_nobody_wait_longer() {
        for (step_ms, wanted_ms) in [(0, 3_000), (-600_000, 3_000), (600_000, 1_000)] {
            let clock = Arc::new(Stepped(Instant::now(), AtomicI64::new(0)));
            let at = clock.now().saturating_add_ms(3_000);
            let waiting = {
                let clock = Arc::clone(&clock);
                tokio::spawn(async move { wait_until(&*clock, at).await })
            };
            tokio::time::sleep(Duration::from_millis(500)).await;
            clock.1.store(step_ms, Ordering::SeqCst);
            waiting.await.unwrap();
            assert_eq!(clock.0.elapsed(), Duration::from_millis(wanted_ms), "{step_ms}");
        }
    }
}
