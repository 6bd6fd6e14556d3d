//! `cargo xtask bench`: the service beside bare Dapr, in one run on one stack.
//!
//! ```text
//! floor, floor_app   an actor that does the least, with a sidecar of its own
//! client, subject    the same calls to both, in a closed and an open loop
//! schedule, fire     what is measured, repetition by repetition, each side after the other
//! operations, calls  how many calls each part gets for one operation
//! usage              what each process takes
//! growth             the same with up to a million tasks pending
//! storms             changes, recurring tasks, cold ones, and all of it mixed
//! in_memory          without a broker
//! replicas           two and three of them on this machine
//! peers              what a user would pick instead
//! spread, targets, outcome  what comes of it: ratios, and whether they are reached
//! sheet, plot, page  for people
//! ```

mod calls;
mod client;
mod fire;
mod floor;
mod floor_app;
mod growth;
mod in_memory;
mod operations;
mod outcome;
mod page;
mod peers;
mod plot;
mod replicas;
mod schedule;
mod sheet;
mod spread;
mod stage;
mod storms;
mod subject;
mod targets;
mod usage;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use reminder_stack::Manifest;

pub(super) use self::client::{Bound, Job, Protocol, closed};
use self::fire::Firing;
pub(super) use self::floor::Floor;
pub(super) use self::floor_app::{
    ACTOR_TYPE as FLOOR_ACTOR, Options as FloorApp, serve as floor_app,
};
use self::growth::Growth;
pub(super) use self::outcome::Suite;
use self::peers::Peers;
use self::schedule::Scheduling;
use self::stage::{Plan, Stage};
use self::subject::{ARM_HORIZON, Side, Work};
use super::own::Own;
use super::report::{Found, Scenario};

/// A percentile far out depends on what else happens in some seconds: of fewer pairs, the middle means little.
const PAIRS_LEAST: usize = 5;

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

    /// Seconds for which a rate is held; half of the saturation, six times as long
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    hold: u32,

    /// Measure with 10,000, 100,000 and very many pending tasks as well
    #[arg(long)]
    long: bool,

    /// How many these are
    #[arg(long, value_name = "N", default_value_t = 1_000_000, requires = "long", value_parser = clap::value_parser!(u64).range(10_000..))]
    pending: u64,

    /// Only what shows that nothing is lost and no call too many is made; its figures mean little
    #[arg(long)]
    quick: bool,

    /// Measure what a user would pick instead as well, by the harnesses in this folder
    #[arg(long, value_name = "FOLDER")]
    peers: Option<PathBuf>,

    /// Only this peer; can be repeated: restate, restate-rust, db-scheduler, river, graphile-worker
    #[arg(long, value_name = "NAME", requires = "peers")]
    peer: Vec<String>,

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
            let loads = vec![0.1, 0.25, 0.5, 0.75, 0.9, 1.1];
            (vec![Protocol::Http, Protocol::Grpc], vec![1, 16, 64, 256], loads)
        };
        let (n, repetitions) = (self.n as usize, self.repetitions as usize);
        let half = if self.quick { hold } else { hold * 6 };
        let pairs = if self.quick { 1 } else { repetitions.max(PAIRS_LEAST) };
        Plan { n, repetitions, pairs, protocols, concurrencies, hold, half, loads }
    }
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    let settings = [("ARM_HORIZON", ARM_HORIZON.to_owned())];
    let work = async |manifest: &Manifest| Box::pin(measure(manifest, options)).await;
    options.own.measure(&settings, work).await
}

async fn measure(manifest: &Manifest, options: &Options) -> Result<Found> {
    let stage = Stage::set(manifest, options.plan()).await?;
    let (n, repetitions) = (stage.plan.n, stage.plan.repetitions);
    let mut peers = match &options.peers {
        Some(folder) => Some(Peers::find(folder, &options.peer, manifest).await?),
        None => None,
    };
    println!("Warming up …");
    schedule::warm_up(&stage).await?;
    let (mut scheduling, mut firing) = (Scheduling::default(), Firing::default());
    for number in 1..=repetitions {
        println!("Repetition {number} of {repetitions}: scheduling …");
        schedule::repetition(&stage, &mut scheduling).await?;
        println!("Repetition {number} of {repetitions}: firing {n} in one instant …");
        let rate = |side| scheduling.rate(side, Work::Near);
        fire::repetition(&stage, &mut firing, rate).await?;
        if let Some(peers) = &mut peers {
            println!("Repetition {number} of {repetitions}: peers …");
            peers.repetition(n).await;
            let hold = Duration::from_secs(peers::seconds(n) as u64);
            let ours = (Side::Ours, peers::RATE);
            peers.ours.push(fire::space(&stage, &mut firing, ours, hold, rate).await?);
        }
    }
    println!("Latency at one rate …");
    schedule::paced(&stage, &mut scheduling).await?;
    println!("Lateness at {} rates …", stage.plan.loads.len() + 1);
    fire::lateness(&stage, &mut firing, |side| scheduling.rate(side, Work::Near)).await?;
    println!("Counting calls …");
    let operations = operations::all(&stage).await?;
    let (loads, crews, wrong) = if options.quick {
        (Vec::new(), Vec::new(), Vec::new())
    } else {
        println!("Changes at once, recurring, cold and mixed …");
        let near = scheduling.rate(Side::Ours, Work::Near).context("nothing was scheduled")?;
        let (mut loads, mut wrong) = storms::all(&stage, near).await?;
        println!("Without a broker …");
        let (more, also) = in_memory::all(&stage).await?;
        loads.extend(more);
        wrong.extend(also);
        println!("One, two and three replicas …");
        let (crews, also) = replicas::all(&stage, near).await?;
        wrong.extend(also);
        (loads, crews, wrong)
    };
    let growth = if options.long {
        println!("Growth …");
        let near = scheduling.rate(Side::Ours, Work::Near).context("nothing was scheduled")?;
        growth::all(&stage, &mut firing, options.pending, near).await?
    } else {
        Growth::default()
    };
    stage.floor.stop().await?;

    let worse = operations.iter().flat_map(|operation| {
        let name = operation.name;
        operation.worse.iter().map(move |worse| format!("to {name}: {worse}"))
    });
    let mut errors: Vec<String> = worse.collect();
    errors.extend(scheduling.errors.iter().chain(&firing.errors).cloned());
    errors.extend(wrong);
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
    let mut suite = Suite::of((n, repetitions), scheduling, firing, operations);
    (suite.loads, suite.crews, suite.growth) = (loads, crews, growth);
    (suite.peers, suite.docs) = (peers, docs);
    suite.targets = suite.judge();
    Ok(Found { scenarios: vec![scenario], suite: Some(suite) })
}
