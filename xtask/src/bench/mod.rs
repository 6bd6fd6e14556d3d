//! `cargo xtask bench`: the service beside bare Dapr ([`suite`]), and benchmarks of single parts.
//!
//! A benchmark does something on a stack that is up and gives a [`Scenario`](report::Scenario): what
//! it did, distributions made by [`samples`], and errors. Judging events is [`tally`]'s.

mod arrivals;
mod calls;
mod check;
mod console;
mod counters;
mod drain;
mod herd;
mod index;
pub(crate) mod machine;
mod memory;
mod offer;
mod overload;
mod own;
mod report;
pub(crate) mod samples;
mod sidecar;
mod suite;
mod tally;
mod tasks;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench
  cargo xtask bench --n 2000 --repetitions 1
  cargo xtask bench --json target/bench.json --write-docs
  cargo xtask bench --quick --n 200 --debug
  cargo xtask bench index --rows 1000000
  cargo xtask bench console --rows 1000000
  cargo xtask bench overload --seconds 30 --factor 2
  cargo xtask bench herd --reminders 50000
  cargo xtask bench drain --n 20000

Measures bare Dapr (an actor that does the least) and the service in turns, with the same client, on a
stack of its own that is made anew and removed afterwards; both are built with optimisations. Fails if
any reminder is lost, early, doubled or out of order, or if an operation makes more calls than it did.
The figures count on an otherwise idle machine only; ratios of one run bear a little noise.")]
pub(crate) struct Options {
    #[command(subcommand)]
    other: Option<Other>,

    #[command(flatten)]
    suite: suite::Options,
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
    /// Measure how long the pages of the console take to load, with very many tasks
    Console(console::Options),
    /// Be the actor that does the least; other benchmarks start it
    #[command(hide = true)]
    FloorApp(suite::FloorApp),
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    match &options.other {
        Some(Other::Index(options)) => index::run(options).await,
        Some(Other::Console(options)) => console::run(options).await,
        Some(Other::Overload(options)) => overload::run(options).await,
        Some(Other::Drain(options)) => drain::run(options).await,
        Some(Other::Herd(options)) => herd::run(options).await,
        Some(Other::FloorApp(options)) => suite::floor_app(options).await,
        None => suite::run(&options.suite).await,
    }
}
