//! A recurrence rule: its parts, and its canonical text.

use crate::time::Timestamp;
use chrono::{NaiveDate, NaiveDateTime, Weekday};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A rule, series or date of a series that cannot be used; the message says why and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRule(pub(super) String);

/// A recurrence rule of RFC 5545 §3.3.10, valid by construction.
///
/// In JSON it is its text, `"FREQ=WEEKLY;BYDAY=MO"`. Equal rules have equal texts: upper case, the
/// parts in one order, lists sorted, what is the default left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule(pub(super) Parts);

/// The parts of a rule; lists are sorted and without repetition, an empty one was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) frequency: Frequency,
    pub(super) interval: u32,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Until>,
    pub(super) months: Vec<i16>,
    pub(super) weeks: Vec<i16>,
    pub(super) year_days: Vec<i16>,
    pub(super) month_days: Vec<i16>,
    pub(super) weekdays: Vec<OrdinalWeekday>,
    pub(super) hours: Vec<i16>,
    pub(super) minutes: Vec<i16>,
    pub(super) seconds: Vec<i16>,
    pub(super) positions: Vec<i16>,
    pub(super) week_start: Weekday,
}

/// A weekday of `BYDAY`: every one (0), or the n-th, from the end when negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrdinalWeekday {
    pub(super) ordinal: i16,
    pub(super) weekday: Weekday,
}

/// The period of a rule. `SECONDLY` is left out: nothing here comes more than once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frequency {
    /// Each calendar year.
    Yearly,
    /// Each calendar month.
    Monthly,
    /// Each week, from the rule's first day of the week on.
    Weekly,
    /// Each day.
    Daily,
    /// Each hour of the wall clock.
    Hourly,
    /// Each minute of the wall clock.
    Minutely,
}

/// The end of a rule; what comes at this moment still belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// An instant, read as local time of the series' zone.
    Utc(Timestamp),
    /// A local time.
    Local(NaiveDateTime),
    /// A whole day.
    Date(NaiveDate),
}

impl Rule {
    /// How many occurrences the rule has, the start among them.
    pub fn count(&self) -> Option<u32> {
        self.0.count
    }

    /// When the rule ends.
    pub fn until(&self) -> Option<Until> {
        self.0.until
    }

    /// The period of the rule.
    pub fn frequency(&self) -> Frequency {
        self.0.frequency
    }

    /// Whether the rule tells times of day, which does not fit a due date without one: `BYHOUR`,
    /// `BYMINUTE`, `BYSECOND`, or a period shorter than a day.
    pub fn has_time_parts(&self) -> bool {
        let parts = &self.0;
        parts.frequency >= Frequency::Hourly
            || [&parts.hours, &parts.minutes, &parts.seconds].iter().any(|list| !list.is_empty())
    }
}

impl Frequency {
    /// Every period there is, by its name in a rule.
    pub(super) const NAMES: [(&str, Self); 6] = [
        ("YEARLY", Self::Yearly),
        ("MONTHLY", Self::Monthly),
        ("WEEKLY", Self::Weekly),
        ("DAILY", Self::Daily),
        ("HOURLY", Self::Hourly),
        ("MINUTELY", Self::Minutely),
    ];
}

/// The weekdays by their names in a rule.
pub(super) const WEEKDAY_NAMES: [(&str, Weekday); 7] = [
    ("MO", Weekday::Mon),
    ("TU", Weekday::Tue),
    ("WE", Weekday::Wed),
    ("TH", Weekday::Thu),
    ("FR", Weekday::Fri),
    ("SA", Weekday::Sat),
    ("SU", Weekday::Sun),
];

fn name<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names.iter().find(|(_, named)| named == value).map_or("", |(name, _)| name)
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(&Self::NAMES, self))
    }
}

impl fmt::Display for OrdinalWeekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ordinal != 0 {
            write!(f, "{}", self.ordinal)?;
        }
        f.write_str(name(&WEEKDAY_NAMES, &self.weekday))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc(at) => write!(f, "{}", at.to_datetime().format("%Y%m%dT%H%M%SZ")),
            Self::Local(local) => write!(f, "{}", local.format("%Y%m%dT%H%M%S")),
            Self::Date(date) => write!(f, "{}", date.format("%Y%m%d")),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        write!(f, "FREQ={}", parts.frequency)?;
        if parts.interval != 1 {
            write!(f, ";INTERVAL={}", parts.interval)?;
        }
        if let Some(count) = parts.count {
            write!(f, ";COUNT={count}")?;
        }
        if let Some(until) = parts.until {
            write!(f, ";UNTIL={until}")?;
        }
        list(f, "BYMONTH", &parts.months)?;
        list(f, "BYWEEKNO", &parts.weeks)?;
        list(f, "BYYEARDAY", &parts.year_days)?;
        list(f, "BYMONTHDAY", &parts.month_days)?;
        list(f, "BYDAY", &parts.weekdays)?;
        list(f, "BYHOUR", &parts.hours)?;
        list(f, "BYMINUTE", &parts.minutes)?;
        list(f, "BYSECOND", &parts.seconds)?;
        list(f, "BYSETPOS", &parts.positions)?;
        if parts.week_start != Weekday::Mon {
            write!(f, ";WKST={}", name(&WEEKDAY_NAMES, &parts.week_start))?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, values: &[T]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    Ok(())
}

impl TryFrom<String> for Rule {
    type Error = InvalidRule;
    fn try_from(text: String) -> Result<Self, InvalidRule> {
        Self::parse(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}
