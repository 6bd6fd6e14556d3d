//! `task put`: a task from options, or from a file.

use super::act::{Expected, answer};
use super::time::{moment_or_delay, span};
use super::{CliError, task_id};
use crate::clock::{Clock, SystemClock};
use clap::Args;
use reminder_client::{CallOptions, Client, CorrelationId, IfPast, TaskId};
use serde_json::{Map, Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler task put tea --title \"Tea is ready\" --due 4m
  reminder-scheduler task put milk --title \"Buy milk\" --due 2027-03-01T18:00 --zone Europe/Berlin --remind 1d --remind 15m
  reminder-scheduler task put pills --title Pills --due 2027-03-01T08:00 --rrule FREQ=DAILY --user ada@example.org
  reminder-scheduler task put milk --file milk.json --if-version 3
  echo '{\"title\": \"From a pipe\"}' | reminder-scheduler task put pipe --file -";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct PutArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    /// One line that says what it is
    #[arg(long, required_unless_present = "file")]
    title: Option<String>,
    /// More words
    #[arg(long)]
    description: Option<String>,
    /// When it is due: an instant (RFC 3339), a local time, a date, or how long from now, such as 2h
    #[arg(long)]
    due: Option<String>,
    /// Zone of a local time; without one it is wherever the user is
    #[arg(long)]
    zone: Option<String>,
    /// When it comes again, as an RRULE of RFC 5545
    #[arg(long)]
    rrule: Option<String>,
    /// Remind so long before it is due, such as 15m or 1d; may be repeated. Without it: as the user's
    /// preferences say, else at the due date
    #[arg(long, value_name = "BEFORE")]
    remind: Vec<String>,
    /// low, normal, high or urgent
    #[arg(long)]
    priority: Option<String>,
    /// A label; may be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// Whose task it is
    #[arg(long)]
    user: Option<String>,
    /// Who shall do it
    #[arg(long)]
    assignee: Option<String>,
    /// The whole task as JSON, from this file, or from standard input with "-"
    #[arg(long, conflicts_with_all = [
        "title", "description", "due", "zone", "rrule", "remind", "priority", "tag", "user", "assignee",
    ])]
    file: Option<PathBuf>,
    /// What to do with reminders that are past already: fire, skip or reject
    #[arg(long, value_parser = if_past)]
    if_past: Option<IfPast>,
    #[command(flatten)]
    expected: Expected,
    /// Names the command, so that it is applied once however often it is sent
    #[arg(long, value_parser = command_id)]
    command_id: Option<CorrelationId>,
}

fn if_past(text: &str) -> Result<IfPast, String> {
    IfPast::try_from(text.to_owned())
}

fn command_id(text: &str) -> Result<CorrelationId, String> {
    CorrelationId::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: PutArgs, client: &Client, as_json: bool) -> Result<(), CliError> {
    let task = match &args.file {
        Some(file) => read(file)?,
        None => task(&args)?,
    };
    let options = CallOptions {
        if_past: args.if_past,
        idempotency_key: args.command_id,
        ..args.expected.options()
    };
    answer(&client.put(&args.id, &task, &options).await?, as_json)
}

fn read(file: &Path) -> Result<Value, CliError> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    let wrong =
        |why: &dyn std::fmt::Display| CliError::Usage(format!("--file {}: {why}", file.display()));
    read.map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

fn task(args: &PutArgs) -> Result<Value, CliError> {
    let mut task = Map::new();
    let texts = [
        ("title", &args.title),
        ("description", &args.description),
        ("priority", &args.priority),
        ("userId", &args.user),
        ("assignee", &args.assignee),
    ];
    for (name, text) in texts {
        task.extend(text.clone().map(|text| (name.to_owned(), text.into())));
    }
    if let Some(due) = &args.due {
        let due = moment_or_delay(due, args.zone.as_deref(), SystemClock.now());
        let due = due.map_err(|why| CliError::Usage(format!("--due {why}")))?;
        task.insert("dueDate".into(), due);
    }
    if let Some(rule) = &args.rrule {
        task.insert("recurrence".into(), json!({ "rule": rule }));
    }
    if !args.tag.is_empty() {
        task.insert("tags".into(), json!(args.tag));
    }
    if !args.remind.is_empty() {
        let reminders =
            reminders(&args.remind).map_err(|why| CliError::Usage(format!("--remind {why}")))?;
        task.insert("reminders".into(), reminders);
    }
    Ok(Value::Object(task))
}

/// Reminders by how long they are before the due date, named by their order.
pub(super) fn reminders<T: AsRef<str>>(spans: &[T]) -> Result<Value, String> {
    let reminder = |(index, text): (usize, &T)| {
        Ok(json!({ "id": format!("r{}", index + 1), "before": span(text.as_ref())? }))
    };
    spans.iter().enumerate().map(reminder).collect::<Result<Vec<_>, String>>().map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use reminder_contract::wire::{Method, parse_command};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        put: PutArgs,
    }

    fn parsed(args: &[&str]) -> Result<PutArgs, clap::Error> {
        Cli::try_parse_from(["put", "milk"].iter().chain(args)).map(|cli| cli.put)
    }

    #[test]
    fn options_make_a_task_that_the_service_takes() {
        let args = parsed(&[
            "--title=Buy milk",
            "--due=2027-03-01T18:00",
            "--zone=Europe/Berlin",
            "--rrule=FREQ=WEEKLY",
            "--remind=1d",
            "--remind=15m",
            "--priority=high",
            "--tag=home",
            "--user=ada@example.org",
        ]);
        let task = task(&args.unwrap()).unwrap();
        assert_eq!(task["reminders"][1], json!({"id": "r2", "before": "PT900S"}));
        let body = json!({ "task": task }).to_string();
        assert!(parse_command(Method::Put, body.as_bytes()).is_ok(), "{body}");
    }

    #[test]
    fn a_file_says_all_of_it() {
        assert!(parsed(&[]).is_err(), "neither title nor file");
        assert!(parsed(&["--file=x.json", "--title=t"]).is_err());
        assert!(parsed(&["--file=x.json"]).is_ok());
        let wrong = parsed(&["--title=t", "--due=soon"]).unwrap();
        assert!(task(&wrong).unwrap_err().is_usage());
    }
}
