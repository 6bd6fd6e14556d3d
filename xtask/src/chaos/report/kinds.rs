//! The faults by kind: how often each came, and how long it took to heal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::heal::Healing;
use super::super::history::{Hurt, Ms};
use super::span;

/// What is told of a kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kind {
    times: usize,
    /// How long each took to heal after its part was back; of two faults at once, both together.
    healed: Vec<Ms>,
    /// How many were not healed before the next fault began.
    open: usize,
    /// The longest that a part was away.
    away: Ms,
}

/// A table with a row for each kind.
pub(super) fn table(hurts: &[Hurt], healings: &[Healing]) -> String {
    let mut text = String::from(
        "| Fault | Times | Away at most | Healed after it was back: median | slowest | not before \
         the next |\n|---|---|---|---|---|---|\n",
    );
    for (name, mut kind) in kinds(hurts, healings) {
        kind.healed.sort_unstable();
        let median = kind.healed.get(kind.healed.len().saturating_sub(1) / 2).copied();
        let slowest = kind.healed.last().copied();
        let shown = |time: Option<Ms>| time.map_or_else(String::new, |time| span(Some(time)));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} |",
            kind.times,
            span(Some(kind.away)),
            shown(median),
            shown(slowest),
            kind.open
        );
    }
    text
}

fn kinds(hurts: &[Hurt], healings: &[Healing]) -> BTreeMap<String, Kind> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for hurt in hurts {
        // Which of the replicas makes no difference.
        let name = hurt.name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        let kind = kinds.entry(name.to_owned()).or_default();
        kind.times += 1;
        kind.away = kind.away.max(hurt.back - hurt.began);
        let healing = healings.iter().find(|healing| healing.slot == hurt.slot);
        match healing.and_then(Healing::after_back) {
            Some(took) => kind.healed.push(took),
            None => kind.open += 1,
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_counted_together() {
        let hurt = |name: &str, slot, back| Hurt {
            label: name.into(),
            name: name.into(),
            slot,
            began: 0,
            back,
            ready: None,
        };
        let hurts = [hurt("kill app 1", 0, 5), hurt("kill app 2", 1, 9), hurt("rollout", 2, 1)];
        let healing = |slot, well| Healing { slot, began: 0, back: 5, well, next: 99 };
        let healings = [healing(0, Some(6)), healing(1, None), healing(2, Some(5))];
        let kinds = kinds(&hurts, &healings);
        let app = Kind { times: 2, healed: vec![1], open: 1, away: 9 };
        assert_eq!(kinds["kill app"], app);
        assert_eq!(kinds["rollout"].healed, [0]);
        assert_eq!(table(&hurts, &healings).lines().count(), 4);
    }
}
