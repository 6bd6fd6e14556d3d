//! A reminder as the caller describes it.

use crate::ids::ReminderId;
use crate::object::object;
use crate::time::{CalendarOffset, DueTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The id of the reminder that a task with a due date and no reminders gets.
pub const DUE_REMINDER_ID: &str = "due";

/// One moment at which the caller wants to hear of the task.
///
/// In JSON: `{"id": "r1", "before": "PT15M"}` or `{"id": "r2", "at": "2027-03-01T09:00:00Z"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Deserialize)]
struct ReminderFields {
    id: ReminderId,
    #[serde(default)]
    at: Option<DueTime>,
    #[serde(default)]
    before: Option<CalendarOffset>,
}

/// The JSON form, borrowed.
#[derive(Serialize)]
struct ReminderRef<'a> {
    id: &'a ReminderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a DueTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<CalendarOffset>,
}

/// A reminder that does not say when, or says it twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have either \"at\" or \"before\"")]
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

impl<'de> Deserialize<'de> for Reminder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields: ReminderFields = object(deserializer)?;
        Self::try_from(fields).map_err(de::Error::custom)
    }
}

impl Serialize for Reminder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (at, before) = match &self.trigger {
            Trigger::At(at) => (Some(at), None),
            Trigger::Before(before) => (None, Some(*before)),
        };
        ReminderRef { id: &self.id, at, before }.serialize(serializer)
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
        assert!(parse(r#"["r","2027-01-01T00:00:00Z"]"#).is_err(), "an array is not a reminder");
    }
}
