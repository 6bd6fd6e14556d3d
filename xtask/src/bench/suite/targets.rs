//! What the project wants to reach, each with the figure of this run and whether it is reached.

use serde::Serialize;

use super::operations::Operation;
use super::spread::Spread;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in crate::bench) struct Target {
    pub(in crate::bench) name: String,
    pub(in crate::bench) wanted: String,
    pub(in crate::bench) found: String,
    pub(in crate::bench) verdict: Verdict,
}

/// Whether it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) enum Verdict {
    Met,
    Missed,
    /// This run has not measured it.
    NotMeasured,
}

/// On which side of a bound the good ones are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

impl Wanted {
    fn holds(self, found: f64) -> bool {
        match self {
            Self::AtLeast(bound) => found >= bound,
            Self::AtMost(bound) => found <= bound,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}{unit}"),
            Self::AtMost(bound) => format!("≤ {bound}{unit}"),
        }
    }
}

/// One that a median is held to.
pub(super) fn spread(name: impl Into<String>, wanted: Wanted, found: Option<Spread>) -> Target {
    let verdict = verdict(wanted, found.map(|spread| spread.median));
    let found = found.map_or_else(none, |spread| spread.text(2));
    Target { name: name.into(), wanted: wanted.text(""), found, verdict }
}

/// One that a single figure is held to.
pub(super) fn figure(
    name: impl Into<String>,
    wanted: Wanted,
    unit: &str,
    found: Option<f64>,
) -> Target {
    let verdict = verdict(wanted, found);
    let found = found.map_or_else(none, |found| format!("{found:.2}{unit}"));
    Target { name: name.into(), wanted: wanted.text(unit), found, verdict }
}

/// The calls of an operation.
pub(super) fn calls(operation: &Operation) -> Target {
    let verdict = if operation.missed.is_empty() { Verdict::Met } else { Verdict::Missed };
    let found = match verdict {
        Verdict::Missed => operation.missed.join(", "),
        _ => "no call more".to_owned(),
    };
    let name = format!("calls to {}", operation.name);
    Target { name, wanted: "as few as needed".into(), found, verdict }
}

fn verdict(wanted: Wanted, found: Option<f64>) -> Verdict {
    match found {
        None => Verdict::NotMeasured,
        Some(found) if wanted.holds(found) => Verdict::Met,
        Some(_) => Verdict::Missed,
    }
}

fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_decides_and_the_bound_itself_is_enough() {
        let of = |values: &[f64]| spread("far", Wanted::AtLeast(0.75), Spread::of(values));
        assert_eq!(of(&[0.5, 0.75, 0.9]).verdict, Verdict::Met);
        assert_eq!(of(&[0.74, 0.74, 2.0]).verdict, Verdict::Missed);
        assert_eq!(of(&[0.5, 0.75, 0.9]).found, "0.75 (0.50–0.90)");
        assert_eq!((of(&[]).verdict, of(&[]).found.as_str()), (Verdict::NotMeasured, "–"));
    }

    #[test]
    fn some_are_better_the_smaller_they_are() {
        let of = |found| figure("p99", Wanted::AtMost(16.0), " ms", found);
        assert_eq!(
            (of(Some(16.0)).verdict, of(Some(16.1)).verdict),
            (Verdict::Met, Verdict::Missed)
        );
        assert_eq!(
            (of(None).verdict, of(Some(3.0)).wanted.as_str()),
            (Verdict::NotMeasured, "≤ 16 ms")
        );
        // What cannot be told is not reached.
        assert_eq!(of(Some(f64::NAN)).verdict, Verdict::Missed);
    }
}
