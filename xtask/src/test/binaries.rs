//! Running test binaries, and telling how they went.

use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;

use super::parse::{self, Binary, Counts};
use super::process::{self, Log};
use super::work::Outcome;

/// Lines of output shown of a step that fails.
const SHOWN_LINES: usize = 60;

/// A test binary as cargo would run it. A failed test says where it failed; the frames above it would
/// leave no room for what it says.
pub(super) fn run(binary: &Binary) -> Command {
    let mut command = Command::new(&binary.path);
    command.env("RUST_BACKTRACE", "0");
    command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    command
}

/// Runs tests and tells how they went; what failed, by name.
pub(super) async fn outcome(
    name: &str,
    command: Command,
    log: &Log,
    limit: Duration,
) -> Result<(Counts, Option<String>)> {
    let ended = process::run(command, log, limit).await?;
    let lines = || ended.lines.iter().map(String::as_str);
    let counts = parse::counts(lines()).unwrap_or_default().or_failure(ended.good);
    println!("      {name:<24} {} passed, {} failed", counts.passed, counts.failed);
    if counts.failed == 0 {
        return Ok((counts, None));
    }
    show(log);
    let names = parse::failures(lines());
    let names = if names.is_empty() { ended.how.clone() } else { names.join(", ") };
    Ok((counts, Some(format!("{name}: {names}"))))
}

/// The outcome of all of them.
pub(super) fn together(counts: Counts, failed: &[String]) -> Outcome {
    if failed.is_empty() { Outcome::of(counts) } else { Outcome::failed(counts, failed.join("; ")) }
}

/// Shows how a log ends.
pub(super) fn show(log: &Log) {
    for line in log.tail(SHOWN_LINES) {
        println!("      | {line}");
    }
    println!("      The whole log is {}.", log.path().display());
}
