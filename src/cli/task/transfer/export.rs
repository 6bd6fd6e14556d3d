//! `task export`: tasks as they are, into a file or to standard output.

use super::{CONCURRENCY, Format, concurrency, csv, ics, jsonl};
use crate::cli::CliError;
use crate::cli::task::list::status;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt};
use reminder_client::rest::StatusFilter;
use reminder_client::{Client, Error, ProblemKind, TaskId, TasksQuery};
use serde_json::Value;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler task export tasks.csv
  reminder-scheduler task export ada.ics --user ada@example.org
  reminder-scheduler task export --format jsonl --status open | gzip > open.jsonl.gz

What is written can be imported again: the same tasks with the same reminders. A file appears whole, or
not at all. Deleted tasks are in no export.

Exit codes:
  0  written
  1  not written: no answer, or not let in
  2  the command line cannot be understood";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli::task) struct ExportArgs {
    /// The file; standard output without it
    file: Option<PathBuf>,
    /// How to write it, unless its name says so
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Tasks of this user only
    #[arg(long)]
    user: Option<String>,
    #[arg(
        long,
        value_parser = status,
        help = "Tasks that stand there: open, pending, in_progress or completed"
    )]
    status: Option<StatusFilter>,
    /// Tasks asked for at the same time
    #[arg(long, default_value_t = CONCURRENCY)]
    concurrency: usize,
}

pub(in crate::cli::task) async fn run(args: ExportArgs, client: &Client) -> Result<(), CliError> {
    let format = Format::of(args.format, args.file.as_deref().unwrap_or(Path::new("-")))?;
    let count = match &args.file {
        None => export(&args, format, client, io::stdout().lock()).await?,
        Some(file) => {
            let wrong = |error: io::Error| {
                CliError::Refused(format!("cannot write {}: {error}", file.display()))
            };
            let mut name = file.file_name().unwrap_or_default().to_owned();
            name.push(".part");
            let part = file.with_file_name(name);
            let writer = BufWriter::new(fs::File::create(&part).map_err(wrong)?);
            let exported = export(&args, format, client, writer).await;
            let ended = exported.and_then(|count| {
                fs::rename(&part, file).map_err(wrong)?;
                Ok(count)
            });
            ended.inspect_err(|_| {
                // What is not whole would be taken for it.
                let _ = fs::remove_file(&part);
            })?
        }
    };
    eprintln!("{count} tasks were written");
    Ok(())
}

/// A task as a format needs it.
enum Found {
    Json { id: String, version: u64, task: Value },
    Calendar(String),
}

async fn export(
    args: &ExportArgs,
    format: Format,
    client: &Client,
    output: impl Write,
) -> Result<u64, CliError> {
    let concurrency = concurrency(args.concurrency)?;
    let unwritten = |error: io::Error| CliError::Refused(format!("cannot write: {error}"));
    let mut writer = Writer::new(format, output).map_err(unwritten)?;
    let query =
        TasksQuery { user: args.user.clone(), status: args.status, ..TasksQuery::default() };
    let found = client
        .tasks(query)
        .map_ok(|item| find(client, format, item.task_id))
        .try_buffered(concurrency);
    let mut found = std::pin::pin!(found);
    let (mut count, mut told) = (0, Instant::now());
    while let Some(found) = found.next().await {
        // One that was deleted since it was listed is none any more.
        let Some(found) = found? else { continue };
        writer.write(&found).map_err(unwritten)?;
        count += 1;
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            eprintln!("{count} tasks");
        }
    }
    writer.finish().map_err(unwritten)?;
    Ok(count)
}

async fn find(client: &Client, format: Format, id: String) -> Result<Option<Found>, Error> {
    // No task has an id that cannot be read.
    let Ok(task) = TaskId::parse(id.as_str()) else { return Ok(None) };
    let found = match format {
        Format::Ics => client.export_calendar(&task).await.map(Found::Calendar),
        Format::Csv | Format::Jsonl => client.get(&task).await.and_then(|view| {
            let task = serde_json::to_value(&*view.task).map_err(Error::Unwritable)?;
            Ok(Found::Json { id, version: view.version, task })
        }),
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Refused(problem)) if problem.kind() == Some(ProblemKind::UnknownTask) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

enum Writer<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
    Ics(ics::Writer<W>),
}

impl<W: Write> Writer<W> {
    fn new(format: Format, output: W) -> io::Result<Self> {
        Ok(match format {
            Format::Csv => Self::Csv(Box::new(csv::Writer::new(output)?)),
            Format::Jsonl => Self::Jsonl(output),
            Format::Ics => Self::Ics(ics::Writer::new(output)?),
        })
    }

    fn write(&mut self, found: &Found) -> io::Result<()> {
        match (self, found) {
            (Self::Csv(writer), Found::Json { id, task, .. }) => writer.write(id, task),
            (Self::Jsonl(writer), Found::Json { id, version, task }) => {
                writer.write_all(jsonl::line(id, *version, task).as_bytes())
            }
            (Self::Ics(writer), Found::Calendar(calendar)) => writer.write(calendar),
            _ => Err(io::Error::other("a task came in another format than asked for")),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.finish(),
            Self::Jsonl(mut writer) => writer.flush(),
            Self::Ics(writer) => writer.finish(),
        }
    }
}
