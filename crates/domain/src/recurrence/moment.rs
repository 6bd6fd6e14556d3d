//! Local moments as they are stored: the exceptions of a series, and the cursor in it.

use super::rule::InvalidRule;
use crate::time::{self, LOCAL_FORMAT};
use chrono::{NaiveDate, NaiveDateTime};
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

impl LocalMoment {
    /// Parses a local date-time or a date.
    pub fn parse(text: &str) -> Result<Self, InvalidRule> {
        let local = time::local_time(text).map(Self::DateTime);
        local.or_else(|_| time::date(text).map(Self::Date)).map_err(|_| {
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
            Self::DateTime(local) => write!(f, "{}", local.format(LOCAL_FORMAT)),
            Self::Date(date) => write!(f, "{date}"),
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
        write!(f, "{}", self.local.format(LOCAL_FORMAT))?;
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
        let parsed = time::local_time(local).ok().zip(number.parse().ok());
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
        for bad in ["", "2027-02-30", "2027-03-01T09:00:00Z", "1968-12-31", "20270301"] {
            assert!(LocalMoment::parse(bad).is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn what_a_due_date_may_say_an_exception_of_it_may_say_too() {
        for (text, same) in [
            ("2027-03-01T08:59:60", "2027-03-01T09:00:00"),
            ("2027-03-01T08:59:59.0001", "2027-03-01T08:59:59.001"),
            ("1969-12-31T16:00:00", "1969-12-31T16:00:00"),
        ] {
            assert_eq!(LocalMoment::parse(text).unwrap().to_string(), same);
            // Cursors were stored as due dates said it, and must be read as those are.
            assert_eq!(Cursor::try_from(text.to_owned()).unwrap().to_string(), same);
            let due = crate::time::DueTime::parse_zoned(text, "America/Los_Angeles").unwrap();
            assert_eq!(LocalMoment::DateTime(due.nominal()).to_string(), same);
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
