//! Why a calendar cannot be imported, and where.

use std::fmt;

/// Longest piece of a calendar that a message repeats, in characters.
const EXCERPT_MAX_CHARS: usize = 80;

/// A calendar that cannot be imported as it is meant.
///
/// Reads `line 12, TRIGGER of VALARM: …`. Lines are those of the file, before unfolding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", Place(self))]
pub struct ImportError {
    /// The line of the file, where one is at fault.
    pub line: Option<usize>,
    /// The property at fault, with its component: `TRIGGER of VALARM`.
    pub property: Option<String>,
    /// What is wrong, and what would be right.
    pub reason: String,
}

struct Place<'a>(&'a ImportError);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.line, &self.0.property) {
            (Some(line), Some(property)) => write!(f, "line {line}, {property}: "),
            (Some(line), None) => write!(f, "line {line}: "),
            (None, Some(property)) => write!(f, "{property}: "),
            (None, None) => Ok(()),
        }
    }
}

impl ImportError {
    /// The calendar as a whole is at fault.
    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self { line: None, property: None, reason: reason.into() }
    }

    /// A line is at fault.
    pub(crate) fn line(line: usize, reason: impl Into<String>) -> Self {
        Self { line: Some(line), property: None, reason: reason.into() }
    }
}

/// A piece of the calendar as messages repeat it: short, and without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT_MAX_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
