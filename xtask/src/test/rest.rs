//! The REST edge in the hands of schemathesis: calls made of its `OpenAPI` document, right and wrong ones,
//! and every answer judged by it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use reminder_stack::Stack;
use tokio::process::Command;

use super::binaries::show;
use super::parse::Counts;
use super::process::{self, Log};
use super::setup;
use super::work::Outcome;

/// The same calls each time.
const SEED: &str = "7";

/// Calls of each operation beside those that its schema suggests: as many as fit into a minute.
const EXAMPLES: &str = "5";

/// One thread: with two, `ast.parse` of Python before 3.12 may fail, which is none of our faults
/// (python/cpython#106905).
const WORKERS: &str = "1";

/// A limit that only something stuck reaches, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// What it is told beside the call.
const SETTINGS: &str = "tests/conformity/schemathesis.toml";

pub(super) async fn run(log: &Log, root: &Path, stack: &Stack) -> Result<Outcome> {
    let program = setup::schemathesis(log, root).await?;
    let manifest = stack.manifest()?;
    let port = manifest.replica(1).context("the stack has no service")?.app_port;
    let document = format!("http://127.0.0.1:{port}/openapi.json");
    let settings = root.join(SETTINGS).to_string_lossy().into_owned();
    let mut command = Command::new(program);
    command.current_dir(log.path().parent().unwrap_or(root));
    command.args([
        "--config-file",
        &settings,
        "run",
        &document,
        "--no-color",
        "--workers",
        WORKERS,
    ]);
    command.args(["--seed", SEED, "--max-examples", EXAMPLES]);
    let ended = process::run(command, log, DEADLINE).await?;
    if ended.good {
        let said = ended.lines.iter().rev().find(|line| line.contains("generated"));
        let note = said.map(|line| line.trim().to_owned());
        return Ok(Outcome { note, ..Outcome::of(Counts::check(true)) });
    }
    show(log);
    Ok(Outcome::failed(Counts::default(), ended.how))
}
