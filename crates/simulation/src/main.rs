//! Runs seeds, replays one of them, plants bugs: `cargo xtask simulate --help`.

use anyhow::{Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use reminder_scheduler::planted::{self, Bug};
use reminder_simulation::many::{self, Options, Sum};
use reminder_simulation::plan::Plan;
use reminder_simulation::run::run;
use reminder_simulation::shrink::shrink;
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::time::Instant;

/// How often the count of seeds is shown, in seeds.
const SHOWN_EVERY: u64 = 1_000;
/// The same where nobody watches: a line each.
const LOGGED_EVERY: u64 = 50_000;
/// Failing seeds listed, at most.
const LISTED_MAX: usize = 20;
/// How much of a violation is shown in a table, in characters.
const SHOWN_CHARS: usize = 120;

/// Whole runs of the service in a simulated world, each a function of its seed.
#[derive(Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate", version)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  cargo xtask simulate --seeds 100000
  cargo xtask simulate --seeds 100000 --from 7000000
  cargo xtask simulate replay 4711
  cargo xtask simulate replay 11 --bug pending-overwritten
  cargo xtask simulate bugs")]
struct Cli {
    #[command(flatten)]
    many: Many,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run one seed again, shrink it if it fails, and show all that happened
    Replay(Replay),
    /// Plant each known bug and see that it is found
    Bugs(Bugs),
}

#[derive(Args)]
struct Many {
    /// How many seeds to run
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many to run at a time; as many as there are cores, unless told otherwise
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
}

#[derive(Args)]
struct Replay {
    /// The seed
    seed: u64,
    /// A bug to plant first
    #[arg(long)]
    bug: Option<Bug>,
    /// Show the run as it is, without shrinking it
    #[arg(long)]
    whole: bool,
}

#[derive(Args)]
struct Bugs {
    /// Seeds to run for each bug before it counts as not found
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// Only this one
    #[arg(long)]
    bug: Option<Bug>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        None => seeds(&cli.many),
        Some(Command::Replay(options)) => replay(&options),
        Some(Command::Bugs(options)) => bugs(&options),
    }
}

fn seeds(asked: &Many) -> Result<()> {
    let options = Options { jobs: asked.jobs, keep_going: asked.keep_going, bug: None };
    let jobs = options.jobs();
    println!("{} seeds from {} on, {jobs} at a time", asked.seeds, asked.from);
    let began = Instant::now();
    let until = asked.from.saturating_add(asked.seeds);
    let sum = many::run_all(asked.from..until, options, |sum| show(sum, asked.seeds, began));
    report(&sum, began, jobs)
}

fn show(sum: &Sum, of: u64, began: Instant) {
    let shown = |every| sum.runs.is_multiple_of(every);
    let text = || format!("{} of {of}, {:.0} a second", sum.runs, rate(sum.runs, began));
    if std::io::stdout().is_terminal() {
        if shown(SHOWN_EVERY) {
            print!("\r{} ", text());
            // Only for the eye.
            let _ = std::io::stdout().flush();
        }
    } else if shown(LOGGED_EVERY) {
        println!("{}", text());
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn rate(runs: u64, began: Instant) -> f64 {
    runs as f64 / began.elapsed().as_secs_f64()
}

fn report(sum: &Sum, began: Instant, jobs: usize) -> Result<()> {
    let Sum { runs, tally, calls, took_ms, failures } = sum;
    println!(
        "\r{runs} seeds in {:.1} s, {:.0} a second with {jobs} at a time",
        began.elapsed().as_secs_f64(),
        rate(*runs, began)
    );
    println!(
        "{} commands answered, {} refused; {} commits, {} firings, {} events, {} of them again; \
         {calls} calls, {} h of simulated time",
        tally.answered,
        tally.refused,
        tally.commits,
        tally.fired,
        tally.events,
        tally.duplicates,
        took_ms / 3_600_000
    );
    for (seed, outcome) in failures.iter().take(LISTED_MAX) {
        let what = outcome.violation.as_ref().map_or("", |violation| &violation.what);
        println!("seed {seed}: {what}\n  cargo xtask simulate replay {seed}");
    }
    ensure!(failures.is_empty(), "{} of {runs} seeds failed", failures.len());
    ensure!(tally.fired > 0, "nothing fired: the runs are about nothing");
    println!("no promise was broken");
    Ok(())
}

fn replay(options: &Replay) -> Result<()> {
    planted::plant(options.bug);
    let plan = Plan::new(options.seed);
    let outcome = run(&plan, true);
    let again = run(&plan, false);
    ensure!(outcome.digest == again.digest, "one seed went two ways: the simulation is broken");
    let (plan, outcome) = match outcome.violation {
        Some(_) if !options.whole => {
            let (smaller, tried) = shrink(plan);
            println!("shrunk, {tried} plans tried");
            let outcome = run(&smaller, true);
            (smaller, outcome)
        }
        _ => (plan, outcome),
    };
    println!("{plan:#?}");
    for line in &outcome.trace {
        println!("{line}");
    }
    println!("{:?}", outcome.tally);
    match outcome.violation {
        None => println!("no promise was broken"),
        Some(violation) => bail!("at {} ms: {}", violation.at_ms, violation.what),
    }
    Ok(())
}

fn bugs(asked: &Bugs) -> Result<()> {
    let every = Bug::value_variants();
    let mut missed = Vec::new();
    for bug in every.iter().copied().filter(|bug| asked.bug.is_none_or(|one| one == *bug)) {
        let options = Options { jobs: None, keep_going: false, bug: Some(bug) };
        let sum = many::run_all(0..asked.seeds, options, |_| {});
        let found = sum.failures.first().and_then(|(seed, outcome)| {
            let what: String = outcome.violation.as_ref()?.what.chars().take(SHOWN_CHARS).collect();
            Some(format!("seed {seed}: {what}"))
        });
        let name = format!("{bug:?}");
        println!("{name:<28} {}", found.as_deref().unwrap_or("not found"));
        if found.is_none() {
            missed.push(name);
        }
    }
    ensure!(missed.is_empty(), "not found in {} seeds: {}", asked.seeds, missed.join(", "));
    Ok(())
}
