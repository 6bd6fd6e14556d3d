//! From the body of an actor method to a question about a task.

use super::read::read;
use super::{check_size, is_empty, or_empty};
use crate::problem::Problem;
use reminder_domain::Timestamp;
use reminder_domain::ids::{Person, ReminderId};
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

/// A question, and on whose behalf it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub query: Query,
    /// The user to whom tasks of others are none; `None`: the caller may see everything.
    pub as_user: Option<Person>,
}

/// An object without any field.
#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetBody {
    #[serde(default)]
    as_user: Option<Person>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PreviewBody {
    #[serde(default)]
    count: Option<usize>,
    #[serde(default)]
    as_user: Option<Person>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExplainBody {
    reminder_id: ReminderId,
    scheduled_for: Timestamp,
    #[serde(default)]
    as_user: Option<Person>,
}

/// Checks the body of a method that has nothing to say.
///
/// # Errors
/// A problem when it says something all the same.
pub fn parse_nothing(body: &[u8]) -> Result<(), Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    if is_empty(body) { Ok(()) } else { read::<Nothing>(body).map(|Nothing {}| ()) }
}

/// Checks the body of `get`, which says nothing but on whose behalf.
///
/// # Errors
/// A problem when it says something else.
pub fn parse_get(body: &[u8]) -> Result<Question, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let GetBody { as_user } = read(or_empty(body))?;
    Ok(Question { query: Query::Get, as_user })
}

/// Checks the body of `exportCalendar`, which is that of `get`.
///
/// # Errors
/// A problem when it says something else.
pub fn parse_export(body: &[u8]) -> Result<Question, Problem> {
    let asked = parse_get(body)?;
    Ok(Question { query: Query::ExportCalendar, ..asked })
}

/// Parses the body of `preview`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_preview(body: &[u8]) -> Result<Question, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    let PreviewBody { count, as_user } = read(or_empty(body))?;
    let count = count.unwrap_or(limits::PREVIEW_DEFAULT);
    if !(1..=limits::PREVIEW_MAX).contains(&count) {
        let max = limits::PREVIEW_MAX;
        return Err(Problem::invalid("count", &format!("must be between 1 and {max}")));
    }
    Ok(Question { query: Query::Preview { count }, as_user })
}

/// Parses the body of `explain`.
///
/// # Errors
/// A problem that names the field at fault.
pub fn parse_explain(body: &[u8]) -> Result<Question, Problem> {
    check_size(body, PAYLOAD_MAX_BYTES)?;
    if is_empty(body) {
        return Err(Problem::invalid("reminderId", "is missing"));
    }
    let ExplainBody { reminder_id, scheduled_for, as_user } = read(body)?;
    Ok(Question { query: Query::Explain { reminder_id, scheduled_for }, as_user })
}
