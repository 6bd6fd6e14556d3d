//! `cargo xtask schemas`: write the schemas and examples of the events anew.

use anyhow::{Context, Result};
use clap::Args;
use reminder_stack::options::workspace_root;
use tokio::process::Command;

/// Makes the contract's tests write what they would otherwise compare.
const UPDATE_VARIABLE: &str = "UPDATE_SCHEMAS";

#[derive(Args)]
pub(crate) struct Options {}

pub(crate) async fn run(Options {}: Options) -> Result<bool> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace_root())
        .args(["test", "--quiet", "--package", "reminder-contract"])
        .env(UPDATE_VARIABLE, "1")
        .status()
        .await
        .context("cannot run cargo")?;
    if status.success() {
        println!(
            "The files below schemas/ are those of the code; `git diff schemas` shows changes."
        );
    }
    Ok(status.success())
}
