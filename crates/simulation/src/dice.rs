//! The only source of chance: hashes of the seed and of what is decided.
//!
//! There is no stream of numbers that everything draws from: whether a call fails depends on the seed,
//! on what it is and on how many like it came before. So a plan that lacks a task or a fault goes the
//! same way in everything else, which is what makes shrinking work.

use std::hash::{Hash, Hasher};
use xxhash_rust::xxh3::Xxh3Default;

/// Chance, as a function of a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own for a part of the run.
    #[must_use]
    pub fn of(self, part: impl Hash) -> Self {
        Self(self.roll(part))
    }

    /// Any number, always the same one for this.
    pub fn roll(self, what: impl Hash) -> u64 {
        let mut hasher = Xxh3Default::new();
        self.0.hash(&mut hasher);
        what.hash(&mut hasher);
        hasher.finish()
    }

    /// A number from 0 to `below`, which is excluded.
    pub fn below(self, what: impl Hash, below: u64) -> u64 {
        self.roll(what) % below.max(1)
    }

    /// A number within the bounds, both included.
    pub fn within(self, what: impl Hash, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to - from).unwrap_or(0) + 1;
        from + i64::try_from(self.below(what, span)).unwrap_or(0)
    }

    /// Whether something of this likelihood, per thousand, happens.
    pub fn happens(self, what: impl Hash, per_thousand: u64) -> bool {
        per_thousand > 0 && self.below(what, 1_000) < per_thousand
    }

    /// One of these.
    pub fn pick<T: Copy>(self, what: impl Hash, from: &[T]) -> T {
        let index = usize::try_from(self.below(what, from.len() as u64)).unwrap_or(0);
        from[index]
    }
}
