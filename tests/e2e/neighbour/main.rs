//! The service as a neighbouring version of it: another schema is read, and another one written.
//! `tests/e2e/versions.rs` rolls replicas to it and back.

use clap::Parser;
use reminder_scheduler::config::ServeArgs;
use reminder_scheduler::turn::schema;
use reminder_scheduler::{serve, telemetry};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Cli {
    /// Newest schema of stored states that is read
    #[arg(long, env = "NEIGHBOUR_READS")]
    reads: u32,
    /// Schema that is written
    #[arg(long, env = "NEIGHBOUR_WRITES")]
    writes: u32,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Serve(Box<ServeArgs>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    schema::pretend(cli.reads, cli.writes);
    let Command::Serve(args) = cli.command;
    let config = match args.validate() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let _spans = match telemetry::start(&config.telemetry) {
        Ok(export) => export,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let stop = CancellationToken::new();
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return ExitCode::FAILURE };
    let stopping = stop.clone();
    tokio::spawn(async move {
        terminate.recv().await;
        stopping.cancel();
    });
    match Box::pin(serve::serve(config, stop)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the service cannot run");
            ExitCode::FAILURE
        }
    }
}
