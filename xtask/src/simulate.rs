//! `cargo xtask simulate`: whole runs of the service in a simulated world, optimised.

use anyhow::{Context, Result};
use clap::Args;
use reminder_stack::options::workspace_root;
use tokio::process::Command;

#[derive(Args)]
pub(crate) struct Options {
    /// What the simulation takes; `--help` tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace_root())
        .args(["run", "--quiet", "--release", "--package", "reminder-simulation", "--"])
        .args(options.arguments)
        .status()
        .await
        .context("cannot run cargo")?;
    Ok(status.success())
}
