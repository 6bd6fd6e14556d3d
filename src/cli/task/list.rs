//! `task list`: tasks with their next reminders, from the read model.

use super::CliError;
use super::table::{Table, word};
use super::time::{relative, shown};
use crate::clock::{Clock, SystemClock};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use reminder_client::rest::{StatusFilter, TaskItem};
use reminder_client::{Client, TasksQuery};
use std::io::Write as _;

/// Tasks of a table whose columns are aligned together.
const TABLE_ROWS: usize = 200;

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler task list --user ada@example.org --status open
  reminder-scheduler task list --limit 0 --json | wc -l         all of them, an object a line";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListArgs {
    /// Of this user
    #[arg(long)]
    user: Option<String>,
    #[arg(
        long,
        value_parser = status,
        help = "That stand there: open, pending, in_progress, completed or deleted; without it, all but \
                deleted"
    )]
    status: Option<StatusFilter>,
    /// At most so many; 0: all
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

pub(super) fn status(text: &str) -> Result<StatusFilter, String> {
    StatusFilter::parse(text).ok_or_else(|| {
        let known: Vec<&str> = StatusFilter::ALL.iter().map(|one| one.as_str()).collect();
        format!("must be one of {}", known.join(", "))
    })
}

pub(super) async fn run(args: ListArgs, client: &Client, as_json: bool) -> Result<(), CliError> {
    let query = TasksQuery { user: args.user, status: args.status, ..TasksQuery::default() };
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    // One more tells whether there are more.
    let all = client.tasks(query).take(limit.saturating_add(1));
    let mut pages = std::pin::pin!(all.try_chunks(TABLE_ROWS));
    let mut told = 0;
    while let Some(page) = pages.try_next().await.map_err(|error| error.1)? {
        let shown = &page[..page.len().min(limit - told)];
        told += shown.len();
        let text = if as_json { lines(shown)? } else { table(shown) };
        // Who reads has seen enough.
        if write!(std::io::stdout(), "{text}").is_err() {
            return Ok(());
        }
        if shown.len() < page.len() && !as_json {
            println!("and more; --limit 0 lists all");
        }
    }
    if told == 0 && !as_json {
        println!("no tasks");
    }
    Ok(())
}

fn lines(items: &[TaskItem]) -> Result<String, CliError> {
    let line = |item: &TaskItem| Ok(serde_json::to_string(item)? + "\n");
    items.iter().map(line).collect::<Result<String, _>>().map_err(CliError::unprintable)
}

fn table(items: &[TaskItem]) -> String {
    let now = SystemClock.now();
    let mut table = Table::new(&["task", "status", "next reminder", "user", "version", "changed"]);
    for item in items {
        table.row([
            item.task_id.clone(),
            word(item.status),
            if item.paused { "paused".to_owned() } else { shown(item.next_reminder_at, now) },
            item.user_id.clone().unwrap_or_else(|| "-".to_owned()),
            item.version.to_string(),
            relative(item.updated_at, now),
        ]);
    }
    table.text()
}
