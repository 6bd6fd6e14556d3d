//! A reminder as the caller describes it.

use crate::ids::ReminderId;
use crate::limits;
use crate::object::object;
use crate::time::{CalendarOffset, DueTime, Shift};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::HashSet;

/// The id of the reminder that a task with a due date gets when nobody says any.
pub const DUE_REMINDER_ID: &str = "due";

/// A moment, in each occurrence of its task, at which the caller wants to hear of it.
///
/// In JSON: `{"id": "r1", "before": "PT15M"}`, `{"id": "r2", "after": "PT1H", "anchor": "start"}` or
/// `{"id": "r3", "at": "2027-03-01T09:00:00Z"}`; each may have `nag` and `lateLimit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// Names it within its task.
    pub id: ReminderId,
    /// When it fires.
    pub trigger: Trigger,
    /// How it goes on until somebody acknowledges it.
    pub nag: Option<Nag>,
    /// After how long it is useless; a day counts as 24 hours.
    pub late_limit: Option<CalendarOffset>,
}

/// When a reminder fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// At a time of its own, once.
    At(DueTime),
    /// This far from an anchor of the task, in each of its occurrences. Asleep without the anchor.
    Relative {
        /// What it counts from.
        anchor: Anchor,
        /// To which side.
        side: Side,
        /// How far.
        offset: CalendarOffset,
    },
}

/// What a relative reminder counts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// The due date.
    #[default]
    Due,
    /// The start.
    Start,
}

/// The side of its anchor on which a reminder fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Earlier.
    Before,
    /// Later.
    After,
}

impl Side {
    /// The offset to this side.
    pub fn shift(self, offset: CalendarOffset) -> Shift {
        match self {
            Self::Before => offset.before(),
            Self::After => offset.after(),
        }
    }
}

/// Firing again until somebody acknowledges or completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Nag {
    /// How long to wait between two firings.
    pub every: CalendarOffset,
    /// How many times after the first firing.
    pub max: u16,
}

/// The JSON form of a nag.
#[derive(Deserialize)]
struct NagFields {
    every: CalendarOffset,
    max: u16,
}

impl<'de> Deserialize<'de> for Nag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let NagFields { every, max } = object(deserializer)?;
        let (least, most) = (limits::NAG_EVERY_MIN_SECONDS, limits::NAG_MAX);
        if every.days() > 0 || every.seconds() < least {
            return Err(de::Error::custom(format!(
                "must repeat \"every\" so many hours, minutes and seconds, at least PT{least}S"
            )));
        }
        if !(1..=most).contains(&max) {
            return Err(de::Error::custom(format!("must have a \"max\" between 1 and {most}")));
        }
        Ok(Self { every, max })
    }
}

impl Nag {
    /// How long to wait between two firings, in milliseconds.
    pub fn every_ms(self) -> i64 {
        self.every.seconds().saturating_mul(1000)
    }
}

impl Reminder {
    /// The reminder of a task with a due date when nobody says any.
    pub fn at_due_date() -> Self {
        let id = ReminderId::parse(DUE_REMINDER_ID).expect("the constant is a valid id");
        let offset = CalendarOffset::ZERO;
        let trigger = Trigger::Relative { anchor: Anchor::Due, side: Side::Before, offset };
        Self { id, trigger, nag: None, late_limit: None }
    }

    /// After how long it is useless, in milliseconds.
    pub fn late_limit_ms(&self) -> Option<i64> {
        self.late_limit.map(|limit| limit.exact_seconds().saturating_mul(1000))
    }

    /// The field that says when, for messages.
    pub fn trigger_field(&self) -> &'static str {
        match self.trigger {
            Trigger::At(_) => "at",
            Trigger::Relative { side: Side::Before, .. } => "before",
            Trigger::Relative { side: Side::After, .. } => "after",
        }
    }
}

/// Reminders that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReminders {
    /// Too many of them.
    #[error("must be at most {max}, but there are {0}", max = limits::REMINDERS_MAX)]
    TooMany(usize),
    /// Two share an id.
    #[error("must be distinct, but {id:?} occurs twice")]
    Duplicate {
        /// The place of the second one.
        index: usize,
        /// The id they share.
        id: ReminderId,
    },
}

impl InvalidReminders {
    /// The field at fault, where `list` is that of the reminders.
    pub fn field(&self, list: &str) -> String {
        match self {
            Self::TooMany(_) => list.into(),
            Self::Duplicate { index, .. } => format!("{list}[{index}].id"),
        }
    }
}

/// Checks that reminders go together: not too many, each with an id of its own.
pub(crate) fn check_list(reminders: &[Reminder]) -> Result<(), InvalidReminders> {
    if reminders.len() > limits::REMINDERS_MAX {
        return Err(InvalidReminders::TooMany(reminders.len()));
    }
    let mut seen = HashSet::new();
    match reminders.iter().enumerate().find(|(_, reminder)| !seen.insert(&reminder.id)) {
        Some((index, twice)) => Err(InvalidReminders::Duplicate { index, id: twice.id.clone() }),
        None => Ok(()),
    }
}

