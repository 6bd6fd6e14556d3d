//! What lies in a file: one row after the other, whatever its format.

use super::{Format, csv, ics, jsonl};
use reminder_client::TaskId;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A row of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The line that it begins on, from 1.
    pub(super) line: u64,
    /// The task that it names, as it names it; empty: none.
    pub(super) name: String,
    /// What it asks for, or why it cannot be understood.
    pub(super) wish: Result<Wish, String>,
}

/// A task to create or to replace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) id: TaskId,
    pub(super) task: Said,
}

/// A task, as the file says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// As the API says it.
    Json(Value),
    /// As a calendar with one `VTODO`.
    Calendar(String),
}

impl Said {
    /// The body of the actor method that does the same.
    pub(super) fn body(&self) -> Value {
        match self {
            Self::Json(task) => json!({ "task": task }),
            Self::Calendar(calendar) => json!({ "calendar": calendar }),
        }
    }
}

/// The rows of a file.
pub(super) type Rows = Box<dyn Iterator<Item = std::io::Result<Row>> + Send>;

/// Opens a file and reads what comes before its rows.
///
/// # Errors
/// When it cannot be read, or its head not be understood.
pub(super) fn open(file: &Path, format: Format) -> std::io::Result<Rows> {
    let reader = || File::open(file).map(BufReader::new);
    Ok(match format {
        Format::Csv => Box::new(csv::Reader::new(reader()?)?),
        Format::Jsonl => Box::new(jsonl::Reader::new(reader()?)),
        // Zones may stand behind the tasks that need them, so the file is gone through twice.
        Format::Ics => Box::new(ics::Reader::new(ics::zones(reader()?)?, reader()?)),
    })
}
