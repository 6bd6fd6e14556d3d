//! The `reminder-scheduler` binary.

use clap::{CommandFactory, FromArgMatches};
use reminder_scheduler::cli::command::{Cli, Command};
use reminder_scheduler::cli::{self, CliError, EXIT_USAGE};
use reminder_scheduler::config::ServeArgs;
use reminder_scheduler::{serve, telemetry};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // Settings are read before there is a log.
    reminder_telemetry::panics::install();
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Serve(args) => Box::pin(serve(*args)).await,
        Command::Task(args) => ended(Box::pin(cli::task::run(*args))).await,
        Command::User(args) => ended(Box::pin(cli::user::run(*args))).await,
        Command::Doctor(args) => ended(Box::pin(cli::doctor::run(*args))).await,
        Command::Events(args) => ended(Box::pin(cli::events::run(*args))).await,
        Command::Firing(args) => ended(cli::firing::run(args)).await,
        Command::Dlq(args) => ended(Box::pin(cli::dlq::run(*args))).await,
        Command::Repair(args) => ended(cli::repair::run(args)).await,
        Command::Rearm(args) => ended(cli::rearm::run(*args)).await,
        Command::Purge(args) => ended(Box::pin(cli::purge::run(*args))).await,
        Command::AfterRestore(args) => cli::after_restore::run(args).await,
        Command::Config(args) => ended(async { cli::config::run(*args, &matches) }).await,
        Command::Completions(args) => ended(async { cli::completions::run(&args) }).await,
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
    match Box::pin(serve::serve(config, stop)).await {
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
