//! The `reminder-scheduler` binary.

use clap::{Parser, Subcommand};
use reminder_scheduler::cli::{
    self, CliError, EXIT_USAGE, after_restore::AfterRestoreArgs, dlq::DlqArgs, firing::FiringArgs,
    rearm::RearmArgs, repair::RepairArgs,
};
use reminder_scheduler::config::ServeArgs;
use reminder_scheduler::{serve, telemetry};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

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
    /// List, look at and repair tasks whose stored state cannot be read
    Repair(RepairArgs),
    /// Stop reminders from firing, for everyone or for one user, and let them go on
    Firing(FiringArgs),
    /// Register every near wake with Dapr's scheduler again
    Rearm(Box<RearmArgs>),
    /// List, show, replay and drop what consumers could not handle
    Dlq(Box<DlqArgs>),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => Box::pin(serve(*args)).await,
        Command::AfterRestore(args) => cli::after_restore::run(args).await,
        Command::Repair(args) => ended(cli::repair::run(args)).await,
        Command::Firing(args) => ended(cli::firing::run(args)).await,
        Command::Rearm(args) => ended(cli::rearm::run(*args)).await,
        Command::Dlq(args) => ended(Box::pin(cli::dlq::run(*args))).await,
    }
}

/// Runs a command for people: its output is on standard output, its error on standard error.
async fn ended(command: impl Future<Output = Result<(), CliError>>) -> ExitCode {
    telemetry::init_for_people();
    match command.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

async fn serve(args: ServeArgs) -> ExitCode {
    let config = match args.validate() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let _spans = match telemetry::start(&config.telemetry) {
        Ok(export) => export,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
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
