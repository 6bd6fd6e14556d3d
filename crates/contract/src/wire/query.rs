//! From the body of an actor method to a question about a task.

use super::read::read;
use super::{check_size, is_empty};
use crate::problem::Problem;
use reminder_domain::Timestamp;
use reminder_domain::ids::ReminderId;
use reminder_domain::limits::{self, PAYLOAD_MAX_BYTES};
use serde::Deserialize;

/// What is asked about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The task as it is.
    Get,
    /// The task as a calendar.
    ExportCalendar,
    /// What fires next.
    Preview {
        /// How many firings.
        count: usize,
    },
    /// Why a moment fired when it did, or did not.
    Explain {
        /// Which reminder.
        reminder_id: ReminderId,
        /// The moment.
        scheduled_for: Timestamp,
    },
}

/// An object without any field.
#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
struct PreviewBody {
    #[serde(default)]
    count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExplainBody {
    reminder_id: ReminderId,
    scheduled_for: Timestamp,
}

/// Checks the body of `get`, which has nothing to say.
///
/// # Errors
/// A problem when it says something all the same.
pub fn parse_get(body: &[u8]) -> Result<Query, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    if is_empty(body) {
        return Ok(Query::Get);
    }
    read::<Nothing>(body).map(|Nothing {}| Query::Get)
}

/// Checks the body of `exportCalendar`, which has nothing to say.
///
/// # Errors
/// A problem when it says something all the same.
pub fn parse_export(body: &[u8]) -> Result<Query, Problem> {
    parse_get(body).map(|_| Query::ExportCalendar)
}

/// Parses the body of `preview`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_preview(body: &[u8]) -> Result<Query, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let body = if is_empty(body) { b"{}" } else { body };
    let PreviewBody { count } = read(body)?;
    let count = count.unwrap_or(limits::PREVIEW_DEFAULT);
    if !(1..=limits::PREVIEW_MAX).contains(&count) {
        let max = limits::PREVIEW_MAX;
        return Err(Problem::invalid("count", &format!("must be between 1 and {max}")));
    }
    Ok(Query::Preview { count })
}

/// Parses the body of `explain`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_explain(body: &[u8]) -> Result<Query, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    if is_empty(body) {
        return Err(Problem::invalid("reminderId", "is missing"));
    }
    let ExplainBody { reminder_id, scheduled_for } = read(body)?;
    Ok(Query::Explain { reminder_id, scheduled_for })
}
