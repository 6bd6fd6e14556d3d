//! The commands that change one task, and `task get`.

use super::table::{Table, word};
use super::time::{moment_or_delay, shown, span};
use super::{CliError, task_id};
use crate::clock::{Clock, SystemClock};
use clap::Args;
use reminder_client::wire::{CommandAnswer, TaskView};
use reminder_client::{
    CallOptions, Client, IfVersion, PresetName, ReminderId, Ring, Snooze, TaskId,
};
use reminder_contract::data::Paused;
use reminder_domain::command::Delay;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a task must be at.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Expected {
    /// Only if the task is at this version; 0: only if there is none
    #[arg(long)]
    if_version: Option<u64>,
}

impl Expected {
    pub(super) fn options(self) -> CallOptions {
        let if_version = self.if_version.map(|version| match version {
            0 => IfVersion::Absent,
            version => IfVersion::At(version),
        });
        CallOptions { if_version, ..CallOptions::default() }
    }
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task get milk
  reminder-scheduler task get milk --json | jq .reminders")]
pub(super) struct GetArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task complete milk
  reminder-scheduler task reopen milk
  reminder-scheduler task delete milk --if-version 3")]
pub(super) struct CommandArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    #[command(flatten)]
    expected: Expected,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task snooze milk --for 10m
  reminder-scheduler task snooze milk --until 2027-03-01T20:00 --zone Europe/Berlin
  reminder-scheduler task snooze milk --preset tonight --reminder due")]
pub(super) struct SnoozeArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    /// So long, such as 10m or PT10M
    #[arg(long = "for", value_name = "SPAN", required_unless_present_any = ["until", "preset"])]
    span: Option<String>,
    /// Until then: an instant, a local time or a date
    #[arg(long, conflicts_with_all = ["span", "preset"])]
    until: Option<String>,
    /// Zone of a local time
    #[arg(long, requires = "until")]
    zone: Option<String>,
    /// As the user's preferences say under this name
    #[arg(long, conflicts_with = "span")]
    preset: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    expected: Expected,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task ack milk
  reminder-scheduler task ack milk --reminder due")]
pub(super) struct AckArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    expected: Expected,
}

/// Which of the reminders that rang.
#[derive(Args, Clone, Debug)]
struct Which {
    /// This reminder only; without it, all that rang
    #[arg(long, value_parser = reminder_id)]
    reminder: Option<ReminderId>,
}

