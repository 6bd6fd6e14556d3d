//! `user`: what is done about a user as a whole, by the REST edge of the service.

mod erase;

use super::CliError;
use super::task::connect::ClientArgs;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  export REMINDER_URL=http://127.0.0.1:8080 REMINDER_TOKEN_FILE=/run/secrets/token
  reminder-scheduler user erase ada@example.org
  reminder-scheduler user erase ada@example.org --yes --wait 10m --json

Exit codes: 0 done; 1 not done: refused, no answer, or not done in time; 2 usage";

/// What to do about a user, and where the service is.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UserArgs {
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
    /// Have everything of a user erased, and wait until nothing is left
    Erase(erase::EraseArgs),
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what the service answered.
pub async fn run(args: UserArgs) -> Result<(), CliError> {
    let UserArgs { action, client, json } = args;
    let client = client.build()?;
    match action {
        Action::Erase(args) => erase::run(args, &client, json).await,
    }
}
