//! Random numbers that one seed decides, the same on every machine and with every version.

use std::time::Duration;

/// `SplitMix64`: small, and good enough to choose faults by.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A source of its own for one purpose, so that what one draws moves nothing of another.
    pub(super) fn of(seed: u64, purpose: &str, number: u64) -> Self {
        // FNV-1a, which is the same everywhere; the standard library's hashes need not be.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let name = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        let mut random = Self(seed ^ name);
        let first = random.next();
        Self(first ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from the first up to the last, both included.
    pub(super) fn between(&mut self, first: i64, last: i64) -> i64 {
        let span = u64::try_from(last.saturating_sub(first)).unwrap_or(0).saturating_add(1);
        first.saturating_add(i64::try_from(self.next() % span).unwrap_or(0))
    }

    /// A duration between two numbers of milliseconds.
    pub(super) fn millis(&mut self, first: i64, last: i64) -> Duration {
        Duration::from_millis(u64::try_from(self.between(first, last)).unwrap_or(0))
    }

    /// Whether something happens that does so once in so many times.
    pub(super) fn one_in(&mut self, times: i64) -> bool {
        self.between(1, times) == 1
    }

    /// One of several.
    pub(super) fn choose<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        let last = i64::try_from(among.len()).unwrap_or(i64::MAX) - 1;
        &among[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }

    /// All of them in another order.
    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            let other = self.between(0, i64::try_from(last).unwrap_or(0));
            all.swap(last, usize::try_from(other).unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_purposes_differ() {
        let draw = |mut random: Random| [(); 4].map(|()| random.between(0, 1_000_000));
        assert_eq!(draw(Random::of(7, "tasks", 1)), draw(Random::of(7, "tasks", 1)));
        assert_ne!(draw(Random::of(7, "tasks", 1)), draw(Random::of(7, "tasks", 2)));
        assert_ne!(draw(Random::of(7, "tasks", 1)), draw(Random::of(8, "tasks", 1)));
        assert_ne!(draw(Random::of(7, "tasks", 1)), draw(Random::of(7, "faults", 1)));
        // The reference's first output for this seed.
        assert_eq!(Random(1_234_567).next(), 6_457_827_717_110_365_317);
    }

    #[test]
    fn ranges_include_both_ends_and_shuffling_loses_nothing() {
        let mut random = Random(1);
        let drawn: std::collections::BTreeSet<i64> =
            (0..200).map(|_| random.between(-1, 1)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1]);
        let mut all: Vec<u32> = (0..50).collect();
        random.shuffle(&mut all);
        assert!(!all.is_sorted());
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..50));
    }
}
