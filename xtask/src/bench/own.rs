//! A stack of a benchmark's own: made anew, and removed afterwards.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{AppSource, Manifest, Stack};

use super::machine::Machine;
use super::report::{Found, Report};
use crate::session::{Session, is_running};
use crate::ui;

/// What every benchmark on a stack can be told.
#[derive(Args)]
pub(super) struct Own {
    /// Write the report as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Build service and benchmark without optimisations
    #[arg(long)]
    debug: bool,

    /// Measure this executable instead of building the service
    #[arg(long, value_name = "PATH")]
    app: Option<PathBuf>,

    /// Leave the stack running afterwards
    #[arg(long)]
    keep: bool,

    /// The stack to measure with; it is made anew
    #[arg(long, value_name = "NAME", default_value = "bench")]
    instance: String,

    /// More environment for the service, such as `WAKE_CONCURRENCY=64`; may be given again
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = setting)]
    env: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Own {
    /// Brings the stack up with these settings of the service, measures, and tells. Says whether
    /// nothing went wrong.
    pub(super) async fn measure(
        &self,
        settings: &[(&str, String)],
        work: impl AsyncFnOnce(&Manifest) -> Result<Found>,
    ) -> Result<bool> {
        if cfg!(debug_assertions) && !self.debug {
            return Err(again_with_optimisations());
        }
        let name = &self.instance;
        let ours = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let stack_options = reminder_stack::Options {
            app: match &self.app {
                Some(path) => AppSource::Binary(path.clone()),
                None => AppSource::Cargo { release: !self.debug },
            },
            app_env: ours.chain(self.env.iter().cloned()).collect(),
            ..reminder_stack::Options::instance(name.clone())
        };
        ensure!(
            !is_running(&stack_options),
            "the stack `{name}` runs already: stop it with `cargo xtask down --instance {name}`"
        );
        let dir = instance_dir(&stack_options.root, name);
        if let Ok(old) = Stack::load(&dir) {
            old.remove().await?;
        }
        let session = Session::up(stack_options).await?;
        let measured = session.run(self.report(session.stack(), work)).await;
        if self.keep {
            println!(
                "The stack `{name}` keeps running; `cargo xtask down --instance {name} --clean` removes it."
            );
        } else {
            session.stack().clone().with_progress(ui::progress()).remove().await?;
        }
        let report = measured?;
        report.print();
        report.write_docs()?;
        if let Some(path) = &self.json {
            let json = serde_json::to_vec_pretty(&report)?;
            fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(report.is_good())
    }

    async fn report(
        &self,
        stack: &Stack,
        work: impl AsyncFnOnce(&Manifest) -> Result<Found>,
    ) -> Result<Report> {
        let manifest = stack.manifest()?;
        let mut machine = Machine::of(&manifest, !self.debug);
        let Found { scenarios, suite } = work(&manifest).await?;
        machine.finish();
        Ok(Report { machine, scenarios, suite })
    }
}

/// Becomes the same command, optimised: a client in the way of what it measures, or a slow floor, would
/// make every ratio look better than it is. Only a failure comes back.
fn again_with_optimisations() -> anyhow::Error {
    println!("Building the benchmark with optimisations …");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--package", "xtask", "--"]).args(std::env::args_os().skip(1));
    anyhow::Error::new(cargo.current_dir(workspace_root()).exec()).context("cargo cannot be run")
}
