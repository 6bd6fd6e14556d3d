//! `user`: what is done about one user, by the REST edge.

mod erase;
mod export;

use super::CliError;
use super::connect::ClientArgs;
use clap::{Args, Subcommand};
use reminder_client::Person;

const EXAMPLES: &str = "\
Examples:
  export REMINDER_URL=http://127.0.0.1:8080 REMINDER_TOKEN_FILE=/run/secrets/token
  reminder-scheduler user export ada@example.org --out ada.jsonl
  reminder-scheduler user erase ada@example.org
  reminder-scheduler user erase ada@example.org --yes --wait 10m --json

Exit codes:
  0  done
  1  not done: refused, no answer, broken off, or not in time
  2  the command line cannot be understood
  3  exported, but for tasks that were named";

/// What to do about a user, and where the service is.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UserArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Write all that is kept of a user: preferences, tasks, what happened to them
    Export(export::ExportArgs),
    /// Have everything of a user erased, and wait until nothing is left
    Erase(erase::EraseArgs),
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what the service answered.
pub async fn run(args: UserArgs) -> Result<(), CliError> {
    let UserArgs { action, client } = args;
    let client = client.build()?;
    match action {
        Action::Export(args) => export::run(&args, &client).await,
        Action::Erase(args) => erase::run(&args, &client).await,
    }
}

/// A user, as an argument.
fn person(text: &str) -> Result<Person, String> {
    Person::parse(text).map_err(|error| error.to_string())
}
