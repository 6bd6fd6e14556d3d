//! A stack of a benchmark's own: made anew, and removed afterwards.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use reminder_stack::options::instance_dir;
use reminder_stack::{AppSource, Manifest, Stack};

use super::machine::Machine;
use super::report::{Report, Scenario};
use crate::session::{Session, is_running};
use crate::ui;

/// What every benchmark on a stack can be told.
#[derive(Args)]
pub(super) struct Own {
    /// Write the report as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Build the service without optimisations
    #[arg(long)]
    debug: bool,

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
        work: impl AsyncFnOnce(&Manifest) -> Result<Vec<Scenario>>,
    ) -> Result<bool> {
        let name = &self.instance;
        let ours = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let stack_options = reminder_stack::Options {
            app: AppSource::Cargo { release: !self.debug },
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
        if let Some(path) = &self.json {
            let json = serde_json::to_vec_pretty(&report)?;
            fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(report.is_good())
    }

    async fn report(
        &self,
        stack: &Stack,
        work: impl AsyncFnOnce(&Manifest) -> Result<Vec<Scenario>>,
    ) -> Result<Report> {
        let manifest = stack.manifest()?;
        let mut machine = Machine::of(&manifest, !self.debug);
        let scenarios = work(&manifest).await?;
        machine.finish();
        Ok(Report { machine, scenarios })
    }
}
