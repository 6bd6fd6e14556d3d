//! `task`: what a caller does with tasks, by the REST edge of the service and the typed client of it.

mod act;
mod ask;
pub(super) mod connect;
mod list;
mod put;
mod table;
mod time;
mod transfer;

use super::CliError;
use clap::{Args, Subcommand};
use connect::ClientArgs;
use reminder_client::TaskId;

const EXAMPLES: &str = "\
Examples:
  export REMINDER_URL=http://127.0.0.1:8080 REMINDER_TOKEN_FILE=/run/secrets/token
  reminder-scheduler task put milk --title \"Buy milk\" --due 2027-03-01T18:00 --zone Europe/Berlin
  reminder-scheduler task list --user ada@example.org --status open
  reminder-scheduler task snooze milk --for 10m
  reminder-scheduler task import tasks.csv

Exit codes:
  0  done
  1  not done: refused, or no answer
  2  the command line cannot be understood
  3  an import or export is done, but for rows or tasks that were named
  4  there is no such task";

/// What to do with tasks, and where the service is.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TaskArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    client: ClientArgs,
    /// JSON for machines, as the service answers
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Create a task, or replace all of it
    Put(Box<put::PutArgs>),
    /// Show a task, its reminders, and what happened to them
    Get(act::GetArgs),
    /// List tasks with their next reminders
    List(list::ListArgs),
    /// A task is done; a recurring one moves on to its next occurrence
    Complete(act::CommandArgs),
    /// A task is not done after all
    Reopen(act::CommandArgs),
    /// What rang fires again later
    Snooze(act::SnoozeArgs),
    /// What rang was seen: no nagging, no snooze
    Ack(act::AckArgs),
    /// Delete a task: nothing of it fires any more
    Delete(act::CommandArgs),
    /// What fires next, and by which rules
    Preview(ask::PreviewArgs),
    /// Why a moment fired when it did, or did not
    Explain(ask::ExplainArgs),
    /// Create or replace tasks from a CSV, JSON Lines or iCalendar file
    Import(Box<transfer::ImportArgs>),
    /// Write tasks to a CSV, JSON Lines or iCalendar file
    Export(transfer::ExportArgs),
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what the service answered.
pub async fn run(args: TaskArgs) -> Result<(), CliError> {
    let TaskArgs { action, client, json } = args;
    let client = client.build()?;
    match action {
        Action::Put(args) => put::run(*args, &client, json).await,
        Action::Get(args) => act::get(&args, &client, json).await,
        Action::List(args) => list::run(args, &client, json).await,
        Action::Complete(args) => act::complete(&args, &client, json).await,
        Action::Reopen(args) => act::reopen(&args, &client, json).await,
        Action::Snooze(args) => act::snooze(&args, &client, json).await,
        Action::Ack(args) => act::acknowledge(&args, &client, json).await,
        Action::Delete(args) => act::delete(&args, &client, json).await,
        Action::Preview(args) => ask::preview(&args, &client, json).await,
        Action::Explain(args) => ask::explain(&args, &client, json).await,
        Action::Import(args) => transfer::import(*args, &client, json).await,
        Action::Export(args) => transfer::export(args, &client).await,
    }
}

/// A task's id, as an argument.
fn task_id(text: &str) -> Result<TaskId, String> {
    TaskId::parse(text).map_err(|error| error.to_string())
}
