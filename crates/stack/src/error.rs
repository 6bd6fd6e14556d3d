//! The one failure that callers treat apart: a part that does not come up.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::logs;
use crate::part::Part;

/// Lines of the log that are shown with the failure.
const SHOWN_LINES: usize = 15;

/// A part did not start, or did not get ready in time.
#[derive(Debug)]
pub struct PartFailed {
    /// The part.
    pub part: Part,
    /// What went wrong, as a clause: "exited", "not ready after 30 s".
    pub reason: String,
    /// The file its output goes to.
    pub log: PathBuf,
    /// The last lines of it.
    pub tail: Vec<String>,
}

impl PartFailed {
    pub(crate) fn new(part: Part, reason: impl Into<String>, log: &Path) -> Self {
        let tail = logs::tail(log, SHOWN_LINES).unwrap_or_default();
        let tail = logs::since_start(tail);
        Self { part, reason: reason.into(), log: log.to_path_buf(), tail }
    }
}

impl fmt::Display for PartFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; its log is {}", self.part, self.reason, self.log.display())?;
        for line in &self.tail {
            write!(f, "\n  | {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PartFailed {}
