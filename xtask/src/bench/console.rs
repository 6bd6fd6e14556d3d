//! `cargo xtask bench console`: how long the pages of the console take to load with very many tasks, in a
//! real browser. What is opened is `tests/browser/load.mjs`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use reminder_stack::{AppSource, PubSub, Stack};
use tokio::process::Command;

use crate::session::{Session, is_running};
use crate::ui;

#[path = "../../../tests/scale/fill.rs"]
#[expect(clippy::unwrap_used, reason = "shared with tests, where that is the report")]
mod fill;

/// What the console asks of callers.
const TOKEN: &str = "bench-console-token";

/// Names an executable to use instead of the one that Debian has.
const CHROMIUM_VARIABLE: &str = "CHROMIUM";
const CHROMIUM_DEFAULT: &str = "/usr/bin/chromium";

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask bench console
  cargo xtask bench console --rows 1000000        takes some minutes and 1 GB of disk
  cargo xtask bench console --rows 1000000 --pictures docs/images

Fills the read model as it would be after years, opens each section in Chromium, which has to be there,
and prints a table in Markdown: how long it took until everything was shown, the first time and after that.
Numbers that the service keeps for some seconds are made anew the first time only.")]
pub(super) struct Options {
    /// Tasks in the read model
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(20..))]
    rows: u64,

    /// How often each section is loaded after the first time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    loads: u32,

    /// A folder that gets a picture of the overview
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,

    /// Without optimisations: for trying the benchmark, not the service
    #[arg(long)]
    debug: bool,

    /// The stack to measure with; it is made anew
    #[arg(long, value_name = "NAME", default_value = "bench-console")]
    instance: String,
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    let settings = [
        ("CONSOLE", "read"),
        ("REST_TOKEN", TOKEN),
        // The tasks of the read model have no states: nobody shall look for those.
        ("AUDIT_GRACE", "1000h"),
        ("ARM_HORIZON", "1s"),
        ("REFRESH_RATE", "1"),
    ];
    let stack_options = reminder_stack::Options {
        app: AppSource::Cargo { release: !options.debug },
        pubsub: PubSub::InMemory,
        app_env: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..reminder_stack::Options::instance(options.instance.clone())
    };
    let name = &options.instance;
    ensure!(
        !is_running(&stack_options),
        "the stack `{name}` runs already: stop it with `cargo xtask down --instance {name}`"
    );
    let browser = Browser::find(&stack_options.root).await?;
    if let Ok(old) = Stack::load(&stack_options.dir()) {
        old.remove().await?;
    }
    let session = Session::up(stack_options).await?;
    let measured = session.run(measure(session.stack(), &browser, options)).await;
    session.stack().clone().with_progress(ui::progress()).remove().await?;
    measured
}

async fn measure(stack: &Stack, browser: &Browser, options: &Options) -> Result<bool> {
    let manifest = stack.manifest()?;
    let url = manifest.admin_database_url().context("the stack has no Postgres of its own")?;
    let began = Instant::now();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    fill::fill(&client, options.rows).await;
    drop(client);
    connection.await??;
    println!("{} tasks, filled in {:.0?}\n", options.rows, began.elapsed());
    let mut node = Command::new("node");
    node.arg("load.mjs").current_dir(&browser.folder).kill_on_drop(true);
    node.env("CONSOLE_PORT", manifest.replica(1)?.app_port.to_string())
        .env("CONSOLE_TOKEN", TOKEN)
        .env("BUSY_USER", fill::BUSY_USER)
        .env("LOADS", options.loads.to_string())
        .env(CHROMIUM_VARIABLE, &browser.chromium);
    if let Some(folder) = &options.pictures {
        std::fs::create_dir_all(folder)?;
        node.env("PICTURES", std::path::absolute(folder)?);
    }
    Ok(node.status().await.context("Node.js cannot be started")?.success())
}

/// What opens pages.
struct Browser {
    folder: PathBuf,
    chromium: PathBuf,
}

impl Browser {
    /// Chromium, and what drives it, which is fetched when it is not there.
    async fn find(root: &Path) -> Result<Self> {
        let named = std::env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from);
        let chromium = named.unwrap_or_else(|| CHROMIUM_DEFAULT.into());
        ensure!(
            chromium.is_file(),
            "Chromium is missing; install it (on Debian or Ubuntu: `sudo apt-get install chromium`), or \
             name one with {CHROMIUM_VARIABLE}"
        );
        let folder = root.join("tests/browser");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).kill_on_drop(true);
        let installed = npm.status().await.context("npm cannot be started")?.success();
        ensure!(installed, "`npm ci` failed in tests/browser");
        Ok(Self { folder, chromium })
    }
}
