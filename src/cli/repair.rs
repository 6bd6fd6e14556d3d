//! `repair`: tasks whose stored state cannot be read are listed, looked at, and replaced.
//!
//! What a repair is, tells [`crate::repair`].

use super::{CliError, Database, DatabaseArgs};
use crate::repair::{Paused, Place, RepairError, Replacement, examine};
use clap::{Args, Subcommand};
use reminder_contract::wire::parse_task_id;
use reminder_domain::{TaskId, next_wake};
use std::path::{Path, PathBuf};

/// Parked tasks read at once.
const PAGE: i64 = 500;
/// How much of a damaged line is shown, in bytes.
const SHOWN_MAX_BYTES: usize = 400;

/// What to repair, and how.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  reminder-scheduler repair list
  reminder-scheduler repair show milk
  reminder-scheduler repair milk --with milk.json
  reminder-scheduler repair milk --forget

Exit codes: 0 done; 1 it is not broken, or was changed meanwhile, or no answer; 2 usage")]
pub struct RepairArgs {
    #[command(subcommand)]
    look: Option<Look>,
    /// The task to repair
    task: Option<String>,
    /// File with the body of a `put`, which takes the place of what is stored
    #[arg(long, conflicts_with = "forget")]
    with: Option<PathBuf>,
    /// Leave a deleted task behind, so that a new `put` can start over
    #[arg(long)]
    forget: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Subcommand, Clone, Debug)]
enum Look {
    /// Show the tasks that are parked, and why
    List,
    /// Show what is stored of a task, and where reading it fails
    Show {
        /// The task
        task: String,
    },
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, with the task, or with the database.
pub async fn run(args: RepairArgs) -> Result<(), CliError> {
    match (&args.look, &args.task) {
        (Some(Look::List), _) => list(&args.database.open().await?).await,
        (Some(Look::Show { task }), _) => {
            let task = task_id(task)?;
            show(&args.database.open().await?, &task).await
        }
        (None, Some(task)) => {
            let task = task_id(task)?;
            let replacement = replacement(args.with.as_deref(), args.forget)?;
            repair(&args.database.open().await?, &task, &replacement).await
        }
        (None, None) => Err(CliError::Usage("say which task, or `list`".into())),
    }
}

fn task_id(text: &str) -> Result<TaskId, CliError> {
    parse_task_id(text).map_err(|problem| CliError::Usage(problem.detail.clone()))
}

async fn list(database: &Database) -> Result<(), CliError> {
    let mut after = String::new();
    let mut count = 0;
    loop {
        let page = database.model.list_parked(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.task.clone_into(&mut after);
        count += page.len();
        for parked in page {
            println!(
                "{}  {}  since {}  last tried {}  next wake {}  user {}\n    {}",
                parked.task,
                parked.reason,
                parked.since,
                parked.tried_at,
                parked.next_wake.as_deref().unwrap_or("-"),
                parked.user.as_deref().unwrap_or("-"),
                parked.detail
            );
        }
    }
    println!("{count} parked");
    Ok(())
}

async fn show(database: &Database, task: &TaskId) -> Result<(), CliError> {
    let stored = database.model.stored(&database.table, task).await?;
    println!("task      {task}");
    println!("parked    {}", stored.parked.as_deref().unwrap_or("no"));
    match &stored.index {
        None => println!("index     no row"),
        Some(row) => println!(
            "index     version {}, incarnation {}, {}, user {}, next wake {}, committed {}",
            row.version,
            row.incarnation,
            row.status,
            row.user.as_deref().unwrap_or("-"),
            row.next_wake.as_deref().unwrap_or("-"),
            row.updated_at
        ),
    }
    let Some(value) = &stored.value else {
        println!("stored    no row");
        return Ok(());
    };
    let line = value.iter().position(|byte| *byte == b'\n').unwrap_or(value.len());
    let shown = String::from_utf8_lossy(&value[..line.min(SHOWN_MAX_BYTES)]).into_owned();
    println!("stored    {} bytes, of which {line} are the first line", value.len());
    println!("line      {}", shown.escape_debug());
    match examine(&stored) {
        Ok(state) => println!("verdict   it can be read, at version {}", state.version),
        Err(why) => println!("verdict   {why}"),
    }
    Ok(())
}

fn replacement(file: Option<&Path>, forget: bool) -> Result<Replacement, CliError> {
    let file = match (file, forget) {
        (Some(file), _) => file,
        (None, true) => return Ok(Replacement::Tombstone),
        (None, false) => {
            let usage = "say --with FILE, the body of a `put`, or --forget";
            return Err(CliError::Usage(usage.into()));
        }
    };
    let body = std::fs::read(file)
        .map_err(|error| CliError::Usage(format!("{} cannot be read: {error}", file.display())))?;
    Replacement::of_put(&body)
        .map_err(|problem| CliError::Usage(format!("{}: {}", file.display(), problem.detail)))
}

async fn repair(
    database: &Database,
    task: &TaskId,
    replacement: &Replacement,
) -> Result<(), CliError> {
    let (model, table) = (&database.model, database.table.as_str());
    let place =
        Place { model, table, incarnation: database.incarnation, users: &database.users()? };
    let repaired = crate::repair::repair(place, task, replacement).await?;
    let (why, next) = (repaired.why, repaired.state);
    println!(
        "task {task} was repaired ({why}): version {}, incarnation {}",
        next.version, next.incarnation
    );
    match repaired.paused {
        Paused::Still => {
            println!("it is paused, as it was; when it is resumed, it fires again");
            return Ok(());
        }
        Paused::NoMore => println!(
            "it was paused, by itself or by its user, and what is stored does not tell by which: it is not any \
             more; pause it again if need be"
        ),
        Paused::No => {}
    }
    match next_wake(&next) {
        Some(at) => {
            println!("it wakes at {at}; the service registers that within a round of its audit");
        }
        None if next.live().is_none() => println!("it counts as deleted; a `put` starts over"),
        None => println!("nothing is left to fire"),
    }
    Ok(())
}

impl From<RepairError> for CliError {
    fn from(error: RepairError) -> Self {
        match error {
            RepairError::Refused(why) => Self::Refused(why),
            RepairError::Query(error) => Self::Query(error),
            RepairError::Call(error) => Self::Call(error),
        }
    }
}
