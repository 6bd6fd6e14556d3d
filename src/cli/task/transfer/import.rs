//! `task import`: rows become tasks, some at a time and told in their order.
//!
//! What is done is kept in a checkpoint, and each row has a name as a command, so it is safe to cut it
//! short and to run it again: a row whose answer was lost is sent again and applied once.

use super::checkpoint::{Checkpoint, beside, fingerprint};
use super::rows::{self, Row};
use super::send::{Outcome, Sender};
use super::{CONCURRENCY, Format, concurrency};
use crate::cli::CliError;
use crate::cli::rearm::progress;
use clap::Args;
use futures_util::{Stream, StreamExt, stream};
use reminder_client::{Client, IfPast};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How often the progress is told and kept.
const TELL_EVERY: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  reminder-scheduler task import tasks.csv --dry-run
  reminder-scheduler task import tasks.csv --report refused.csv
  reminder-scheduler task import nextcloud.ics --if-past skip
  reminder-scheduler task import tasks.jsonl --json | jq 'select(.reason)'

CSV has a head: taskId, title, and as many as you like of description, dueDate, start, zone, recurrence,
priority, tags, status, assignee, createdBy, userId, reminders. JSON Lines have {\"taskId\": …, \"task\": {…}},
or the fields of the task beside its id. Of a calendar, each VTODO is a task, named by its UID.

Exit codes:
  0  every row is a task now
  1  cut short: no answer, or not let in; run it again to go on where it stopped
  2  the command line or the head of the file cannot be understood
  3  done, but for rows that were refused: each is named with its line and the reason";

#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli::task) struct ImportArgs {
    /// The file
    file: PathBuf,
    /// How it is written, unless its name says so
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Rows under way at the same time
    #[arg(long, default_value_t = CONCURRENCY)]
    concurrency: usize,
    /// What to do with reminders that are past already: fire, skip or reject
    #[arg(long, default_value = "skip", value_parser = if_past)]
    if_past: IfPast,
    /// Only say which rows cannot be understood; nothing is sent
    #[arg(long)]
    dry_run: bool,
    /// Where to keep how far it came; beside the file unless said otherwise
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Begin anew, where an earlier run was cut short
    #[arg(long)]
    from_start: bool,
    /// Write the refused rows to this file as well, as CSV
    #[arg(long)]
    report: Option<PathBuf>,
}

fn if_past(text: &str) -> Result<IfPast, String> {
    IfPast::try_from(text.to_owned())
}

pub(in crate::cli::task) async fn run(
    args: ImportArgs,
    client: &Client,
    as_json: bool,
) -> Result<(), CliError> {
    let format = Format::of(args.format, &args.file)?;
    let concurrency = concurrency(args.concurrency)?;
    let wrong =
        |error: std::io::Error| CliError::Usage(format!("{}: {error}", args.file.display()));
    let print = fingerprint(&args.file).map_err(wrong)?;
    let total = rows::open(&args.file, format).map_err(wrong)?.count() as u64;
    let kept = args.checkpoint.clone().unwrap_or_else(|| beside(&args.file));
    let anew = args.from_start || args.dry_run;
    let earlier = if anew { None } else { Checkpoint::load(&kept, &print) };
    let (place, elsewhere) = Checkpoint::begin(print, client.address()).after(earlier);
    if let Some(other) = elsewhere {
        eprintln!("beginning anew: {} is how far it came at {other}", kept.display());
    }
    if place.rows > 0 {
        eprintln!("going on after row {} of {total}", place.rows);
    }
    let rows = rows::open(&args.file, format).map_err(wrong)?;
    let report = Report::open(args.report.as_deref(), place.rows > 0, as_json)?;
    let (first, sender) = (place.rows, Sender::new(client, args.if_past, args.dry_run));
    let kept = (!args.dry_run).then_some(kept);
    let run = Import { place, first, total, kept, report };
    let name = run.place.clone();
    let outcomes =
        stream::iter(rows.enumerate().skip(usize::try_from(first).unwrap_or(usize::MAX)))
            .map(move |(index, row)| {
                let (sender, command) = (sender.clone(), name.command_id(index as u64 + 1));
                async move {
                    let row =
                        row.map_err(|error| CliError::GaveUp(format!("cannot read: {error}")))?;
                    let outcome = sender.send(&row, command).await;
                    Ok::<_, CliError>((row, outcome))
                }
            })
            .buffered(concurrency);
    tokio::select! {
        ended = run.work(outcomes) => ended,
        _ = tokio::signal::ctrl_c() => {
            Err(CliError::GaveUp("interrupted; run it again to go on".to_owned()))
        }
    }
}

/// One that is under way.
struct Import {
    place: Checkpoint,
    /// Rows that an earlier run did.
    first: u64,
    total: u64,
    /// Where the checkpoint is kept; nowhere in a dry run.
    kept: Option<PathBuf>,
    report: Report,
}

