//! `task import` and `task export`: many tasks from a file, and into one.
//!
//! | Format | A task is | Says everything |
//! |---|---|---|
//! | CSV | a line below a head of names | yes: where a cell is too plain, it holds the API's JSON |
//! | JSON Lines | an object a line, `{"taskId": …, "task": {…}}` | yes |
//! | iCalendar | a `VTODO` | yes, in properties of our own where the format has no words |

mod checkpoint;
mod csv;
mod export;
mod ics;
mod import;
mod jsonl;
mod rows;
mod send;

pub(super) use export::{ExportArgs, run as export};
pub(super) use import::{ImportArgs, run as import};

use crate::cli::CliError;
use clap::ValueEnum;
use std::path::Path;

/// Calls under way at the same time, unless asked otherwise.
const CONCURRENCY: usize = 16;
/// The most that may be asked for; the service refuses what is too much for it.
const CONCURRENCY_MAX: usize = 256;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values with a head (RFC 4180)
    Csv,
    /// A JSON object on each line
    Jsonl,
    /// iCalendar (RFC 5545)
    Ics,
}

impl Format {
    /// The one that was asked for, or that the name of the file says.
    fn of(asked: Option<Self>, file: &Path) -> Result<Self, CliError> {
        let extension = file.extension().map(|one| one.to_string_lossy().to_lowercase());
        let told = match extension.as_deref() {
            Some("csv") => Some(Self::Csv),
            Some("jsonl" | "ndjson") => Some(Self::Jsonl),
            Some("ics" | "ical") => Some(Self::Ics),
            _ => None,
        };
        asked.or(told).ok_or_else(|| {
            let usage = format!("--format csv, jsonl or ics: {} does not tell", file.display());
            CliError::Usage(usage)
        })
    }
}

fn concurrency(asked: usize) -> Result<usize, CliError> {
    if (1..=CONCURRENCY_MAX).contains(&asked) {
        return Ok(asked);
    }
    Err(CliError::Usage(format!("--concurrency must lie between 1 and {CONCURRENCY_MAX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_format_unless_it_is_said() {
        let of = |asked, file: &str| Format::of(asked, Path::new(file));
        assert_eq!(of(None, "a.CSV").unwrap(), Format::Csv);
        assert_eq!(of(None, "a.ndjson").unwrap(), Format::Jsonl);
        assert_eq!(of(Some(Format::Ics), "a.csv").unwrap(), Format::Ics);
        assert!(of(None, "-").unwrap_err().is_usage());
        assert!(concurrency(0).is_err() && concurrency(CONCURRENCY_MAX).is_ok());
    }
}
