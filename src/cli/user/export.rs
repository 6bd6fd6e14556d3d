//! `user export`: all that is kept of a user, into a file or to standard output.

use crate::cli::CliError;
use clap::Args;
use reminder_client::rest::ExportLine;
use reminder_client::{Client, Export, Person};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler user export ada@example.org --out ada.jsonl
  reminder-scheduler user export ada@example.org | jq 'select(.kind == \"task\")'

JSON Lines: a header, the preferences, each task with its reminders and what happened to them, deleted ones as
far as anything is left of them, and a last line that counts. A file appears whole, or not at all.

Exit codes:
  0  written
  1  not written: no answer, not let in, or broken off
  2  the command line cannot be understood
  3  written, but for tasks that could not be read: they are named";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// The user
    #[arg(value_parser = super::person)]
    user: Person,
    /// The file; standard output without it
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) async fn run(args: &ExportArgs, client: &Client) -> Result<(), CliError> {
    let export = client.export_user(&args.user).await?;
    let failed = match &args.out {
        None => write(export, io::stdout().lock()).await?,
        Some(file) => into_file(export, file).await?,
    };
    if failed > 0 {
        return Err(CliError::Partly(format!("{failed} tasks could not be read")));
    }
    Ok(())
}

/// Writes beside the file first: what is not whole would be taken for it.
async fn into_file(export: Export, file: &Path) -> Result<u64, CliError> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let wrong =
        |error: io::Error| CliError::Refused(format!("cannot write {}: {error}", file.display()));
    let writer = BufWriter::new(fs::File::create(&part).map_err(wrong)?);
    let written = write(export, writer).await;
    let renamed = written.and_then(|failed| {
        fs::rename(&part, file).map_err(wrong)?;
        Ok(failed)
    });
    renamed.inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })
}

/// Writes the lines as they come; tells how many tasks could not be read.
async fn write(mut export: Export, mut output: impl Write) -> Result<u64, CliError> {
    let unwritten = |error: io::Error| CliError::Refused(format!("cannot write: {error}"));
    let (mut lines, mut told, mut end) = (0_u64, Instant::now(), None);
    while let Some(line) = export.next_line().await? {
        output.write_all(&line).and_then(|()| output.write_all(b"\n")).map_err(unwritten)?;
        lines += 1;
        match Export::read(&line)? {
            ExportLine::Failed { task_id, problem } => eprintln!("{task_id}: {problem}"),
            ExportLine::End { tasks, deleted, failed, complete } => {
                eprintln!("{tasks} tasks and {deleted} deleted ones were written");
                end = Some((failed, complete));
            }
            _ => {}
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{lines} lines");
        }
    }
    output.flush().map_err(unwritten)?;
    match end {
        Some((failed, true)) => Ok(failed),
        _ => Err(CliError::GaveUp("the export was broken off: it is not whole".to_owned())),
    }
}
