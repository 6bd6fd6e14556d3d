//! How late reminders fired since this process started, from its own histogram.

use serde::Serialize;

/// The histogram's name in a scrape.
const BUCKET: &str = "reminder_firing_lateness_seconds_bucket{le=\"";

/// Quantiles of the lateness; the bounds of the histogram's buckets are all that is known, so what lies
/// within one is interpolated, as Prometheus does it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lateness {
    /// Firings that were counted.
    firings: u64,
    /// Half of them were at most so late, in seconds.
    p50_seconds: Option<f64>,
    /// All but one in a hundred were at most so late.
    p99_seconds: Option<f64>,
}

impl Lateness {
    /// Reads it from a scrape.
    pub(super) fn of(scrape: &str) -> Self {
        // There is a histogram for each cause, all with the same bounds.
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        for (bound, count) in scrape.lines().filter_map(bucket) {
            match buckets.iter_mut().find(|(known, _)| known.total_cmp(&bound).is_eq()) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, count)),
            }
        }
        let firings = buckets.last().map_or(0, |(_, count)| *count);
        Self {
            firings,
            p50_seconds: quantile(&buckets, 0.5),
            p99_seconds: quantile(&buckets, 0.99),
        }
    }
}

/// The bound of a bucket, and how many lie below it.
fn bucket(line: &str) -> Option<(f64, u64)> {
    let (bound, rest) = line.strip_prefix(BUCKET)?.split_once('"')?;
    let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
    let (_, count) = rest.split_once("} ")?;
    Some((bound, count.split(' ').next()?.parse().ok()?))
}

#[expect(clippy::cast_precision_loss, reason = "counts of firings fit a double well enough")]
fn quantile(buckets: &[(f64, u64)], q: f64) -> Option<f64> {
    let (_, total) = buckets.last().filter(|(_, total)| *total > 0)?;
    let rank = *total as f64 * q;
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in buckets {
        let count = *count as f64;
        if count >= rank {
            // Nothing bounds the last bucket: its lower end is what is known.
            let share = (rank - below) / (count - below);
            return Some(if bound.is_finite() { lower + (bound - lower) * share } else { lower });
        }
        (lower, below) = (*bound, count);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::metrics;

    #[test]
    fn quantiles_are_interpolated_and_the_last_bucket_has_only_a_lower_end() {
        let scrape =
            format!("{BUCKET}0.1\"}} 50\n{BUCKET}0.2\"}} 98\n{BUCKET}+Inf\"}} 100\nother 7\n");
        let lateness = Lateness::of(&scrape);
        assert_eq!(lateness.firings, 100);
        assert!((lateness.p50_seconds.unwrap() - 0.1).abs() < 1e-9);
        assert!((lateness.p99_seconds.unwrap() - 0.2).abs() < 1e-9);
        let causes = ["late", "nag"].map(|cause| {
            format!("{BUCKET}1.0\",cause=\"{cause}\"}} 5 # {{trace_id=\"4b\"}} 0.5\n{BUCKET}+Inf\",cause=\"{cause}\"}} 5\n")
        });
        assert_eq!(Lateness::of(&causes.concat()).firings, 10);
        let half = Lateness::of(&format!("{BUCKET}1.0\"}} 10\n{BUCKET}+Inf\"}} 10\n"));
        assert!((half.p50_seconds.unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn without_a_firing_nothing_is_said() {
        assert_eq!(Lateness::of(""), Lateness::default());
    }

    #[test]
    fn a_real_scrape_is_understood() {
        let lateness = metrics().lateness.get_or_create(&[("cause", "late")]).clone();
        lateness.observe(0.03, None, None);
        let lateness = Lateness::of(&metrics().text());
        assert!(lateness.firings > 0 && lateness.p50_seconds.is_some());
    }
}
