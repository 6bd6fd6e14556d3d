//! `cargo xtask test`: everything that can be checked, and where the minutes go.

mod bench;
mod binaries;
mod conformity;
mod end_to_end;
mod kafka;
mod kinds;
mod mesh;
mod parse;
mod process;
mod report;
mod rest;
mod setup;
mod steps;
mod supply;
mod work;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use reminder_stack::options::workspace_root;

use self::parse::Counts;
use self::process::Log;
use self::report::{Line, State};
use self::steps::Step;
use self::work::{Outcome, Work};
use crate::session::interrupted;
use crate::ui::{self, Style, paint};

/// Where the logs of the steps go, below the workspace.
const LOG_FOLDER: &str = "target/xtask-test";

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask test                      everything
  cargo xtask test --only unit          the tests without the runtime
  cargo xtask test --skip e2e --skip demo

A step brings those along that it needs. The last line is `N passed, N failed`; a check without
tests of its own, such as the formatting, counts as one. Exits with 0 only if all is well.")]
pub(crate) struct Options {
    /// Run this step, and what it needs; can be repeated
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,

    /// Leave this step out, and what needs it; can be repeated
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<Step>,

    /// Show the steps and do nothing
    #[arg(long)]
    list: bool,

    /// Leave the stack as it is afterwards; chaos, if it is among the steps, has stopped it
    #[arg(long)]
    keep: bool,

    /// The stack to test with; it is made anew
    #[arg(long, value_name = "NAME", default_value = work::INSTANCE)]
    instance: String,
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let steps = steps::select(&options.only, &options.skip)?;
    if options.list {
        for step in steps {
            println!("{:<12} {}", step.name(), step.about());
        }
        return Ok(true);
    }
    let began = Instant::now();
    let mut work = Work::new(options.instance);
    let mut lines = Vec::new();
    let finished = tokio::select! {
        () = run_steps(&steps, &mut work, &mut lines) => true,
        () = interrupted() => false,
    };
    if !finished {
        println!("{}", paint(Style::Bad, "Interrupted: stopping what was started."));
        let rest = &steps[lines.len()..];
        // The step it was at has failed: a run that does not end well never says `0 failed`.
        lines.extend(rest.first().map(|step| interrupted_at(*step)));
        lines.extend(rest.iter().skip(1).map(|step| not_run(*step)));
    }
    let good = lines.iter().all(|line| line.state == State::Good);
    let cleaned = if options.keep { Ok(()) } else { work.finish(good).await };
    if let Err(error) = &cleaned {
        ui::failure(error);
    }
    Ok(report::print(&lines, began.elapsed()) && cleaned.is_ok())
}

async fn run_steps(steps: &[Step], work: &mut Work, lines: &mut Vec<Line>) {
    for (number, step) in steps.iter().enumerate() {
        let bad =
            |need: &Step| lines.iter().any(|line| line.step == *need && line.state != State::Good);
        if step.needs().iter().any(bad) {
            lines.push(not_run(*step));
            continue;
        }
        let title = format!("{}/{} {}", number + 1, steps.len(), step.name());
        println!("{}  {}", paint(Style::Strong, format!("{title:<18}")), step.about());
        let began = Instant::now();
        let outcome = run_step(*step, work).await;
        let took = began.elapsed();
        let Outcome { counts, failure, note } = outcome
            .unwrap_or_else(|error| Outcome::failed(Counts::default(), format!("{error:#}")));
        let state = failure.map_or(State::Good, State::Failed);
        let result = match &state {
            State::Failed(why) => paint(Style::Bad, format!("FAILED: {why}")),
            _ => paint(Style::Good, "ok"),
        };
        let said = note.as_ref().map_or_else(String::new, |note| format!(", {note}"));
        println!(
            "      {result}{said} {}",
            paint(Style::Quiet, format!("({})", ui::seconds(took)))
        );
        lines.push(Line { step: *step, state, took, counts, note });
    }
}

async fn run_step(step: Step, work: &mut Work) -> Result<Outcome> {
    let log = Log::create(workspace_root().join(LOG_FOLDER).join(format!("{}.log", step.name())))?;
    work.step(step, &log).await
}

fn not_run(step: Step) -> Line {
    let counts = Counts::default();
    Line { step, state: State::NotRun, took: Duration::ZERO, counts, note: None }
}

fn interrupted_at(step: Step) -> Line {
    let state = State::Failed("interrupted".to_owned());
    Line { state, counts: Counts::check(false), ..not_run(step) }
}
