//! `firing`: the switch that stops reminders from firing, for everyone or for one user.

use super::{CliError, DatabaseArgs};
use crate::firing::FOLLOW_EVERY;
use crate::read_model::{STOPPED_USERS_MAX, Stop};
use clap::{Args, Subcommand};
use reminder_domain::ids::Person;

/// Tasks counted in the status at most, for each stop.
const COUNTED_MAX: i64 = 10_000;
/// Longest reason, in characters.
const REASON_MAX_CHARS: usize = 500;

/// What to do about firing.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler firing stop --reason \"wrong import of 14 May\"
  reminder-scheduler firing stop --user ada@example.org --reason \"asked for silence\"
  reminder-scheduler firing status
  reminder-scheduler firing resume --user ada@example.org

Exit codes: 0 done; 1 it makes no sense as things are, or no answer; 2 usage")]
pub struct FiringArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// Let nothing fire until it is resumed; commands work as ever
    Stop {
        /// Only the reminders of this user
        #[arg(long)]
        user: Option<String>,
        /// Why, for whoever asks for the status
        #[arg(long)]
        reason: String,
    },
    /// Let it fire again; what came due meanwhile fires at once, late
    Resume {
        /// Of this user, who was stopped alone
        #[arg(long)]
        user: Option<String>,
    },
    /// Show what is stopped, since when and why, and how many tasks wait
    Status,
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or with the database.
pub async fn run(args: FiringArgs) -> Result<(), CliError> {
    match args.action {
        Action::Stop { user, reason } => {
            let user = person(user)?;
            if reason.trim().is_empty() || reason.chars().count() > REASON_MAX_CHARS {
                let usage = format!("--reason must have 1 to {REASON_MAX_CHARS} characters");
                return Err(CliError::Usage(usage));
            }
            let database = args.database.open().await?;
            let whose = whose(user.as_ref());
            match database.model.stop_firing(user.as_ref(), &reason).await? {
                Stop::Now => println!("firing of {whose} stops within {FOLLOW_EVERY:?} or so"),
                Stop::Before => println!("firing of {whose} was stopped before; the reason is new"),
                Stop::TooMany => {
                    return Err(CliError::Refused(format!(
                        "{STOPPED_USERS_MAX} users are stopped already; stop everyone instead"
                    )));
                }
            }
        }
        Action::Resume { user } => {
            let user = person(user)?;
            let database = args.database.open().await?;
            let whose = whose(user.as_ref());
            if !database.model.resume_firing(user.as_ref()).await? {
                return Err(CliError::Refused(format!("firing of {whose} was not stopped")));
            }
            println!(
                "firing of {whose} goes on within {FOLLOW_EVERY:?} or so, what is overdue first"
            );
            print_stops(&database.model.list_stops(COUNTED_MAX).await?);
        }
        Action::Status => {
            let stops = args.database.open().await?.model.list_stops(COUNTED_MAX).await?;
            if stops.is_empty() {
                println!("nothing is stopped");
            }
            print_stops(&stops);
        }
    }
    Ok(())
}

fn person(user: Option<String>) -> Result<Option<Person>, CliError> {
    let parse =
        |user| Person::parse(user).map_err(|error| CliError::Usage(format!("--user {error}")));
    user.map(parse).transpose()
}

fn whose(user: Option<&Person>) -> String {
    user.map_or("everyone".into(), |user| format!("user {user}"))
}

fn print_stops(stops: &[crate::read_model::Stopped]) {
    for stop in stops {
        let whose = stop.user.as_ref().map_or("everyone".into(), |user| format!("user {user}"));
        let more = if stop.waiting >= COUNTED_MAX { " or more" } else { "" };
        let (since, reason, waiting) = (&stop.since, &stop.reason, stop.waiting);
        println!("{whose} is stopped since {since}: {reason} ({waiting}{more} tasks are overdue)");
    }
}
