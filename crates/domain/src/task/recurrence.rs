//! When a task comes again.

use super::Task;
use crate::limits;
use crate::object::object;
use crate::recurrence::{LocalMoment, Rule};
use crate::time::{DueTime, LOCAL_FORMAT, LocalText};
use chrono::NaiveDateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A rule with its exceptions, in JSON `{"rule": "FREQ=WEEKLY;BYDAY=MO"}`.
///
/// All of it is nominal, in the wall time of the task's due date: the rules of the zone come last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recurrence {
    /// The rule (RFC 5545 §3.3.10).
    pub rule: Rule,
    /// The first occurrence, which the rule counts from. `None` before a task is stored: its due
    /// date. A stored task says it, so that a later `put` of what was read goes on counting.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "local_text")]
    pub start: Option<NaiveDateTime>,
    /// Occurrences that do not take place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exdates: Vec<LocalMoment>,
    /// Occurrences beside those of the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rdates: Vec<LocalMoment>,
    /// What the next occurrence follows.
    #[serde(skip_serializing_if = "RecursFrom::is_due")]
    pub from: RecursFrom,
}

/// What the next occurrence follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
pub enum RecursFrom {
    /// The rule alone: reminders fire in each occurrence, done or not.
    #[default]
    Due,
    /// The completion: there is no next occurrence before the present one is completed.
    Completion,
}

impl RecursFrom {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_due(&self) -> bool {
        *self == Self::Due
    }
}

/// Through a string, so that nothing else is taken for one.
impl TryFrom<String> for RecursFrom {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "due" => Ok(Self::Due),
            "completion" => Ok(Self::Completion),
            _ => Err(format!("must be due or completion, but is {text:?}")),
        }
    }
}

/// The JSON form.
#[derive(Deserialize)]
struct Fields {
    rule: Rule,
    #[serde(default)]
    start: Option<LocalText>,
    #[serde(default)]
    exdates: Vec<LocalMoment>,
    #[serde(default)]
    rdates: Vec<LocalMoment>,
    #[serde(default)]
    from: RecursFrom,
}

impl<'de> Deserialize<'de> for Recurrence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { rule, start, exdates, rdates, from } = object(deserializer)?;
        Ok(Self { rule, start: start.map(|LocalText(start)| start), exdates, rdates, from })
    }
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn local_text<S: Serializer>(
    start: &Option<NaiveDateTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match start {
        Some(start) => serializer.collect_str(&start.format(LOCAL_FORMAT)),
        None => serializer.serialize_none(),
    }
}

/// A recurrence that does not fit its task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecurrence {
    /// Too many exceptions.
    #[error("must be at most {max}, but there are {count}", max = limits::RECURRENCE_EXCEPTIONS_MAX)]
    TooManyDates {
        /// Which list.
        list: &'static str,
        /// How many.
        count: usize,
    },
    /// The rule sets a time of day on a task that is due on a date.
    #[error(
        "must not say a time of day (HOURLY, MINUTELY, BYHOUR, BYMINUTE, BYSECOND), since dueDate is a date"
    )]
    TimeOnDate,
    /// Completing decides when a task comes again, so fixed extra dates mean nothing.
    #[error("must be empty when the task recurs from its completion")]
    DatesFromCompletion,
}

impl InvalidRecurrence {
    /// The field at fault, within the recurrence.
    pub fn field(&self) -> &'static str {
        match self {
            Self::TooManyDates { list, .. } => list,
            Self::TimeOnDate => "rule",
            Self::DatesFromCompletion => "rdates",
        }
    }
}

impl Recurrence {
    /// Whether an occurrence of the task, by its nominal wall time, is an exception.
    pub(crate) fn excludes(&self, local: NaiveDateTime, task: &Task) -> bool {
        let by_day = matches!(task.due_date, Some(DueTime::Date(_)));
        self.exdates.iter().any(|exception| match exception {
            LocalMoment::DateTime(at) if by_day => at.date() == local.date(),
            LocalMoment::DateTime(at) => *at == local,
            LocalMoment::Date(day) => *day == local.date(),
        })
    }

    /// Whether the parts fit the due date; whether the series ever yields anything depends on the
    /// zone too and is checked when it is resolved.
    pub(super) fn check(&self, due: &DueTime) -> Result<(), InvalidRecurrence> {
        for (list, dates) in [("exdates", &self.exdates), ("rdates", &self.rdates)] {
            if dates.len() > limits::RECURRENCE_EXCEPTIONS_MAX {
                return Err(InvalidRecurrence::TooManyDates { list, count: dates.len() });
            }
        }
        if matches!(due, DueTime::Date(_)) && self.rule.has_time_parts() {
            return Err(InvalidRecurrence::TimeOnDate);
        }
        if self.from == RecursFrom::Completion && !self.rdates.is_empty() {
            return Err(InvalidRecurrence::DatesFromCompletion);
        }
        Ok(())
    }
}
