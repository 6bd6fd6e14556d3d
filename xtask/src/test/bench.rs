//! The benchmark, small: that it works, that nothing is lost while it presses, and that no operation makes
//! more calls than it did. Its figures mean nothing here.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;

use super::binaries::show;
use super::parse::Counts;
use super::process::{self, Log};
use super::work::Outcome;

/// A limit that only something stuck reaches, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Of each kind, and how long a rate is held.
const REMINDERS: &str = "300";
const HOLD_SECONDS: &str = "3";

pub(super) async fn run(log: &Log, app: Option<&Path>, instance: &str) -> Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench", "--quick", "--debug", "--repetitions", "1", "--n", REMINDERS]);
    command.args(["--hold", HOLD_SECONDS, "--instance", &format!("{instance}-bench")]);
    if let Some(app) = app {
        command.arg("--app").arg(app);
    }
    let ended = process::run(command, log, DEADLINE).await?;
    if ended.good {
        return Ok(Outcome::of(Counts::check(true)));
    }
    show(log);
    Ok(Outcome::failed(Counts::default(), ended.how))
}
