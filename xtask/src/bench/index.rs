//! `cargo xtask bench index`: how the read model does with very many tasks. The measuring itself is
//! `benches/index`, which knows the service's own questions; this gives it a Postgres of its own.

use anyhow::{Context, Result, ensure};
use clap::Args;
use reminder_stack::{AppSource, PubSub, Stack};
use tokio::process::Command;

use crate::session::{Session, is_running};
use crate::ui;

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask bench index
  cargo xtask bench index --rows 1000000        takes some minutes and 3 GB of disk

Prints tables in Markdown: each question of the sweep, the audit and the turns with its time and its
plan, and what the triggers cost a commit.")]
pub(super) struct Options {
    /// Tasks in the read model
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(20..))]
    rows: u64,

    /// The stack to measure with; it is made anew
    #[arg(long, value_name = "NAME", default_value = "bench-index")]
    instance: String,
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    let stack_options = reminder_stack::Options {
        app: AppSource::None,
        pubsub: PubSub::InMemory,
        ..reminder_stack::Options::instance(options.instance.clone())
    };
    let name = &options.instance;
    ensure!(
        !is_running(&stack_options),
        "the stack `{name}` runs already: stop it with `cargo xtask down --instance {name}`"
    );
    if let Ok(old) = Stack::load(&stack_options.dir()) {
        old.remove().await?;
    }
    let root = stack_options.root.clone();
    let session = Session::up(stack_options).await?;
    let measure = async {
        let url = session.stack().manifest()?.admin_database_url();
        let url = url.context("the stack has no Postgres of its own")?;
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(root).kill_on_drop(true);
        // Without optimisations, for the time goes by in Postgres, and a release build takes minutes.
        command.args(["bench", "--profile", "dev", "--features", "postgres-tests"]);
        command.args(["--bench", "index"]);
        command.env("TEST_POSTGRES_URL", url).env("INDEX_ROWS", options.rows.to_string());
        Ok(command.status().await?.success())
    };
    let measured = session.run(measure).await;
    session.stack().clone().with_progress(ui::progress()).remove().await?;
    measured
}
