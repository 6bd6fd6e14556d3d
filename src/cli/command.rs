//! The command line: every command, and where it is done.

use super::after_restore::AfterRestoreArgs;
use super::completions::CompletionsArgs;
use super::config::ConfigArgs;
use super::dlq::DlqArgs;
use super::doctor::DoctorArgs;
use super::events::EventsArgs;
use super::firing::FiringArgs;
use super::purge::PurgeArgs;
use super::rearm::RearmArgs;
use super::repair::RepairArgs;
use super::task::TaskArgs;
use super::user::UserArgs;
use crate::config::ServeArgs;
use clap::{Parser, Subcommand};

const SERVE_EXAMPLES: &str = "\
Examples:
  reminder-scheduler serve --database-url-file /run/secrets/database-url
  reminder-scheduler serve --app-port 8081 --dapr-grpc-port 50002 --log-format json

Exit codes: 0 it was asked to stop; 1 it cannot run; 2 a setting cannot be used, all of them are named";

/// A durable, actor-based reminder scheduler on Dapr.
#[derive(Parser)]
#[command(
    name = "reminder-scheduler",
    version,
    about,
    after_help = "Every option can be given as the environment variable named beside it."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Subcommand)]
pub enum Command {
    /// Host the task actors, beside a Dapr sidecar
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Put, look at, change, import and export tasks, by the REST edge
    Task(Box<TaskArgs>),
    /// Export what is kept of a user, or have all of it erased, by the REST edge
    User(Box<UserArgs>),
    /// Look at everything that the service needs, and say what to do
    Doctor(Box<DoctorArgs>),
    /// Show what is told on the topics, as it is told
    Events(Box<EventsArgs>),
    /// Stop reminders from firing, for everyone or for one user, and let them go on
    Firing(FiringArgs),
    /// List, show, replay and drop what consumers could not handle
    Dlq(Box<DlqArgs>),
    /// List, look at and repair tasks whose stored state cannot be read
    Repair(RepairArgs),
    /// Register every near wake with Dapr's scheduler again
    Rearm(Box<RearmArgs>),
    /// Remove what has been over for long enough, or count it
    Purge(Box<PurgeArgs>),
    /// Make a restored backup safe to go on from; run it before the service is started again
    AfterRestore(AfterRestoreArgs),
    /// Show the settings that `serve` would have
    Config(Box<ConfigArgs>),
    /// Print what makes a shell complete this command line
    Completions(CompletionsArgs),
}
