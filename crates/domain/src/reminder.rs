//! A reminder as the caller describes it.

use crate::ids::ReminderId;
use crate::time::{CalendarOffset, DueTime};
use serde::{Deserialize, Serialize};

/// The id of the reminder that a task with a due date and no reminders gets.
pub const DUE_REMINDER_ID: &str = "due";

/// One moment at which the caller wants to hear of the task.
///
/// In JSON: `{"id": "r1", "before": "PT15M"}` or `{"id": "r2", "at": "2027-03-01T09:00:00Z"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ReminderFields", into = "ReminderFields")]
pub struct Reminder {
    /// Names it within its task.
    pub id: ReminderId,
    /// When it fires.
    pub trigger: Trigger,
}

/// When a reminder fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// At a time of its own.
    At(DueTime),
    /// This long before the task's due date.
    Before(CalendarOffset),
}

/// The JSON form; exactly one of `at` and `before` must be there.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ReminderFields {
    id: ReminderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<DueTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<CalendarOffset>,
}

/// A reminder that does not say when, or says it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reminder must have either \"at\" or \"before\"")]
struct AmbiguousTrigger;

impl TryFrom<ReminderFields> for Reminder {
    type Error = AmbiguousTrigger;

    fn try_from(fields: ReminderFields) -> Result<Self, AmbiguousTrigger> {
        let trigger = match (fields.at, fields.before) {
            (Some(at), None) => Trigger::At(at),
            (None, Some(before)) => Trigger::Before(before),
            _ => return Err(AmbiguousTrigger),
        };
        Ok(Self { id: fields.id, trigger })
    }
}

impl From<Reminder> for ReminderFields {
    fn from(reminder: Reminder) -> Self {
        let (at, before) = match reminder.trigger {
            Trigger::At(at) => (Some(at), None),
            Trigger::Before(before) => (None, Some(before)),
        };
        Self { id: reminder.id, at, before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_when_exactly_once() {
        let parse = |json| serde_json::from_str::<Reminder>(json);
        assert!(parse(r#"{"id":"r","before":"PT5M"}"#).is_ok());
        assert!(parse(r#"{"id":"r","at":"2027-01-01T00:00:00Z"}"#).is_ok());
        assert!(parse(r#"{"id":"r"}"#).is_err());
        assert!(parse(r#"{"id":"r","before":"PT5M","at":"2027-01-01T00:00:00Z"}"#).is_err());
    }
}
