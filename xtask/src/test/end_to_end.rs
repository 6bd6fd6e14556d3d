//! The end-to-end tests in two halves, each on a stack of its own: those that break parts have their
//! stack for themselves, and wait most of the time.

use std::time::Duration;

use anyhow::Result;

use super::binaries::{outcome, run, together};
use super::parse::{self, Binary};
use super::process::{self, Log};
use super::setup;
use super::work::Outcome;

/// Names the stack for tests that need one.
const INSTANCE_VARIABLE: &str = "E2E_INSTANCE";

/// They wait most of the time, so many of them run at once.
const THREADS: &str = "16";

/// Limits that only something stuck reaches, on a slow machine.
const LIST_DEADLINE: Duration = Duration::from_secs(60);
const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Tests that come after all others, by how they are called: once there was a purge, every new task has
/// other numbers than the first ones, which others look at.
const LAST: &str = "retention::";

/// Runs each test once, on one of two stacks.
pub(super) async fn halves(binary: &Binary, stacks: [&str; 2], log: &Log) -> Result<Outcome> {
    setup::jq(log).await?;
    let mut list = run(binary);
    list.args(["--list", "--format", "terse"]);
    let listed = process::run(list, log, LIST_DEADLINE).await?;
    let names = parse::listed(listed.lines.iter().map(String::as_str));
    let (purges, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| name.starts_with(LAST));
    let on = async |stack: &str, names: Vec<&str>, log: &Log| {
        let mut command = run(binary);
        command.env(INSTANCE_VARIABLE, stack).env("RUST_TEST_THREADS", THREADS);
        command.arg("--exact").args(names);
        outcome(&format!("e2e, on {stack}"), command, log, DEADLINE).await
    };
    // Neighbours are alike: taking turns makes the halves take as long as each other.
    let half = |number: usize| others.iter().copied().skip(number).step_by(stacks.len()).collect();
    let second_log = Log::create(log.path().with_extension("2.log"))?;
    let (one, other) =
        tokio::try_join!(on(stacks[0], half(0), log), on(stacks[1], half(1), &second_log))?;
    let last_log = Log::create(log.path().with_extension("last.log"))?;
    let after = on(stacks[1], purges, &last_log).await?;
    let counts = one.0.plus(other.0).plus(after.0);
    let mut failed: Vec<String> = [one.1, other.1, after.1].into_iter().flatten().collect();
    if failed.is_empty() && counts.passed + counts.ignored != names.len() {
        failed.push(format!("{} tests are listed, and {} have run", names.len(), counts.passed));
    }
    Ok(together(counts, &failed))
}
