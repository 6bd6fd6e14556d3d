//! What a run has shown, and whether the targets are reached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::fire::Firing;
use super::growth::{self, Growth};
use super::operations::Operation;
use super::peers::{self, Peers};
use super::replicas::Crew;
use super::schedule::Scheduling;
use super::spread::Spread;
use super::storms::Load;
use super::subject::Work;
use super::targets::{self, Target, Wanted};
use super::{page, sheet};

/// What a run has shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Suite {
    pub(super) n: usize,
    pub(super) repetitions: usize,
    /// Ours divided by the floor.
    pub(super) ratios: BTreeMap<&'static str, Spread>,
    /// The same of the 99th percentile of latency, at the same rate.
    pub(super) p99_ratios: BTreeMap<&'static str, Spread>,
    pub(super) targets: Vec<Target>,
    pub(super) scheduling: Scheduling,
    pub(super) firing: Firing,
    pub(super) operations: Vec<Operation>,
    pub(super) loads: Vec<Load>,
    pub(super) crews: Vec<Crew>,
    pub(super) growth: Growth,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peers: Option<Peers>,
    #[serde(skip)]
    pub(super) docs: Option<PathBuf>,
}

/// The names of the ratios.
const SCHEDULE_FAR: &str = "schedule_far";
const SCHEDULE_NEAR: &str = "schedule_near";
const FIRE: &str = "fire";

impl Suite {
    pub(super) fn of(
        (n, repetitions): (usize, usize),
        scheduling: Scheduling,
        firing: Firing,
        operations: Vec<Operation>,
    ) -> Self {
        let throughput = [
            (SCHEDULE_FAR, scheduling.ratio(Work::Far)),
            (SCHEDULE_NEAR, scheduling.ratio(Work::Near)),
            (FIRE, firing.ratio()),
        ];
        let latency = [
            (SCHEDULE_FAR, scheduling.p99_ratio(Work::Far)),
            (SCHEDULE_NEAR, scheduling.p99_ratio(Work::Near)),
        ];
        let known = |all: &[(&'static str, Option<Spread>)]| {
            all.iter().filter_map(|(name, ratio)| Some((*name, (*ratio)?))).collect()
        };
        Self {
            n,
            repetitions,
            ratios: known(&throughput),
            p99_ratios: known(&latency),
            targets: Vec::new(),
            scheduling,
            firing,
            operations,
            loads: Vec::new(),
            crews: Vec::new(),
            growth: Growth::default(),
            peers: None,
            docs: None,
        }
    }

    pub(super) fn judge(&self) -> Vec<Target> {
        let ratio = |name| self.ratios.get(name).copied();
        let p99 = |name| self.p99_ratios.get(name).copied();
        let half = self.firing.half.as_ref().and_then(|half| half.begun);
        let at_half = |percentile| match self.firing.saturation {
            Some(most) => format!("lateness {percentile} at half of saturation ({most:.0}/s)"),
            None => format!("lateness {percentile} at half of saturation"),
        };
        let mut targets = vec![
            targets::spread(
                "far tasks, share of the floor",
                Wanted::AtLeast(0.75),
                ratio(SCHEDULE_FAR),
            ),
            targets::spread(
                "near tasks, share of the floor",
                Wanted::AtLeast(0.75),
                ratio(SCHEDULE_NEAR),
            ),
            targets::spread("firing a herd, share of the floor", Wanted::AtLeast(0.6), ratio(FIRE)),
            targets::spread(
                "p99 of a far command, of the floor's",
                Wanted::AtMost(2.0),
                p99(SCHEDULE_FAR),
            ),
            targets::spread(
                "p99 of a near command, of the floor's",
                Wanted::AtMost(2.0),
                p99(SCHEDULE_NEAR),
            ),
            targets::figure(
                at_half("p50"),
                Wanted::AtMost(5.0),
                " ms",
                half.map(|late| late.p50_ms),
            ),
            targets::figure(
                at_half("p99"),
                Wanted::AtMost(16.0),
                " ms",
                half.map(|late| late.p99_ms),
            ),
        ];
        if let Some(peers) = &self.peers {
            let (best, ours) = (peers.best_lateness(), peers.our_lateness());
            for (index, name) in ["p50", "p99"].into_iter().enumerate() {
                let best = best.map_or(f64::NAN, |best| best[index]);
                targets.push(targets::spread(
                    format!("lateness {name} at {}/s, of the best peer's, ms", peers::RATE),
                    Wanted::AtMost(best),
                    ours.map(|ours| ours[index]),
                ));
            }
        }
        targets.extend(self.grown());
        targets.extend(self.operations.iter().map(targets::calls));
        targets
    }

    fn grown(&self) -> Vec<Target> {
        let levels = &self.growth.levels;
        let most = levels.last();
        let figure = |name: &str, wanted, unit: &str, found| {
            targets::figure(format!("{name}, most tasks pending"), wanted, unit, found)
        };
        vec![
            figure(
                "far tasks a second, of those with few",
                Wanted::AtLeast(0.9),
                "",
                growth::share(levels, |level| &level.far),
            ),
            figure(
                "near tasks a second, of those with few",
                Wanted::AtLeast(0.9),
                "",
                growth::share(levels, |level| &level.near),
            ),
            figure(
                "ready after a start",
                Wanted::AtMost(5.0),
                " s",
                most.map(|level| level.ready_seconds),
            ),
            figure(
                "memory of the app at rest",
                Wanted::AtMost(64.0),
                " MiB",
                most.map(|level| level.rest_mib),
            ),
            figure(
                "memory of a warm actor",
                Wanted::AtMost(2.0),
                " KiB",
                most.map(|level| level.actor_kib),
            ),
        ]
    }

    /// Tables on the terminal.
    pub(in crate::bench) fn print(&self) {
        sheet::of(self).iter().for_each(sheet::Sheet::print);
    }

    /// What the page of the documentation shows, if it is wanted.
    pub(in crate::bench) fn write_docs(&self, machine: &[(&'static str, String)]) -> Result<()> {
        self.docs.as_deref().map_or(Ok(()), |docs| page::write(docs, self, machine))
    }
}
