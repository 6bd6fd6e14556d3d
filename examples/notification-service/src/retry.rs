//! When a delivery is tried again: a function of what happened, without clock or chance of its own.

use std::time::Duration;

/// By how much the wait grows with each failure.
const FACTOR: u32 = 3;

/// How often a delivery is tried, and how long it waits in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryPolicy {
    /// The wait after the first failure.
    pub(crate) base: Duration,
    /// The longest wait of ours.
    pub(crate) cap: Duration,
    /// The longest wait that a receiver may ask for.
    pub(crate) retry_after_cap: Duration,
    /// How often it is tried in all.
    pub(crate) attempts: u32,
}

impl RetryPolicy {
    /// How long to wait after so many failures; `None` when it is given up.
    ///
    /// Half of the wait is certain and half is by `chance` (0 to 1), so that what failed together
    /// does not come back together. A receiver that names a time is not asked before it, and the
    /// chance is added on top, for the same reason.
    pub(crate) fn wait(
        &self,
        failures: u32,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let growth = FACTOR.saturating_pow(failures.saturating_sub(1));
        let step = self.base.saturating_mul(growth).min(self.cap);
        let own = step / 2 + (step / 2).mul_f64(chance.clamp(0.0, 1.0));
        let asked = retry_after.map(|wish| {
            wish.min(self.retry_after_cap).saturating_add(self.base.mul_f64(chance.clamp(0.0, 1.0)))
        });
        Some(asked.map_or(own, |asked| asked.max(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: RetryPolicy = RetryPolicy {
        base: Duration::from_secs(4),
        cap: Duration::from_secs(100),
        retry_after_cap: Duration::from_secs(600),
        attempts: 6,
    };

    #[test]
    fn waits_grow_up_to_the_cap_and_end() {
        let longest: Vec<_> = (1..=6).map(|failures| POLICY.wait(failures, None, 1.0)).collect();
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(
            longest,
            [seconds(4), seconds(12), seconds(36), seconds(100), seconds(100), None]
        );
        assert_eq!(POLICY.wait(1, None, 0.0), seconds(2));
        assert_eq!(POLICY.wait(u32::MAX, None, 0.0), None);
    }

    #[test]
    fn what_the_receiver_asks_for_is_waited_for() {
        let wish = |s| Some(Duration::from_secs(s));
        assert_eq!(POLICY.wait(1, wish(30), 0.0), wish(30));
        assert_eq!(POLICY.wait(1, wish(30), 1.0), wish(34));
        assert_eq!(POLICY.wait(4, wish(1), 1.0), wish(100), "it may not make us hurry");
        assert_eq!(POLICY.wait(1, wish(86_400), 0.0), wish(600), "nor wait for ever");
        assert_eq!(POLICY.wait(6, wish(1), 0.0), None, "nor try for ever");
    }

    proptest! {
        #[test]
        fn every_wait_is_between_half_the_base_and_the_caps(
            failures in 1_u32..200, wish in proptest::option::of(0_u64..1_000_000), chance in 0.0..=1.0
        ) {
            let policy = RetryPolicy { attempts: 200, ..POLICY };
            let wait = policy.wait(failures, wish.map(Duration::from_secs), chance).unwrap();
            prop_assert!(wait >= policy.base / 2);
            prop_assert!(wait <= policy.retry_after_cap + policy.base);
        }
    }
}