impl Import {
    async fn work(
        mut self,
        outcomes: impl Stream<Item = Result<(Row, Outcome), CliError>>,
    ) -> Result<(), CliError> {
        let began = Instant::now();
        let mut told = began;
        let mut outcomes = std::pin::pin!(outcomes);
        while let Some(next) = outcomes.next().await {
            let stopped = match next {
                Ok((row, outcome)) => self.note(&row, outcome)?,
                Err(error) => Some(error),
            };
            if let Some(error) = stopped {
                self.keep()?;
                let rows = self.place.rows;
                let total = self.total;
                eprintln!("stopped at row {rows} of {total}; run it again to go on there");
                return Err(error);
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.keep()?;
                let done = self.place.rows;
                eprintln!("{}", progress(done, self.total, done - self.first, began.elapsed()));
            }
        }
        self.end()
    }

    /// Counts a row; answers why nothing more can be done, if so.
    fn note(&mut self, row: &Row, outcome: Outcome) -> Result<Option<CliError>, CliError> {
        match outcome {
            Outcome::Stopped(error) => return Ok(Some(error)),
            Outcome::Done { created } => self.place.created += u64::from(created),
            Outcome::Refused(why) => {
                self.place.refused += 1;
                self.report.refused(self.place.rows + 1, row, &why)?;
            }
        }
        self.place.rows += 1;
        Ok(None)
    }

    fn keep(&self) -> Result<(), CliError> {
        let Some(at) = &self.kept else { return Ok(()) };
        self.place.save(at).map_err(|error| {
            CliError::GaveUp(format!("cannot keep the place in {}: {error}", at.display()))
        })
    }

    fn end(self) -> Result<(), CliError> {
        let refused = self.place.refused;
        if let Some(at) = &self.kept {
            // It came to its end; that there was none is as good.
            let _ = std::fs::remove_file(at);
        }
        println!("{}", summary(&self.place, self.first, self.kept.is_none(), self.report.as_json));
        match refused {
            0 => Ok(()),
            _ => Err(CliError::Partly(format!("{refused} rows were refused"))),
        }
    }
}

/// What became of all rows, the `earlier` ones of a run that was cut short among them.
fn summary(place: &Checkpoint, earlier: u64, dry: bool, as_json: bool) -> String {
    let Checkpoint { rows, created, refused, .. } = place;
    let good = rows - refused;
    if as_json {
        let summary = json!({ "rows": rows, "earlier": earlier, "good": good, "created": created,
                              "refused": refused, "dryRun": dry });
        return json!({ "summary": summary }).to_string();
    }
    if dry {
        return format!("{good} of {rows} rows can be understood; nothing was sent");
    }
    let done =
        format!("{good} of {rows} rows are tasks now, {created} of them new; {refused} refused");
    if earlier == 0 { done } else { format!("{done}; an earlier run did {earlier} of the rows") }
}

/// Tells of refused rows.
struct Report {
    as_json: bool,
    file: Option<csv::Writer<std::fs::File>>,
}

impl Report {
    fn open(file: Option<&Path>, goes_on: bool, as_json: bool) -> Result<Self, CliError> {
        let Some(path) = file else { return Ok(Self { as_json, file: None }) };
        let wrong = |error: &dyn std::fmt::Display| {
            CliError::Usage(format!("--report {}: {error}", path.display()))
        };
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(goes_on).truncate(!goes_on);
        let opened = options.open(path).map_err(|error| wrong(&error))?;
        let mut file = csv::Writer::from_writer(opened);
        if !goes_on {
            file.write_record(["row", "line", "task", "reason"]).map_err(|error| wrong(&error))?;
        }
        Ok(Self { as_json, file: Some(file) })
    }

    fn refused(&mut self, number: u64, row: &Row, why: &str) -> Result<(), CliError> {
        let (line, name) = (row.line, &row.name);
        let text = if self.as_json {
            let told: Value = json!({ "row": number, "line": line, "task": name, "reason": why });
            told.to_string()
        } else {
            format!("row {number}, line {line}, task {name:?}: {why}")
        };
        let mut written = writeln!(std::io::stdout(), "{text}");
        if let Some(file) = &mut self.file {
            let record = [&number.to_string(), &line.to_string(), name, why];
            written = written.and(file.write_record(record).map_err(Into::into));
            written = written.and_then(|()| file.flush());
        }
        written.map_err(|error| CliError::GaveUp(format!("cannot tell of a refused row: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_an_earlier_run_did() {
        let begun = Checkpoint::begin("file".into(), "http://here/".into());
        let place = Checkpoint { rows: 42, created: 30, refused: 2, ..begun };
        let all = "40 of 42 rows are tasks now, 30 of them new; 2 refused";
        assert_eq!(summary(&place, 0, false, false), all);
        let went_on = format!("{all}; an earlier run did 10 of the rows");
        assert_eq!(summary(&place, 10, false, false), went_on);
        assert!(summary(&place, 10, false, true).contains(r#""earlier":10"#));
        assert!(summary(&place, 0, true, false).ends_with("nothing was sent"));
    }
}
