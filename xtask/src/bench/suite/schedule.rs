//! Scheduling: throughput in a closed loop for each protocol, concurrency and kind, and latency in an
//! open loop at the same rate for both sides.

use anyhow::{Context, Result};
use serde::Serialize;

use super::client::{Bound, Protocol, open};
use super::spread::Spread;
use super::stage::{CELL_MAX, Stage};
use super::subject::{Side, Work, job};
use super::usage::{Parts, Used};
use crate::bench::samples::{Samples, Summary};
use crate::bench::tally::shown;
use crate::bench::tasks::Names;

/// The cell that the targets are about.
pub(super) const REFERENCE: (Protocol, usize) = (Protocol::Http, 64);
/// Of the others, as many calls as this part of the reference's.
const OTHERS_DIVISOR: usize = 4;
/// Calls of each kind before all measured ones.
const WARM_UP: usize = 500;
const WARM_UP_CALLERS: usize = 16;
/// The rate for latency, as a share of what the slower side can do.
const PACE: f64 = 0.5;

/// One side under one load, all repetitions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Cell {
    pub(in crate::bench) side: Side,
    pub(in crate::bench) work: Work,
    pub(in crate::bench) protocol: Protocol,
    pub(in crate::bench) concurrency: usize,
    /// By repetition; ours counts until the events are in the broker.
    pub(in crate::bench) per_second: Vec<f64>,
    /// The same until the calls are answered.
    pub(in crate::bench) answered_per_second: Vec<f64>,
    pub(in crate::bench) latency: Option<Summary>,
    /// Of the last repetition.
    pub(in crate::bench) used: Vec<Used>,
    #[serde(skip)]
    samples: Samples,
}

/// One side at a fixed rate, all repetitions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Paced {
    pub(in crate::bench) side: Side,
    pub(in crate::bench) work: Work,
    pub(in crate::bench) rate: f64,
    pub(in crate::bench) latency: Option<Summary>,
    /// Calls that were refused since too many waited, and made again when the service said.
    pub(in crate::bench) repeated: usize,
    /// By repetition.
    pub(in crate::bench) p99_ms: Vec<f64>,
    #[serde(skip)]
    samples: Samples,
}

/// All of it.
#[derive(Debug, Default, Serialize)]
pub(in crate::bench) struct Scheduling {
    pub(in crate::bench) cells: Vec<Cell>,
    pub(in crate::bench) paced: Vec<Paced>,
    #[serde(skip)]
    pub(in crate::bench) errors: Vec<String>,
}

impl Scheduling {
    pub(super) fn cell(&self, side: Side, work: Work, load: (Protocol, usize)) -> Option<&Cell> {
        let found = |cell: &&Cell| {
            (cell.side, cell.work, (cell.protocol, cell.concurrency)) == (side, work, load)
        };
        self.cells.iter().find(found)
    }

    /// The median rate at the reference.
    pub(super) fn rate(&self, side: Side, work: Work) -> Option<f64> {
        Some(Spread::of(&self.cell(side, work, REFERENCE)?.per_second)?.median)
    }

    /// Ours divided by the floor at the reference.
    pub(super) fn ratio(&self, work: Work) -> Option<Spread> {
        let of = |side| Some(&self.cell(side, work, REFERENCE)?.per_second);
        Spread::ratio(of(Side::Ours)?, of(Side::Floor)?)
    }

    /// The same of the 99th percentile of latency at the same rate.
    pub(super) fn p99_ratio(&self, work: Work) -> Option<Spread> {
        let of = |side| self.paced.iter().find(|paced| (paced.side, paced.work) == (side, work));
        Spread::ratio(&of(Side::Ours)?.p99_ms, &of(Side::Floor)?.p99_ms)
    }
}

/// Everything before the first measurement.
pub(super) async fn warm_up(stage: &Stage<'_>) -> Result<()> {
    let bound = Bound { count: WARM_UP.min(stage.plan.n), within: CELL_MAX };
    for side in Side::BOTH {
        for work in [Work::Far, Work::Near] {
            for protocol in &stage.plan.protocols {
                stage.schedule((side, work), *protocol, WARM_UP_CALLERS, bound).await?;
            }
        }
    }
    Ok(())
}

