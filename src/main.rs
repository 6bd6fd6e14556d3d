//! The `reminder-scheduler` binary.

use clap::{Parser, Subcommand};
use reminder_scheduler::config::ServeArgs;
use reminder_scheduler::restore::{AfterRestoreArgs, after_restore};
use reminder_scheduler::{serve, telemetry};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code for a configuration that cannot be used, as clap uses it for bad arguments.
const EXIT_USAGE: u8 = 2;

/// A durable, actor-based reminder scheduler on Dapr.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Every option can be given as the environment variable named beside it."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Host the task actors, beside a Dapr sidecar
    Serve(Box<ServeArgs>),
    /// Make a restored backup safe to go on from; run it before the service is started again
    AfterRestore(AfterRestoreArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Cli::parse().command {
        Command::Serve(args) => args,
        Command::AfterRestore(args) => return after_restore(args).await,
    };
    let config = match args.validate() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    telemetry::init(config.log_format);
    let stop = CancellationToken::new();
    if let Err(error) = cancel_on_signal(stop.clone()) {
        tracing::error!(%error, "cannot listen for signals");
        return ExitCode::FAILURE;
    }
    match serve::serve(config, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the service cannot run");
            ExitCode::FAILURE
        }
    }
}

fn cancel_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
