//! Repetitions as one figure with its spread, and ratios of pairs that were measured one after the other.

use serde::Serialize;

/// The middle of repetitions and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(in crate::bench) struct Spread {
    pub(in crate::bench) min: f64,
    pub(in crate::bench) median: f64,
    pub(in crate::bench) max: f64,
}

impl Spread {
    /// Of any number of repetitions; `None` of none.
    pub(in crate::bench) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { min, median: f64::midpoint(low, high), max })
    }

    /// Ours divided by the floor, repetition by repetition: neighbours share the state of the machine.
    pub(in crate::bench) fn ratio(ours: &[f64], floor: &[f64]) -> Option<Self> {
        let pairs = ours.iter().zip(floor).filter(|(_, floor)| **floor > 0.0);
        Self::of(&pairs.map(|(ours, floor)| ours / floor).collect::<Vec<_>>())
    }

    /// For people, with so many decimals.
    pub(in crate::bench) fn text(&self, decimals: usize) -> String {
        let Self { min, median, max } = self;
        format!("{median:.decimals$} ({min:.decimals$}–{max:.decimals$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(Spread::of(&[]), None);
        let three = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!(three, Spread { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 3.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(three.text(1), "2.0 (1.0–3.0)");
    }

    #[test]
    fn ratios_are_those_of_neighbours_and_nothing_is_divided_by_nothing() {
        // The machine was half as fast in the second pair; the ratio does not change.
        let ratio = Spread::ratio(&[80.0, 40.0], &[100.0, 50.0]).unwrap();
        assert_eq!(ratio, Spread { min: 0.8, median: 0.8, max: 0.8 });
        assert_eq!(Spread::ratio(&[1.0], &[0.0]), None);
        assert_eq!(Spread::ratio(&[], &[1.0]), None);
    }
}
