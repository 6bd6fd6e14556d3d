//! `cargo xtask chaos`: a steady load while parts of the real stack are killed, stalled, restarted and
//! wiped, judged by a ledger of every answered command and a consumer of every event.
//!
//! ```text
//! seed ─► faults  ─► hurt ─────────► the stack ─► consumer ─► journal ─┐
//!    └──► script  ─► workload ─► client ─┘                             ├─► judge, heal ─► report, picture
//!                        └─► the book of commands ─► model ────────────┘
//! ```
//!
//! Left of the stack everything follows from the seed; right of it everything is a pure function of
//! what was sent and read ([`history::History`]).

mod body;
mod capacity;
mod client;
mod consumer;
mod faults;
mod heal;
mod history;
mod hurt;
mod judge;
mod model;
mod numbers;
mod pending;
mod picture;
mod random;
mod report;
mod run;
mod script;
mod views;
mod workload;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{AppSource, Stack, logs};

use crate::session::{Session, is_running};
use crate::ui;

pub(crate) use self::run::{Request, on};

/// What the service is told: a horizon so near that the sweep has something to register.
pub(crate) const ARM_HORIZON: (&str, &str) = ("ARM_HORIZON", "40s");

/// The folder of the reports, below the workspace.
const REPORT_FOLDER: &str = "target/chaos";

/// The seed of the run that is part of `cargo xtask test`: its first faults are of many kinds, among
/// them a killed broker, database and replica, and a rollout.
pub(crate) const DEFAULT_SEED: u64 = 252;

/// The replicas to begin with.
pub(crate) const REPLICAS: u32 = 2;

#[derive(Args)]
#[command(after_help = "Examples:
  cargo xtask chaos
  cargo xtask chaos --seed 42 --minutes 60 --release
  cargo xtask chaos --env AUDIT_INTERVAL=1h --env AUDIT_GRACE=1h    without a healer it must fail

Runs on a stack of its own, made anew and removed afterwards. The seed decides the faults and the
tasks. Writes report.md and lateness.svg. Fails if a reminder is lost, early, stale or unasked for, if
an order is broken, if an answered command is not kept, or if the last fault does not heal in time; then
the stack's logs stay.")]
pub(crate) struct Options {
    /// Decides which parts are hurt when and how, and what the tasks do
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED)]
    seed: u64,

    /// How long, with the healing at the end
    #[arg(long, value_name = "M", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=24 * 60))]
    minutes: u32,

    /// Commands a second; less than a fifth of what the stack can do when left out
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,

    /// Services, each with its sidecar
    #[arg(long, value_name = "N", default_value_t = REPLICAS, value_parser = clap::value_parser!(u32).range(1..=8))]
    replicas: u32,

    /// Where the report goes; a folder of the seed's below target/chaos when left out
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    /// Build the service with optimisations
    #[arg(long)]
    release: bool,

    /// More environment for the service
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = crate::up::parse_env)]
    env: Vec<(String, String)>,

    /// Leave the stack running afterwards
    #[arg(long)]
    keep: bool,

    /// The stack to hurt; it is made anew
    #[arg(long, value_name = "NAME", default_value = "chaos")]
    instance: String,
}

/// Where the report of a seed goes.
pub(crate) fn report_folder(seed: u64) -> PathBuf {
    workspace_root().join(REPORT_FOLDER).join(format!("seed-{seed}"))
}

pub(crate) async fn run(options: Options) -> Result<bool> {
    let name = &options.instance;
    let (variable, value) = ARM_HORIZON;
    let horizon = (variable.to_owned(), value.to_owned());
    let stack_options = reminder_stack::Options {
        app: AppSource::Cargo { release: options.release },
        replicas: options.replicas,
        app_env: [horizon].into_iter().chain(options.env.iter().cloned()).collect(),
        // It is killed, so it has to be our own.
        postgres_url: None,
        ..reminder_stack::Options::instance(name.clone())
    };
    ensure!(
        !is_running(&stack_options),
        "the stack `{name}` runs already: stop it with `cargo xtask down --instance {name}`"
    );
    if let Ok(old) = Stack::load(&instance_dir(&stack_options.root, name)) {
        old.remove().await?;
    }
    let session = Session::up(stack_options).await?;
    let request = Request {
        seed: options.seed,
        minutes: options.minutes,
        rate: options.rate,
        folder: options.report.clone().unwrap_or_else(|| report_folder(options.seed)),
        release: options.release,
    };
    let outcome = session.run(on(session.stack(), &request)).await;
    let good = outcome.as_ref().is_ok_and(|outcome| outcome.good);
    let stack = session.stack().clone().with_progress(ui::progress());
    if options.keep {
        println!(
            "The stack `{name}` keeps running; `cargo xtask down --instance {name} --clean` removes it."
        );
    } else if good {
        stack.remove().await?;
    } else {
        stack.down().await?;
        println!("The logs of the stack are in {}.", logs::folder(stack.dir()).display());
    }
    outcome.map(|outcome| outcome.good)
}
