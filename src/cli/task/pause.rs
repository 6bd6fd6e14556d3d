//! `task pause` and `task resume`: of one task, or of all tasks of a user.

use super::act::{Expected, answer};
use super::time::shown;
use super::{CliError, task_id};
use crate::clock::{Clock, SystemClock};
use clap::Args;
use reminder_client::wire::UserPaused;
use reminder_client::{Client, IfMissed, Person, TaskId};

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task pause milk
  reminder-scheduler task pause --user ada@example.org")]
pub(super) struct PauseArgs {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    expected: Expected,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task resume milk
  reminder-scheduler task resume milk --missed skip
  reminder-scheduler task resume --user ada@example.org")]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    what: What,
    /// What to do with what fell due meanwhile: fire it at once, or skip it
    #[arg(long, default_value = "fire", value_parser = missed)]
    missed: IfMissed,
    #[command(flatten)]
    expected: Expected,
}

/// One task, or a user.
#[derive(Args, Clone, Debug)]
struct What {
    /// The task
    #[arg(value_parser = task_id, required_unless_present = "user", conflicts_with = "user")]
    id: Option<TaskId>,
    /// Everything of this user
    #[arg(long, value_parser = person)]
    user: Option<Person>,
}

fn person(text: &str) -> Result<Person, String> {
    Person::parse(text).map_err(|error| error.to_string())
}

fn missed(text: &str) -> Result<IfMissed, String> {
    IfMissed::try_from(text.to_owned())
}

pub(super) async fn pause(
    args: &PauseArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let options = args.expected.options();
    match (&args.what.id, &args.what.user) {
        (Some(id), _) => answer(&client.pause(id, &options).await?, as_json),
        (None, Some(user)) => told(&client.pause_user(user, &options).await?, as_json),
        (None, None) => Err(CliError::Usage("name a task, or a user with --user".into())),
    }
}

pub(super) async fn resume(
    args: &ResumeArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let (options, missed) = (args.expected.options(), args.missed);
    match (&args.what.id, &args.what.user) {
        (Some(id), _) => answer(&client.resume(id, missed, &options).await?, as_json),
        (None, Some(user)) => told(&client.resume_user(user, missed, &options).await?, as_json),
        (None, None) => Err(CliError::Usage("name a task, or a user with --user".into())),
    }
}

fn told(paused: &UserPaused<'_>, as_json: bool) -> Result<(), CliError> {
    if as_json {
        println!("{}", serde_json::to_string(paused).map_err(CliError::unprintable)?);
    } else {
        print!("{}", sentence(paused));
    }
    Ok(())
}

fn sentence(paused: &UserPaused<'_>) -> String {
    let UserPaused { user_id, version, paused_since, tasks } = paused;
    let state = match paused_since {
        Some(_) => format!("is paused since {}", shown(*paused_since, SystemClock.now())),
        None => "is not paused".to_owned(),
    };
    let (open, outdated) = (tasks.open, tasks.outdated);
    format!(
        "{user_id} {state}, version {version}; {outdated} of {open} open tasks have yet to follow\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        resume: ResumeArgs,
    }

    fn parse(args: &[&str]) -> Result<ResumeArgs, clap::Error> {
        Cli::try_parse_from(["resume"].iter().chain(args)).map(|cli| cli.resume)
    }

    #[test]
    fn it_is_one_task_or_one_user() {
        assert_eq!(parse(&["milk"]).unwrap().missed, IfMissed::Fire);
        let user = parse(&["--user=ada", "--missed=skip"]).unwrap();
        assert_eq!((user.what.id, user.missed), (None, IfMissed::Skip));
        for wrong in [&[][..], &["milk", "--user=ada"], &["milk", "--missed=drop"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
