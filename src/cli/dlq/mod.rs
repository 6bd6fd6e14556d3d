//! `dlq`: what consumers could not handle, listed, looked at, sent again, dropped.
//!
//! The service keeps what lies on the dead-letter topics in `dead_letter`; all of this is about its rows.
//! Only `replay` needs a sidecar, which publishes.

mod change;
mod filter;
mod list;
mod replay;
mod tell;

use super::{CliError, DatabaseArgs};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler dlq list                                  what is open
  reminder-scheduler dlq list --status all --task milk --json  all that befell a task
  reminder-scheduler dlq show 7                                one letter, with its headers and bytes
  reminder-scheduler dlq show 7 --value > letter.json          its very bytes
  reminder-scheduler dlq replay 7 --dry-run                    what would be published
  reminder-scheduler dlq replay --all --topic task-events --since 2h --yes
  reminder-scheduler dlq drop --all --reason invalid --note \"their bug 4711\"

Exit codes:
  0  done; also when there was nothing to do
  1  not done: refused, not confirmed, no answer; run it again to go on
  2  the command line cannot be understood
  3  done, but for letters that were named: those stay as they are";

/// What to do about dead letters.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DlqArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum Action {
    /// List letters, those that came first at the top
    List(list::ListArgs),
    /// Show one letter with its headers and its value
    Show(list::ShowArgs),
    /// Publish letters to the topic that they were meant for, as they were, under their keys
    Replay(Box<replay::ReplayArgs>),
    /// Set letters aside that are not worth it; `replay --status dropped` can still send them
    Drop(change::DropArgs),
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what did not answer.
pub async fn run(args: DlqArgs) -> Result<(), CliError> {
    match args.action {
        Action::List(list) => list::list(list, &args.database).await,
        Action::Show(show) => list::show(show, &args.database).await,
        Action::Replay(replay) => replay::run(*replay, &args.database).await,
        Action::Drop(drop) => change::drop(drop, &args.database).await,
    }
}
