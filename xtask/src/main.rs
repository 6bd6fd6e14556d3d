//! Developer commands: `cargo xtask --help`.

mod api;
mod bench;
mod chaos;
mod demo;
#[cfg(test)]
mod documented;
mod down;
mod ledger;
mod logs;
mod sbom;
mod schemas;
mod session;
mod simulate;
mod status;
mod test;
mod ui;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use reminder_stack::options::{DEFAULT_INSTANCE, instance_dir, workspace_root};

/// Developer commands of the reminder scheduler.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
#[command(after_help = "Examples:
  cargo xtask demo                      the main job on the real runtime, start to end
  cargo xtask test                      everything that can be checked
  cargo xtask up                        everything, with Kafka, on free loopback ports
  cargo xtask up --pubsub in-memory     without Kafka and without Java
  cargo xtask status                    what runs, where, and whether it is well
  cargo xtask logs app -f               follow the service's log
  cargo xtask down                      stop everything, keep the data")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the main job on the real runtime, from command to event
    Demo(demo::Options),
    /// Check everything: format, lints, all tests, the demo
    Test(test::Options),
    /// Measure how fast commands are answered and how late reminders fire
    Bench(bench::Options),
    /// Hurt the real stack under load, and judge what came of it
    Chaos(chaos::Options),
    /// Run the service in a simulated world, thousands of times
    #[command(disable_help_flag = true)]
    Simulate(simulate::Options),
    /// Write the JSON Schemas of the events anew
    Schemas(schemas::Options),
    /// Say what is in a service: a bill of materials
    Sbom(sbom::Options),
    /// Start the local stack: Postgres, Kafka, Dapr, the service
    Up(up::Options),
    /// Stop the local stack
    Down(down::Options),
    /// Show what runs, where, and whether it is well
    Status(status::Options),
    /// Show the logs of the stack's parts
    Logs(logs::Options),
}

/// Which stack a command is about.
#[derive(Args)]
struct Instance {
    /// Stacks of different names run side by side
    #[arg(long, value_name = "NAME", default_value = DEFAULT_INSTANCE)]
    instance: String,
}

impl Instance {
    fn dir(&self) -> PathBuf {
        instance_dir(&workspace_root(), &self.instance)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(options) => demo::run(options).await,
        Command::Test(options) => test::run(options).await,
        Command::Bench(options) => bench::run(options).await,
        Command::Chaos(options) => Box::pin(chaos::run(options)).await,
        Command::Simulate(options) => simulate::run(options).await,
        Command::Schemas(options) => schemas::run(options).await,
        Command::Sbom(options) => sbom::run(options).await,
        Command::Up(options) => up::run(options).await,
        Command::Down(options) => down::run(options).await,
        Command::Status(options) => status::run(&options).await,
        Command::Logs(options) => logs::run(&options).await,
    };
    exit(outcome)
}

/// Commands that fail say why; those that merely found something amiss have said so already.
fn exit(outcome: Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            ui::failure(&error);
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