pub(super) fn reminder_id(text: &str) -> Result<ReminderId, String> {
    ReminderId::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn complete(
    args: &CommandArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    answer(&client.complete(&args.id, &args.expected.options()).await?, as_json)
}

pub(super) async fn reopen(
    args: &CommandArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    answer(&client.reopen(&args.id, &args.expected.options()).await?, as_json)
}

pub(super) async fn delete(
    args: &CommandArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let deleted = client.delete(&args.id, &args.expected.options()).await?;
    if as_json {
        return answer(&deleted, as_json);
    }
    println!("{} is deleted", deleted.task_id);
    Ok(())
}

pub(super) async fn snooze(
    args: &SnoozeArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let snooze = Snooze { reminder_id: args.which.reminder.clone(), delay: delay(args)? };
    answer(&client.snooze(&args.id, &snooze, &args.expected.options()).await?, as_json)
}

fn delay(args: &SnoozeArgs) -> Result<Delay, CliError> {
    let wrong = |option: &str, why: String| CliError::Usage(format!("--{option} {why}"));
    match (&args.span, &args.until, &args.preset) {
        (Some(text), ..) => {
            let iso = span(text).map_err(|why| wrong("for", why))?;
            parsed(json!(iso)).map(Delay::For).map_err(|why| wrong("for", why))
        }
        (None, Some(text), _) => {
            let until = moment_or_delay(text, args.zone.as_deref(), SystemClock.now());
            let until = until.and_then(parsed).map_err(|why| wrong("until", why))?;
            Ok(Delay::Until(until))
        }
        (None, None, preset) => {
            let name = preset.as_deref().unwrap_or_default();
            let name = PresetName::parse(name);
            name.map(Delay::Preset).map_err(|error| wrong("preset", error.to_string()))
        }
    }
}

fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

pub(super) async fn acknowledge(
    args: &AckArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let ring = Ring { reminder_id: args.which.reminder.clone() };
    answer(&client.acknowledge(&args.id, &ring, &args.expected.options()).await?, as_json)
}

/// Shows what a command came to.
pub(super) fn answer(answer: &CommandAnswer<'_>, as_json: bool) -> Result<(), CliError> {
    if as_json {
        println!("{}", serde_json::to_string(answer).map_err(CliError::unprintable)?);
        return Ok(());
    }
    let made = match answer.created {
        Some(true) => ", created",
        Some(false) | None => "",
    };
    let next = shown(answer.next_reminder_at, SystemClock.now());
    let status = word(answer.status);
    println!(
        "{} is {status}, version {}{made}; next reminder: {next}",
        answer.task_id, answer.version
    );
    for adjusted in &answer.adjusted {
        println!("  {} at {}: {}", adjusted.reminder_id, adjusted.scheduled_for, adjusted.text);
    }
    Ok(())
}

pub(super) async fn get(args: &GetArgs, client: &Client, as_json: bool) -> Result<(), CliError> {
    let view = client.get(&args.id).await?;
    if as_json {
        println!("{}", serde_json::to_string(&view).map_err(CliError::unprintable)?);
    } else {
        print!("{}", sheet(&view)?);
    }
    Ok(())
}

/// A task for people: what it is, its reminders, what happened.
fn sheet(view: &TaskView<'_>) -> Result<String, CliError> {
    let now = SystemClock.now();
    let mut fields = Table::new(&["task", &view.task_id]);
    fields.row(["version".to_owned(), view.version.to_string()]);
    fields.row(["next reminder".to_owned(), shown(view.next_reminder_at, now)]);
    let Paused { task: by_task, user: by_user } = view.paused.unwrap_or_default();
    for (name, since) in [("paused since", by_task), ("user paused since", by_user)] {
        if since.is_some() {
            fields.row([name.to_owned(), shown(since, now)]);
        }
    }
    // Whatever a task has, by the names of the API.
    let task = serde_json::to_value(&*view.task).map_err(CliError::unprintable)?;
    for (name, value) in
        task.as_object().into_iter().flatten().filter(|(name, _)| *name != "reminders")
    {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fields.row([name.clone(), text]);
    }
    let mut reminders = Table::new(&["reminder", "state", "scheduled for", "snoozed until"]);
    for one in &view.reminders {
        let times = [one.scheduled_for, one.snoozed_until].map(|at| shown(at, now));
        reminders.row([one.id.to_string(), word(&one.state)].into_iter().chain(times));
    }
    let mut history = Table::new(&["what happened", "reminder", "at", "due"]);
    for one in &view.history {
        let (at, due) = (shown(Some(one.at), now), one.scheduled_for.to_string());
        history.row([one.what.clone(), one.reminder_id.clone(), at, due]);
    }
    let parts = [fields.text(), reminders.text(), history.text()];
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        snooze: SnoozeArgs,
    }

    fn snooze(args: &[&str]) -> Result<SnoozeArgs, clap::Error> {
        Cli::try_parse_from(["snooze", "milk"].iter().chain(args)).map(|cli| cli.snooze)
    }

    #[test]
    fn a_snooze_says_how_long_in_one_way() {
        let spoken = |args: &[&str]| delay(&snooze(args).unwrap()).unwrap();
        assert!(matches!(spoken(&["--for=10m"]), Delay::For(_)));
        assert!(matches!(
            spoken(&["--until=2027-03-01T20:00", "--zone=Asia/Tokyo"]),
            Delay::Until(_)
        ));
        assert!(matches!(spoken(&["--preset=tonight"]), Delay::Preset(_)));
        for wrong in [&[][..], &["--for=10m", "--until=2027-03-01"], &["--preset=x", "--for=1m"]] {
            assert!(snooze(wrong).is_err(), "{wrong:?}");
        }
        assert!(delay(&snooze(&["--for=soon"]).unwrap()).unwrap_err().is_usage());
    }

    #[test]
    fn no_version_means_that_there_must_be_none() {
        let options = |if_version| Expected { if_version }.options().if_version;
        assert_eq!(options(Some(0)), Some(IfVersion::Absent));
        assert_eq!(options(Some(3)), Some(IfVersion::At(3)));
        assert_eq!(options(None), None);
    }
}
