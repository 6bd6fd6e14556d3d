//! The measuring core: durations in, percentiles out. It knows nothing of what was measured.

use std::time::Duration;

use serde::Serialize;

/// Durations of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    micros: Vec<i64>,
}

/// What is told of them, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) min_ms: f64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    #[serde(rename = "p999Ms")]
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Samples {
    /// Adds how long something took.
    pub(crate) fn add(&mut self, took: Duration) {
        self.micros.push(i64::try_from(took.as_micros()).unwrap_or(i64::MAX));
    }

    /// Adds a difference of two clocks, which may be negative.
    pub(crate) fn add_millis(&mut self, ms: i64) {
        self.micros.push(ms.saturating_mul(1_000));
    }

    /// Adds those of another caller.
    pub(crate) fn append(&mut self, other: &mut Self) {
        self.micros.append(&mut other.micros);
    }

    /// What is told of them; `None` of none.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let sum: i128 = sorted.iter().copied().map(i128::from).sum();
        let mean = i64::try_from(sum / sorted.len() as i128).unwrap_or(i64::MAX);
        let at = |per_mille| millis(percentile(&sorted, per_mille));
        Some(Summary {
            count: sorted.len(),
            min_ms: millis(min),
            mean_ms: millis(mean),
            p50_ms: at(500),
            p90_ms: at(900),
            p99_ms: at(990),
            p999_ms: at(999),
            max_ms: millis(max),
        })
    }
}

/// The nearest rank: the smallest sample that so many thousandths of all do not exceed. It is a value
/// that was measured, never one between two.
fn percentile(sorted: &[i64], per_mille: usize) -> i64 {
    let rank = (sorted.len() * per_mille).div_ceil(1000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "centuries of microseconds fit")]
fn millis(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let hundred: Vec<i64> = (1..=100).collect();
        assert_eq!([500, 900, 990, 999].map(|p| percentile(&hundred, p)), [50, 90, 99, 100]);
        assert_eq!(percentile(&[7], 1), 7);
        assert_eq!(percentile(&[1, 2], 500), 1);
        assert_eq!(percentile(&[1, 2, 3], 500), 2);
        assert_eq!(percentile(&[], 500), 0);
    }

    #[test]
    fn a_summary_is_in_milliseconds_whatever_the_order() {
        let mut samples = Samples::default();
        assert_eq!(samples.summary(), None);
        for ms in [30, 10, 20] {
            samples.add(Duration::from_millis(ms));
        }
        let mut other = Samples::default();
        other.add_millis(-4);
        samples.append(&mut other);
        let summary = samples.summary().unwrap();
        let found = [summary.min_ms, summary.p50_ms, summary.max_ms, summary.mean_ms];
        assert_eq!((summary.count, found), (4, [-4.0, 10.0, 30.0, 14.0]));
    }
}
