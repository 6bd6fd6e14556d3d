//! `cargo xtask bench`: how fast commands are answered and how late reminders fire.
//!
//! A scenario does something on a stack that is up and gives a [`Scenario`](report::Scenario): what
//! it did, distributions made by [`samples`], and errors. Judging events is [`tally`]'s. To add a
//! scenario, write a module that gives one, and a line in [`measure`].

mod arrivals;
mod calls;
mod check;
mod commands;
mod counters;
mod drain;
mod firing;
mod herd;
mod index;
pub(crate) mod machine;
mod memory;
mod offer;
mod overload;
mod own;
mod probe_actor;
mod report;
pub(crate) mod samples;
mod sidecar;
mod tally;
mod tasks;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use reminder_stack::Manifest;

use self::commands::Due;
use self::firing::Load;
use self::own::Own;
use self::report::Scenario;
use crate::api::Address;

/// What makes a task far; the service's own default, written out so that a change of it is seen.
const ARM_HORIZON: (&str, &str) = ("ARM_HORIZON", "1h");

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench
  cargo xtask bench index --rows 1000000
  cargo xtask bench overload --seconds 30 --factor 2
  cargo xtask bench herd --reminders 50000
  cargo xtask bench drain --n 20000
  cargo xtask bench --json target/bench.json
  cargo xtask bench --reminders 5000 --span 50

Runs on a stack of its own with an optimised service, made anew and removed afterwards. Fails if any
reminder is lost, early, doubled or out of order. The figures count on an otherwise idle machine only.")]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,

    /// Commands of each kind, one after the other
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    commands: u32,

    /// Reminders to fire
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    reminders: u32,

    /// Seconds over which they are spread
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    span: u32,

    #[command(flatten)]
    own: Own,
}

/// Benchmarks of single parts.
#[derive(Subcommand)]
enum Other {
    /// Offer more commands than can be done, and see that what is answered is kept
    Overload(overload::Options),
    /// Follow a backlog of events, beside what bare Dapr does
    Drain(drain::Options),
    /// Fire very many reminders that are due in the same second
    Herd(herd::Options),
    /// Measure the questions of the audit and the cost of a commit, with very many tasks
    Index(index::Options),
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    match &options.other {
        Some(Other::Index(options)) => return index::run(options).await,
        Some(Other::Overload(options)) => return overload::run(options).await,
        Some(Other::Drain(options)) => return drain::run(options).await,
        Some(Other::Herd(options)) => return herd::run(options).await,
        None => {}
    }
    let (variable, value) = ARM_HORIZON;
    let settings = [(variable, value.to_owned())];
    options.own.measure(&settings, async |manifest| measure(manifest, &options).await).await
}

async fn measure(manifest: &Manifest, options: &Options) -> Result<Vec<Scenario>> {
    let address = Address::of(manifest)?;
    let broker = manifest.kafka_access()?.context("the benchmark needs Kafka")?;
    let mut scenarios = Vec::new();
    for due in [Due::Far, Due::Near] {
        scenarios.push(commands::run(&address, due, options.commands as usize).await?);
    }
    let span = Duration::from_secs(options.span.into());
    let load = Load { reminders: options.reminders as usize, span };
    println!("Firing {} reminders over {} s …", options.reminders, options.span);
    scenarios.push(firing::run(&address, broker, load).await?);
    Ok(scenarios)
}
