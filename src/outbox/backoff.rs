//! How long to wait after failures, and when to stop trying for a while.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The first pause after a failure, in ms; it doubles with every further one.
const FIRST_MS: u64 = 100;
/// The longest pause, in ms.
const MAX_MS: i64 = 10_000;
/// After so many failures in a row only one batch at a time is tried.
const OPENS_AFTER: u32 = 3;

/// Exponential backoff with jitter and a circuit breaker, for one topic or a share of it.
///
/// The jitter is a hash of the seed and the count of failures: no two processes retry in step, and
/// a simulation with the same seed does the same.
#[derive(Clone, Debug)]
pub struct Breaker {
    seed: u64,
    failures: u32,
    retry_at_ms: i64,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(seed: u64) -> Self {
        Self { seed, failures: 0, retry_at_ms: 0 }
    }

    /// When the next batch may go out, in ms since the epoch, if it has to wait.
    pub fn waits_until(&self, now_ms: i64) -> Option<i64> {
        is_ahead(self.retry_at_ms, now_ms).then_some(self.retry_at_ms)
    }

    /// Whether only one batch at a time may go out.
    pub fn is_open(&self) -> bool {
        self.failures >= OPENS_AFTER
    }

    /// How many batches failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// A batch went through: all is well again.
    pub fn succeeded(&mut self) {
        self.failures = 0;
        self.retry_at_ms = 0;
    }

    /// A batch failed: wait, longer each time.
    pub fn failed(&mut self, now_ms: i64) {
        self.retry_at_ms = retry_at_ms(self.seed, self.failures, now_ms);
        self.failures = self.failures.saturating_add(1);
    }
}

/// When to try again what failed now, after `failures` earlier failures, in ms since the epoch.
pub fn retry_at_ms(seed: u64, failures: u32, now_ms: i64) -> i64 {
    now_ms.saturating_add_unsigned(pause_ms(seed, failures))
}

/// Whether such a time is still to come. A longer wait than any pause is that of a clock which was set back,
/// and must not hold up anything.
pub fn is_ahead(retry_at_ms: i64, now_ms: i64) -> bool {
    (1..=MAX_MS).contains(&retry_at_ms.saturating_sub(now_ms))
}

/// The pause after `failures` earlier failures: doubling up to a cap, then three quarters of it to
/// all of it.
fn pause_ms(seed: u64, failures: u32) -> u64 {
    let full = (FIRST_MS << failures.min(20)).min(MAX_MS.unsigned_abs());
    let jitter = xxh3_64_with_seed(&failures.to_le_bytes(), seed) % (full / 4 + 1);
    full - jitter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        for failures in 0..40 {
            let full = (FIRST_MS << failures.min(20)).min(MAX_MS.unsigned_abs());
            let pause = pause_ms(7, failures);
            assert!(pause <= full && pause >= full - full / 4, "{failures}: {pause}");
        }
        assert_ne!(pause_ms(1, 10), pause_ms(2, 10), "processes must not retry in step");
    }

    #[test]
    fn opens_after_failures_and_closes_with_a_success() {
        let mut breaker = Breaker::new(1);
        for _ in 0..OPENS_AFTER {
            assert!(!breaker.is_open());
            breaker.failed(1_000);
        }
        assert!(breaker.is_open() && breaker.waits_until(1_000).is_some());
        breaker.succeeded();
        assert!(!breaker.is_open() && breaker.waits_until(1_000).is_none());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let mut breaker = Breaker::new(1);
        breaker.failed(3_600_000);
        assert!(breaker.waits_until(3_600_000).is_some());
        assert_eq!(breaker.waits_until(0), None);
    }
}
