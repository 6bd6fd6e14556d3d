//! `cargo xtask bench`: how fast commands are answered and how late reminders fire.
//!
//! A scenario does something on a stack that is up and gives a [`Scenario`](report::Scenario): what
//! it did, distributions made by [`samples`], and errors. Judging events is [`tally`]'s. To add a
//! scenario, write a module that gives one, and a line in [`measure`].

mod commands;
mod firing;
mod index;
pub(crate) mod machine;
mod report;
pub(crate) mod samples;
mod tally;
mod tasks;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use reminder_stack::options::instance_dir;
use reminder_stack::{AppSource, Stack};

use self::commands::Due;
use self::firing::Load;
use self::machine::Machine;
use self::report::Report;
use crate::api::Address;
use crate::session::{Session, is_running};
use crate::ui;

/// What makes a task far; the service's own default, written out so that a change of it is seen.
const ARM_HORIZON: (&str, &str) = ("ARM_HORIZON", "1h");

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask bench
  cargo xtask bench index --rows 1000000
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

    /// Write the report as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Build the service without optimisations
    #[arg(long)]
    debug: bool,

    /// Leave the stack running afterwards
    #[arg(long)]
    keep: bool,

    /// The stack to measure with; it is made anew
    #[arg(long, value_name = "NAME", default_value = "bench")]
    instance: String,
}

/// Benchmarks of single parts.
#[derive(Subcommand)]
enum Other {
    /// Measure the questions of the audit and the cost of a commit, with very many tasks
    Index(index::Options),
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    if let Some(Other::Index(options)) = &options.other {
        return index::run(options).await;
    }
    let name = &options.instance;
    let (variable, value) = ARM_HORIZON;
    let stack_options = reminder_stack::Options {
        app: AppSource::Cargo { release: !options.debug },
        app_env: [(variable.to_owned(), value.to_owned())].into(),
        ..reminder_stack::Options::instance(name.clone())
    };
    ensure!(
        !is_running(&stack_options),
        "the stack `{name}` runs already: stop it with `cargo xtask down --instance {name}`"
    );
    let dir = instance_dir(&stack_options.root, name);
    if let Ok(old) = Stack::load(&dir) {
        old.remove().await?;
    }
    let session = Session::up(stack_options).await?;
    let measured = session.run(measure(session.stack(), &options)).await;
    if options.keep {
        println!(
            "The stack `{name}` keeps running; `cargo xtask down --instance {name} --clean` removes it."
        );
    } else {
        session.stack().clone().with_progress(ui::progress()).remove().await?;
    }
    let report = measured?;
    report.print();
    if let Some(path) = &options.json {
        let json = serde_json::to_vec_pretty(&report)?;
        fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.is_good())
}

async fn measure(stack: &Stack, options: &Options) -> Result<Report> {
    let manifest = stack.manifest()?;
    let address = Address::of(&manifest)?;
    let bootstrap = manifest.kafka_bootstrap().context("the benchmark needs Kafka")?;
    let mut machine = Machine::of(&manifest, !options.debug);
    let mut scenarios = Vec::new();
    for due in [Due::Far, Due::Near] {
        scenarios.push(commands::run(&address, due, options.commands as usize).await?);
    }
    let span = Duration::from_secs(options.span.into());
    let load = Load { reminders: options.reminders as usize, span };
    println!("Firing {} reminders over {} s …", options.reminders, options.span);
    scenarios.push(firing::run(&address, &bootstrap, load).await?);
    machine.finish();
    Ok(Report { machine, scenarios })
}
