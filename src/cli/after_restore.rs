//! `reminder-scheduler after-restore`: what follows from the restore of a backup, done once, before
//! the service is started again. `docs/operations.md` has the whole procedure.

use super::{DatabaseArgs, EXIT_USAGE};
use crate::audit::settings::DEAD_AFTER;
use crate::clock::{Clock, SystemClock};
use crate::config::Secret;
use crate::read_model::{self, Checked, RestoreError, Restored, StateTable};
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// How long the database may take to be there.
const DATABASE_PATIENCE: Duration = Duration::from_secs(60);
/// How often the look at all tasks says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How many tasks that cannot be read are named.
const NAMED_MAX: usize = 20;
/// The exit code when everything was done, but there are tasks that cannot be read.
const EXIT_UNREADABLE: u8 = 3;

/// Which database, and how careful.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler after-restore           with the service stopped, once the backup is back
  reminder-scheduler after-restore --force   of a backup of the last half minute

Exit codes: 0 done; 1 refused, or no answer; 2 usage; 3 done, but there are tasks that cannot be read")]
pub struct AfterRestoreArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Even though the service seems to run; its processes can write nothing until they are restarted
    #[arg(long)]
    force: bool,
}

/// Does it, telling how far it is.
pub async fn run(args: AfterRestoreArgs) -> ExitCode {
    let (url, table) = match args.database.checked() {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match go_on(&url, table, args.force).await {
        Ok(checked) if checked.unreadable.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EXIT_UNREADABLE),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn go_on(url: &Secret, table: StateTable, force: bool) -> Result<Checked, RestoreError> {
    // A backup may be older than the migrations of this version.
    let tell = |reason: &str| println!("waiting for {reason}");
    let migrated =
        read_model::migrate_within(url.expose(), table.as_str(), DATABASE_PATIENCE, &tell).await?;
    let mut restored = Restored::connect(url.expose(), migrated.schema, table).await?;
    let incarnation = restored.begin_incarnation((!force).then_some(DEAD_AFTER)).await?;
    println!("everything goes on in incarnation {incarnation}; the service may be started now");
    let checked = check(&mut restored, incarnation).await?;
    let lost = restored.forget_lost().await?;
    println!("{} tasks are stored", checked.tasks);
    if checked.reindexed > 0 || lost > 0 {
        println!(
            "task_index did not agree with them: {} rows written anew, {lost} removed",
            checked.reindexed
        );
    }
    for damaged in checked.unreadable.iter().take(NAMED_MAX) {
        eprintln!("task {} cannot be read: {}", damaged.task, damaged.reason);
    }
    if checked.unreadable.len() > NAMED_MAX {
        eprintln!("and {} more", checked.unreadable.len() - NAMED_MAX);
    }
    Ok(checked)
}

async fn check(restored: &mut Restored, incarnation: u32) -> Result<Checked, RestoreError> {
    let estimate = restored.estimate().await?;
    let (began, mut told) = (Instant::now(), Instant::now());
    let mut checked = Checked::default();
    let mut after = String::new();
    loop {
        let page = restored.check_page(&after, incarnation, SystemClock.now(), &mut checked);
        let Some(last) = page.await? else { return Ok(checked) };
        after = last;
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let rate = checked.tasks * 1_000
                / u64::try_from(began.elapsed().as_millis()).unwrap_or(1).max(1);
            println!("looked at {} tasks of about {estimate}, {rate}/s", checked.tasks);
        }
    }
}
