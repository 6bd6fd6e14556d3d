//! Runs seeds, replays one of them, plants bugs: `cargo xtask simulate --help`.

use anyhow::{Result, bail, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use reminder_scheduler::planted::{self, Bug};
use reminder_simulation::plan::Plan;
use reminder_simulation::run::{Outcome, run};
use reminder_simulation::shrink::shrink;
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// How often the count of seeds is shown, in seeds.
const SHOWN_EVERY: u64 = 1_000;
/// Failing seeds listed, at most.
const LISTED_MAX: usize = 20;

/// Whole runs of the service in a simulated world, each a function of its seed.
#[derive(Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run many seeds, on all cores
    Seeds(Seeds),
    /// Run one seed again, shrink it if it fails, and show all that happened
    Replay(Replay),
    /// Plant each known bug and see that it is found
    Bugs(Bugs),
}

#[derive(Args)]
struct Seeds {
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
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// Only this one
    #[arg(long)]
    bug: Option<Bug>,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Seeds(options) => seeds(&options),
        Command::Replay(options) => replay(&options),
        Command::Bugs(options) => bugs(&options),
    }
}

#[derive(Default)]
struct Sum {
    runs: u64,
    calls: u64,
    fired: u64,
    commits: u64,
    answered: u64,
    virtual_ms: i64,
    failures: Vec<(u64, Outcome)>,
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.runs += 1;
        self.calls += outcome.calls;
        self.fired += outcome.tally.fired;
        self.commits += outcome.tally.commits;
        self.answered += outcome.tally.answered;
        self.virtual_ms += outcome.took_ms;
        if outcome.violation.is_some() {
            self.failures.push((seed, outcome));
        }
    }
}

fn seeds(options: &Seeds) -> Result<()> {
    let jobs = options.jobs.or_else(|| std::thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    println!("{} seeds from {} on, {jobs} at a time", options.seeds, options.from);
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (sum, began) = (Mutex::new(Sum::default()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= options.seeds || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let seed = options.from + n;
                    let outcome = run(&Plan::new(seed), false);
                    stop.fetch_or(
                        outcome.violation.is_some() && !options.keep_going,
                        Ordering::Relaxed,
                    );
                    let mut sum = sum.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    sum.add(seed, outcome);
                    show(&sum, options.seeds, began);
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report(&sum, began, jobs)
}

fn show(sum: &Sum, of: u64, began: Instant) {
    if sum.runs.is_multiple_of(SHOWN_EVERY) && std::io::stdout().is_terminal() {
        print!("\r{} of {of}, {:.0} a second ", sum.runs, rate(sum.runs, began));
        // Only for the eye.
        let _ = std::io::stdout().flush();
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn rate(runs: u64, began: Instant) -> f64 {
    runs as f64 / began.elapsed().as_secs_f64()
}

fn report(sum: &Sum, began: Instant, jobs: usize) -> Result<()> {
    let Sum { runs, calls, fired, commits, answered, virtual_ms, failures } = sum;
    println!(
        "\r{runs} seeds in {:.1} s, {:.0} a second with {jobs} at a time",
        began.elapsed().as_secs_f64(),
        rate(*runs, began)
    );
    println!(
        "{answered} commands answered, {commits} commits, {fired} firings, {calls} calls, {} h of simulated time",
        virtual_ms / 3_600_000
    );
    for (seed, outcome) in failures.iter().take(LISTED_MAX) {
        let what = outcome.violation.as_ref().map_or("", |violation| &violation.what);
        println!("seed {seed}: {what}\n  cargo xtask simulate replay {seed}");
    }
    ensure!(failures.is_empty(), "{} of {runs} seeds failed", failures.len());
    ensure!(*fired > 0, "nothing fired: the runs are about nothing");
    println!("no promise was broken");
    Ok(())
}

fn replay(options: &Replay) -> Result<()> {
    planted::plant(options.bug);
    let plan = Plan::new(options.seed);
    let outcome = run(&plan, true);
    let again = run(&plan, false);
    ensure!(
        outcome.digest == again.digest,
        "the same seed went two ways: the simulation is broken"
    );
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

fn bugs(options: &Bugs) -> Result<()> {
    let all: Vec<Bug> = match options.bug {
        Some(bug) => vec![bug],
        None => Bug::value_variants().to_vec(),
    };
    let mut missed = Vec::new();
    for bug in all {
        planted::plant(Some(bug));
        let found = (0..options.seeds).find_map(|seed| {
            let violation = run(&Plan::new(seed), false).violation?;
            Some((seed, violation))
        });
        planted::plant(None);
        match found {
            Some((seed, violation)) => {
                println!(
                    "{bug:?}: seed {seed}: {}",
                    violation.what.chars().take(150).collect::<String>()
                );
            }
            None => {
                println!("{bug:?}: not found");
                missed.push(format!("{bug:?}"));
            }
        }
    }
    ensure!(missed.is_empty(), "not found in {} seeds: {}", options.seeds, missed.join(", "));
    Ok(())
}
