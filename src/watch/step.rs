//! What is to be done about a topic, decided from what is known of it.

use super::settings::{HEAL_FROM, PATIENCE_MAX};
use crate::read_model::Watched;
use std::time::Duration;

/// The next thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing: records come, or the canary still has time.
    Rest,
    /// Publish a canary.
    Ask,
    /// Canaries were published and none has come: have the sidecar subscribe anew.
    Heal,
}

/// The step for a topic from which something comes every `quiet` at least, canaries included; each
/// canary has `patience`, and each attempt to heal twice as much as the one before.
pub(super) fn step(known: &Watched, quiet: Duration, patience: Duration) -> Step {
    let Some(asked) = known.asked else {
        return if known.silent_for < quiet { Step::Rest } else { Step::Ask };
    };
    let doublings = asked.times.saturating_sub(HEAL_FROM);
    let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
    if asked.ago < patience.saturating_mul(factor).min(PATIENCE_MAX.max(patience)) {
        Step::Rest
    } else if asked.times < HEAL_FROM {
        Step::Ask
    } else {
        Step::Heal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_model::Asked;

    const QUIET: Duration = Duration::from_secs(60);
    const PATIENCE: Duration = Duration::from_secs(60);

    fn after(silent: u64, asked: Option<(u64, u32)>) -> Step {
        let span = Duration::from_secs;
        let asked = asked.map(|(ago, times)| Asked { ago: span(ago), times });
        step(&Watched { silent_for: span(silent), asked }, QUIET, PATIENCE)
    }

    #[test]
    fn a_topic_is_asked_when_it_is_quiet_and_healed_when_two_canaries_are_lost() {
        assert_eq!(after(59, None), Step::Rest);
        assert_eq!(after(60, None), Step::Ask);
        assert_eq!(after(119, Some((59, 1))), Step::Rest);
        assert_eq!(after(120, Some((60, 1))), Step::Ask, "the broker may just have come back");
        assert_eq!(after(179, Some((59, 2))), Step::Rest);
        assert_eq!(after(180, Some((60, 2))), Step::Heal);
    }

    #[test]
    fn each_attempt_waits_twice_as_long_as_the_one_before_up_to_a_cap() {
        let waits =
            |times| (1..=10_000).find(|ago| after(99_999, Some((*ago, times))) != Step::Rest);
        let expected = [60, 120, 240, 480, 960, 1920, 3600, 3600];
        for (times, seconds) in (2..).zip(expected) {
            assert_eq!(waits(times), Some(seconds), "after {times}");
        }
        assert_eq!(waits(u32::MAX), Some(3600));
    }
}
