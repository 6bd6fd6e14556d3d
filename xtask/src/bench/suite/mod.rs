//! `cargo xtask bench`: the service beside bare Dapr, in one run on one stack.
//!
//! ```text
//! floor, floor_app   an actor that does the least, with a sidecar of its own
//! client, subject    the same calls to both, in a closed and an open loop
//! schedule, fire     what is measured, repetition by repetition, each side after the other
//! operations, calls  how many calls each part gets for one operation
//! usage              what each process takes
//! spread, targets    what comes of it: ratios, and whether they are reached
//! sheet, plot, page  for people
//! ```

mod calls;
mod client;
mod fire;
mod floor;
mod floor_app;
mod operations;
mod page;
mod plot;
mod schedule;
mod sheet;
mod spread;
mod stage;
mod subject;
mod targets;
mod usage;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use reminder_stack::Manifest;
use serde::Serialize;

pub(super) use self::client::{Bound, Job, Protocol, closed};
use self::fire::Firing;
pub(super) use self::floor::Floor;
pub(super) use self::floor_app::{
    ACTOR_TYPE as FLOOR_ACTOR, Options as FloorApp, serve as floor_app,
};
use self::operations::Operation;
use self::schedule::Scheduling;
use self::spread::Spread;
use self::stage::{Plan, Stage};
use self::subject::{ARM_HORIZON, Work};
use self::targets::{Target, Wanted};
use super::own::Own;
use super::report::{Found, Scenario};

#[derive(Args)]
// Its name is that of the whole command's as well, and clap groups arguments by name.
#[group(skip)]
pub(super) struct Options {
    /// Reminders of each measurement at the reference, 64 callers over HTTP
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(50..))]
    n: u32,

    /// How often each measurement is repeated, floor and service in turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,

    /// Seconds for which a rate is held; half of what can be done, six times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    hold: u32,

    /// Only what shows that nothing is lost and no call too many is made; its figures mean little
    #[arg(long)]
    quick: bool,

    /// Write the tables and plots of this run into docs/performance.md and beside it
    #[arg(long)]
    write_docs: bool,

    #[command(flatten)]
    pub(super) own: Own,
}

impl Options {
    fn plan(&self) -> Plan {
        let hold = Duration::from_secs(self.hold.into());
        let (protocols, concurrencies, loads) = if self.quick {
            (vec![Protocol::Http], vec![64], vec![])
        } else {
            let loads = vec![0.1, 0.25, 0.5, 0.75, 0.9];
            (vec![Protocol::Http, Protocol::Grpc], vec![1, 16, 64, 256], loads)
        };
        let (n, repetitions) = (self.n as usize, self.repetitions as usize);
        let half = if self.quick { hold } else { hold * 6 };
        Plan { n, repetitions, protocols, concurrencies, hold, half, loads }
    }
}

/// What a run has shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Suite {
    n: usize,
    repetitions: usize,
    /// Ours divided by the floor.
    ratios: BTreeMap<&'static str, Spread>,
    /// The same of the 99th percentile of latency, at the same rate.
    p99_ratios: BTreeMap<&'static str, Spread>,
    targets: Vec<Target>,
    scheduling: Scheduling,
    firing: Firing,
    operations: Vec<Operation>,
    #[serde(skip)]
    docs: Option<PathBuf>,
}

/// The names of the ratios.
const SCHEDULE_FAR: &str = "schedule_far";
const SCHEDULE_NEAR: &str = "schedule_near";
const FIRE: &str = "fire";

pub(super) async fn run(options: &Options) -> Result<bool> {
    let settings = [("ARM_HORIZON", ARM_HORIZON.to_owned())];
    let work = async |manifest: &Manifest| Box::pin(measure(manifest, options)).await;
    options.own.measure(&settings, work).await
}

async fn measure(manifest: &Manifest, options: &Options) -> Result<Found> {
    let stage = Stage::set(manifest, options.plan()).await?;
    let (n, repetitions) = (stage.plan.n, stage.plan.repetitions);
    println!("Warming up …");
    schedule::warm_up(&stage).await?;
    let (mut scheduling, mut firing) = (Scheduling::default(), Firing::default());
    for number in 1..=repetitions {
        println!("Repetition {number} of {repetitions}: scheduling …");
        schedule::repetition(&stage, &mut scheduling).await?;
        println!("Repetition {number} of {repetitions}: firing {n} in one instant …");
        let rate = |side| scheduling.rate(side, Work::Near);
        fire::repetition(&stage, &mut firing, rate).await?;
    }
    println!("Latency at one rate …");
    schedule::paced(&stage, &mut scheduling).await?;
    println!("Lateness at {} rates …", stage.plan.loads.len() + 1);
    fire::lateness(&stage, &mut firing, |side| scheduling.rate(side, Work::Near)).await?;
    println!("Counting calls …");
    let operations = operations::all(&stage).await?;
    stage.floor.stop().await?;

    let worse = operations.iter().flat_map(|operation| {
        let name = operation.name;
        operation.worse.iter().map(move |worse| format!("to {name}: {worse}"))
    });
    let mut errors: Vec<String> = worse.collect();
    errors.extend(scheduling.errors.iter().chain(&firing.errors).cloned());
    let scenario = Scenario {
        name: "suite".into(),
        setup: format!(
            "{n} reminders of each kind, {repetitions} repetitions, floor and ours in turns"
        ),
        measures: Vec::new(),
        notes: Vec::new(),
        errors,
    };
    let docs = options.write_docs.then(|| manifest.options.root.join("docs"));
    let suite = Suite::of((n, repetitions), scheduling, firing, operations, docs);
    Ok(Found { scenarios: vec![scenario], suite: Some(suite) })
}

impl Suite {
    fn of(
        (n, repetitions): (usize, usize),
        scheduling: Scheduling,
        firing: Firing,
        operations: Vec<Operation>,
        docs: Option<PathBuf>,
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
        let mut suite = Self {
            n,
            repetitions,
            ratios: known(&throughput),
            p99_ratios: known(&latency),
            targets: Vec::new(),
            scheduling,
            firing,
            operations,
            docs,
        };
        suite.targets = suite.judge();
        suite
    }

    fn judge(&self) -> Vec<Target> {
        let ratio = |name| self.ratios.get(name).copied();
        let p99 = |name| self.p99_ratios.get(name).copied();
        let half = self.firing.half.as_ref().and_then(|half| half.begun);
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
                "lateness p50 at half of saturation",
                Wanted::AtMost(5.0),
                " ms",
                half.map(|late| late.p50_ms),
            ),
            targets::figure(
                "lateness p99 at half of saturation",
                Wanted::AtMost(16.0),
                " ms",
                half.map(|late| late.p99_ms),
            ),
        ];
        targets.extend(self.operations.iter().map(targets::calls));
        targets
    }

    /// Tables on the terminal.
    pub(super) fn print(&self) {
        sheet::of(self).iter().for_each(sheet::Sheet::print);
    }

    /// What the page of the documentation shows, if it is wanted.
    pub(super) fn write_docs(&self, machine: &[(&'static str, String)]) -> Result<()> {
        self.docs.as_deref().map_or(Ok(()), |docs| page::write(docs, self, machine))
    }
}
