//! `cargo xtask schemas`: write what is generated from the contract anew.

use anyhow::{Context, Result};
use clap::Args;
use reminder_stack::options::workspace_root;
use tokio::process::Command;

/// Makes the contract's tests write what they would otherwise compare.
const UPDATE_VARIABLE: &str = "UPDATE_SCHEMAS";

/// Makes them take the schemas over as those of a release, once nothing is broken.
const RELEASE_VARIABLE: &str = "RELEASE_SCHEMAS";

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask schemas                   after a change of an event that is meant
  cargo xtask schemas --release         when a version of the service is released

Both end with a failure when a schema breaks who knows the released one.")]
pub(crate) struct Options {
    /// Take the schemas over into schemas/released: from now on they are what must not break
    #[arg(long)]
    release: bool,
}

pub(crate) async fn run(Options { release }: Options) -> Result<bool> {
    // What is released has to be what the code says, so nothing is written on the way.
    let (variable, done) = if release {
        (RELEASE_VARIABLE, "schemas/released holds the schemas as they are now.")
    } else {
        (
            UPDATE_VARIABLE,
            "schemas/ and docs/events/ are as the code says; `git diff` shows changes.",
        )
    };
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace_root())
        .args(["test", "--quiet", "--package", "reminder-contract"])
        .env(variable, "1")
        .status()
        .await
        .context("cannot run cargo")?;
    if status.success() {
        println!("{done}");
    }
    Ok(status.success())
}
