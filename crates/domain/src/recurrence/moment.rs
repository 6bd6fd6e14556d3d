//! Local moments as they are stored: the exceptions of a series, and the cursor in it.

use super::rule::InvalidRule;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An entry of `exdates` or `rdates`: `"2027-03-01T09:00:00"` or `"2027-03-01"`.
///
/// As `exdate` a date takes out every occurrence of that day; as `rdate` it adds one at the series'
/// own time of day. In a series of dates only the day of a date-time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LocalMoment {
    /// A local time of a day.
    DateTime(NaiveDateTime),
    /// A day.
    Date(NaiveDate),
}

/// Where a series stands: an occurrence, in the form in which it is stored.
///
/// In JSON a string, `"2027-03-01T09:00:00"`, with the number behind it where one is kept:
/// `"2027-03-01T09:00:00#3"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// The local time of the occurrence, before any rule of the zone; midnight for dates.
    pub local: NaiveDateTime,
    /// How many occurrences of the rule there are up to here, the start and those taken out among
    /// them. Kept only for rules with `COUNT`, else 0.
    pub number: u32,
}

const DATE_TIME: &str = "%Y-%m-%dT%H:%M:%S%.f";
const DATE: &str = "%Y-%m-%d";

/// Leap seconds have no place on a wall clock's calendar, though chrono reads them.
fn parse_date_time(text: &str) -> Option<NaiveDateTime> {
    let parsed = NaiveDateTime::parse_from_str(text, DATE_TIME).ok()?;
    (parsed.nanosecond() < 1_000_000_000 && YEARS.contains(&parsed.year())).then_some(parsed)
}

/// What can be an instant.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

impl LocalMoment {
    /// Parses a local date-time or a date.
    pub fn parse(text: &str) -> Result<Self, InvalidRule> {
        let date = || NaiveDate::parse_from_str(text, DATE).ok();
        let date = || date().filter(|date| YEARS.contains(&date.year())).map(Self::Date);
        parse_date_time(text).map(Self::DateTime).or_else(date).ok_or_else(|| {
            InvalidRule(
                "is not a local time such as 2027-03-01T09:00:00, nor a date such as 2027-03-01, \
                 from 1970 on"
                    .into(),
            )
        })
    }
}

impl fmt::Display for LocalMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DateTime(local) => write!(f, "{}", local.format(DATE_TIME)),
            Self::Date(date) => write!(f, "{}", date.format(DATE)),
        }
    }
}

impl TryFrom<String> for LocalMoment {
    type Error = InvalidRule;
    fn try_from(text: String) -> Result<Self, InvalidRule> {
        Self::parse(&text)
    }
}

impl From<LocalMoment> for String {
    fn from(moment: LocalMoment) -> Self {
        moment.to_string()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local.format(DATE_TIME))?;
        match self.number {
            0 => Ok(()),
            number => write!(f, "#{number}"),
        }
    }
}

impl TryFrom<String> for Cursor {
    type Error = InvalidRule;
    fn try_from(text: String) -> Result<Self, InvalidRule> {
        let (local, number) = text.split_once('#').unwrap_or((&text, "0"));
        let parsed = parse_date_time(local).zip(number.parse().ok());
        let (local, number) = parsed.ok_or_else(|| {
            InvalidRule(format!("is not a cursor such as 2027-03-01T09:00:00#3, but {text:?}"))
        })?;
        Ok(Self { local, number })
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_local_times() {
        for text in ["2027-03-01T09:00:00", "2027-03-01T09:00:00.250", "2027-03-01"] {
            let moment = LocalMoment::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&moment).unwrap(), format!("{text:?}"));
        }
        for bad in ["", "2027-02-30", "2027-03-01T09:00:00Z", "2027-03-01T23:59:60", "20270301"] {
            assert!(LocalMoment::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn a_cursor_is_a_short_string() {
        for text in [r#""2027-03-01T09:00:00""#, r#""2027-03-01T09:00:00#17""#] {
            let cursor: Cursor = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&cursor).unwrap(), text);
        }
        assert!(serde_json::from_str::<Cursor>(r#""2027-03-01T09:00:00#-1""#).is_err());
    }
}