/// One repetition of all cells, each side after the other.
pub(super) async fn repetition(stage: &Stage<'_>, all: &mut Scheduling) -> Result<()> {
    for protocol in &stage.plan.protocols {
        for concurrency in &stage.plan.concurrencies {
            let load = (*protocol, *concurrency);
            if load == REFERENCE {
                cell(stage, all, (Side::Floor, Work::Noop), load).await?;
            }
            for work in [Work::Far, Work::Near] {
                for side in Side::BOTH {
                    cell(stage, all, (side, work), load).await?;
                }
            }
        }
    }
    Ok(())
}

async fn cell(
    stage: &Stage<'_>,
    all: &mut Scheduling,
    (side, work): (Side, Work),
    (protocol, concurrency): (Protocol, usize),
) -> Result<()> {
    let n = stage.plan.n;
    let is_reference = (protocol, concurrency) == REFERENCE;
    let count = if is_reference { n } else { n.div_ceil(OTHERS_DIVISOR) };
    let parts = Parts::of(side, stage.manifest, &stage.floor);
    let before = parts.now();
    let bound = Bound { count, within: CELL_MAX };
    let mut done = stage.schedule((side, work), protocol, concurrency, bound).await?;
    let used = if is_reference { parts.since(&before, done.count) } else { Vec::new() };
    let known = all.cells.iter().position(|cell| {
        (cell.side, cell.work, cell.protocol, cell.concurrency)
            == (side, work, protocol, concurrency)
    });
    let index = known.unwrap_or(all.cells.len());
    if known.is_none() {
        let empty = (Vec::new(), Vec::new(), Samples::default());
        let (per_second, answered_per_second, samples) = empty;
        let used = Vec::new();
        let latency = None;
        all.cells.push(Cell {
            side,
            work,
            protocol,
            concurrency,
            per_second,
            answered_per_second,
            latency,
            used,
            samples,
        });
    }
    let cell = &mut all.cells[index];
    cell.per_second.push(done.per_second);
    cell.answered_per_second.push(done.answered_per_second);
    cell.samples.append(&mut done.samples);
    cell.latency = cell.samples.summary();
    cell.used = used;
    all.errors.append(&mut done.errors);
    Ok(())
}

/// Latency at one rate for both sides, after the throughput is known.
pub(super) async fn paced(stage: &Stage<'_>, all: &mut Scheduling) -> Result<()> {
    for _ in 0..stage.plan.pairs {
        for work in [Work::Far, Work::Near] {
            let rates = Side::BOTH.map(|side| all.rate(side, work));
            let [floor, ours] = rates.map(|rate| rate.context("the throughput is not known"));
            let rate = floor?.min(ours?) * PACE;
            for side in Side::BOTH {
                pace(stage, all, (side, work), rate).await?;
            }
        }
    }
    Ok(())
}

async fn pace(
    stage: &Stage<'_>,
    all: &mut Scheduling,
    (side, work): (Side, Work),
    rate: f64,
) -> Result<()> {
    let names = Names::new(&format!("{}-{}-paced", side.name(), work.name()));
    let count = count_of(rate, stage.plan.hold);
    let make = |number| job(side, work, &names, number, work.due());
    let mut done = open(&stage.target(side)?, REFERENCE.0, rate, count, make).await?;
    if side == Side::Ours {
        stage.published().await?;
    }
    all.errors.extend(shown(&done.errors));
    let p99 = done.samples.summary().context("no call was answered")?.p99_ms;
    let known = all.paced.iter().position(|paced| (paced.side, paced.work) == (side, work));
    let index = known.unwrap_or(all.paced.len());
    if known.is_none() {
        let (p99_ms, samples) = (Vec::new(), Samples::default());
        all.paced.push(Paced { side, work, rate, latency: None, repeated: 0, p99_ms, samples });
    }
    let paced = &mut all.paced[index];
    paced.p99_ms.push(p99);
    paced.repeated += done.repeated;
    paced.samples.append(&mut done.samples);
    paced.latency = paced.samples.summary();
    Ok(())
}

/// How many make this rate for so long.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
pub(super) fn count_of(rate: f64, hold: std::time::Duration) -> usize {
    (rate * hold.as_secs_f64()).ceil().max(1.0) as usize
}