/// The JSON form; exactly one of `at`, `before` and `after` must be there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReminderFields {
    id: ReminderId,
    #[serde(default)]
    at: Option<DueTime>,
    #[serde(default)]
    before: Option<CalendarOffset>,
    #[serde(default)]
    after: Option<CalendarOffset>,
    #[serde(default)]
    anchor: Option<AnchorText>,
    #[serde(default)]
    nag: Option<Nag>,
    #[serde(default)]
    late_limit: Option<CalendarOffset>,
}

/// Through a string, so that nothing else is taken for one.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct AnchorText(Anchor);

impl TryFrom<String> for AnchorText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "due" => Ok(Self(Anchor::Due)),
            "start" => Ok(Self(Anchor::Start)),
            _ => Err(format!("must be due or start, but is {text:?}")),
        }
    }
}

/// The JSON form, borrowed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReminderRef<'a> {
    id: &'a ReminderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<&'a DueTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<CalendarOffset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<CalendarOffset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nag: Option<Nag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_limit: Option<CalendarOffset>,
}

/// A reminder whose parts do not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum InvalidReminder {
    #[error("must have one of \"at\", \"before\" and \"after\"")]
    Ambiguous,
    #[error("must not have an \"anchor\" beside \"at\", which counts from nothing")]
    AnchorOfAbsolute,
}

impl TryFrom<ReminderFields> for Reminder {
    type Error = InvalidReminder;

    fn try_from(fields: ReminderFields) -> Result<Self, InvalidReminder> {
        let anchor = fields.anchor.as_ref().map_or_else(Anchor::default, |anchor| anchor.0);
        let relative = |side, offset| Trigger::Relative { anchor, side, offset };
        let trigger = match (fields.at, fields.before, fields.after) {
            (Some(_), None, None) if fields.anchor.is_some() => {
                return Err(InvalidReminder::AnchorOfAbsolute);
            }
            (Some(at), None, None) => Trigger::At(at),
            (None, Some(offset), None) => relative(Side::Before, offset),
            (None, None, Some(offset)) => relative(Side::After, offset),
            _ => return Err(InvalidReminder::Ambiguous),
        };
        let (id, nag, late_limit) = (fields.id, fields.nag, fields.late_limit);
        Ok(Self { id, trigger, nag, late_limit })
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
        let (mut at, mut before, mut after, mut start) = (None, None, None, None);
        match &self.trigger {
            Trigger::At(time) => at = Some(time),
            Trigger::Relative { anchor, side, offset } => {
                match side {
                    Side::Before => before = Some(*offset),
                    Side::After => after = Some(*offset),
                }
                start = (*anchor == Anchor::Start).then_some("start");
            }
        }
        let (id, nag, late_limit) = (&self.id, self.nag, self.late_limit);
        ReminderRef { id, at, before, after, anchor: start, nag, late_limit }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Reminder, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn says_when_exactly_once() {
        assert!(parse(r#"{"id":"r","before":"PT5M"}"#).is_ok());
        assert!(parse(r#"{"id":"r","at":"2027-01-01T00:00:00Z"}"#).is_ok());
        assert!(parse(r#"{"id":"r"}"#).is_err());
        assert!(parse(r#"{"id":"r","before":"PT5M","after":"PT5M"}"#).is_err());
        assert!(parse(r#"{"id":"r","at":"2027-01-01T00:00:00Z","anchor":"due"}"#).is_err());
        assert!(parse(r#"{"id":"r","before":"PT5M","at":"2027-01-01T00:00:00Z"}"#).is_err());
        assert!(parse(r#"["r","2027-01-01T00:00:00Z"]"#).is_err(), "an array is not a reminder");
    }

    #[test]
    fn survives_json() {
        for json in [
            r#"{"id":"r","at":{"local":"2027-01-01T09:00:00"}}"#,
            r#"{"id":"r","after":"P1D","anchor":"start","nag":{"every":"PT5M","max":3},"lateLimit":"PT2H"}"#,
            r#"{"id":"r","before":"PT0S"}"#,
        ] {
            assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
        }
    }

    #[test]
    fn a_nag_has_bounds() {
        let nag = |nag: &str| parse(&format!(r#"{{"id":"r","before":"PT0S","nag":{nag}}}"#));
        assert!(nag(r#"{"every":"PT5M","max":3}"#).is_ok());
        for bad in [
            r#"{"every":"PT1S","max":3}"#,
            r#"{"every":"P1D","max":3}"#,
            r#"{"every":"PT5M","max":0}"#,
            r#"{"every":"PT5M","max":60000}"#,
            r#"{"every":"PT5M"}"#,
        ] {
            assert!(nag(bad).is_err(), "{bad}");
        }
    }
}
