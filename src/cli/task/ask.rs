//! `task preview` and `task explain`: what will fire, and why something did or did not.

use super::act::reminder_id;
use super::table::{Table, word};
use super::time::shown;
use super::{CliError, task_id};
use crate::clock::{Clock, SystemClock};
use clap::Args;
use reminder_client::wire::{ExplanationView, FiringView, PreviewView, StepView};
use reminder_client::{Client, ReminderId, TaskId, Timestamp};

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task preview pills --count 10
  reminder-scheduler task preview pills --rules")]
pub(super) struct PreviewArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    /// How many firings
    #[arg(long, default_value_t = 5)]
    count: usize,
    /// With the rules that lead to each
    #[arg(long)]
    rules: bool,
}

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler task explain milk due 2027-03-01T17:00:00Z")]
pub(super) struct ExplainArgs {
    /// The task
    #[arg(value_parser = task_id)]
    id: TaskId,
    /// The reminder
    #[arg(value_parser = reminder_id)]
    reminder: ReminderId,
    /// The moment, RFC 3339
    #[arg(value_parser = instant)]
    scheduled_for: Timestamp,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn preview(
    args: &PreviewArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let view = client.preview(&args.id, Some(args.count)).await?;
    if as_json {
        println!("{}", serde_json::to_string(&view).map_err(CliError::unprintable)?);
    } else {
        print!("{}", firings(&view, args.rules));
    }
    Ok(())
}

fn firings(view: &PreviewView<'_>, with_rules: bool) -> String {
    if view.firings.is_empty() {
        return format!("nothing of {} is to come\n", view.task_id);
    }
    let now = SystemClock.now();
    let mut table = Table::new(&["fires", "reminder", "cause", "occurrence"]);
    for firing in &view.firings {
        table.row([
            shown(Some(firing.scheduled_for), now),
            firing.reminder_id.clone(),
            word(&firing.cause),
            word(firing.occurrence),
        ]);
    }
    if !with_rules {
        return table.text();
    }
    let of = |firing: &FiringView| {
        format!("\n{} at {}\n{}", firing.reminder_id, firing.scheduled_for, rules(&firing.rules))
    };
    table.text() + &view.firings.iter().map(of).collect::<String>()
}

pub(super) async fn explain(
    args: &ExplainArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let view = client.explain(&args.id, &args.reminder, args.scheduled_for).await?;
    if as_json {
        println!("{}", serde_json::to_string(&view).map_err(CliError::unprintable)?);
    } else {
        print!("{}", explanation(&view));
    }
    Ok(())
}

fn explanation(view: &ExplanationView<'_>) -> String {
    let ExplanationView { task_id, reminder_id, scheduled_for, verdict, text, .. } = view;
    format!(
        "{reminder_id} of {task_id} at {scheduled_for}: {verdict}\n{text}\n{}",
        rules(&view.rules)
    )
}

fn rules(steps: &[StepView]) -> String {
    steps.iter().fold(String::new(), |text, step| text + "  - " + &step.text + "\n")
}
