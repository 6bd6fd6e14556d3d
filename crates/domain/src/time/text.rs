//! Local times, dates, zones and times of day as texts, each parsed by itself so that an error
//! names the right field.

use super::timestamp::InvalidTime;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// How a local time is written.
pub(crate) const LOCAL_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.f";

/// The years of a wall time that may be an instant: west of Greenwich, 1970 begins in 1969.
pub(crate) const WALL_YEARS: std::ops::RangeInclusive<i32> = 1969..=9999;

/// Reads a wall time, the same way wherever one is said or stored, so that what one of them takes the
/// others can read again.
///
/// It is rounded up to whole milliseconds, as [`super::Timestamp`] is, so that nothing fires early. A
/// leap second is no second of its own to a clock on the wall: `08:59:60` is `09:00:00`.
pub(crate) fn local_time(text: &str) -> Result<NaiveDateTime, InvalidTime> {
    let parsed = NaiveDateTime::parse_from_str(text, LOCAL_FORMAT).map_err(|error| {
        InvalidTime(format!("is not a local time such as 2027-03-01T09:00:00 ({error})"))
    })?;
    let local = ceil_to_millis(parsed).filter(|local| WALL_YEARS.contains(&local.year()));
    local.filter(|_| begins_with_year(text)).ok_or_else(out_of_years)
}

/// Reads a date.
pub(crate) fn date(text: &str) -> Result<NaiveDate, InvalidTime> {
    let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|error| InvalidTime(format!("is not a date such as 2027-03-01 ({error})")))?;
    Some(parsed)
        .filter(|date| WALL_YEARS.contains(&date.year()) && begins_with_year(text))
        .ok_or_else(out_of_years)
}

fn out_of_years() -> InvalidTime {
    InvalidTime("must lie between the years 1970 and 9999, written with four digits".into())
}

/// Whether a year of four digits comes first: chrono reads a sign and any number of digits too.
fn begins_with_year(text: &str) -> bool {
    let year = text.split_once('-').map_or("", |(year, _)| year);
    year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit())
}

/// `None` beyond the last time that chrono knows.
fn ceil_to_millis(time: NaiveDateTime) -> Option<NaiveDateTime> {
    let millis = i64::from(time.nanosecond().div_ceil(1_000_000));
    time.with_nanosecond(0)?.checked_add_signed(TimeDelta::milliseconds(millis))
}

/// A wall time, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct LocalText(pub(crate) NaiveDateTime);

impl TryFrom<String> for LocalText {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        local_time(&text).map(Self)
    }
}

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DateText(pub(crate) NaiveDate);

impl TryFrom<String> for DateText {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        date(&text).map(Self)
    }
}

/// An IANA zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ZoneText(pub(crate) Tz);

impl TryFrom<String> for ZoneText {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse().map(Self).map_err(|_| {
            InvalidTime(format!(
                "must be in the IANA zone database ({}), but is {text:?}",
                super::zone_database()
            ))
        })
    }
}

/// A time of day to the minute, written `09:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeOfDay(pub(crate) NaiveTime);

const TIME_OF_DAY_FORMAT: &str = "%H:%M";

impl TimeOfDay {
    /// Nine in the morning, when a date is due unless the user says otherwise.
    pub const NINE: Self = match NaiveTime::from_hms_opt(9, 0, 0) {
        Some(time) => Self(time),
        None => Self(NaiveTime::MIN),
    };

    /// Parses `HH:MM`.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let time = NaiveTime::parse_from_str(text, TIME_OF_DAY_FORMAT).ok();
        time.filter(|_| text.len() == 5).map(Self).ok_or_else(|| {
            InvalidTime(format!("must be a time of day such as 09:00, but is {text:?}"))
        })
    }

    /// As chrono has it.
    pub fn as_naive(self) -> NaiveTime {
        self.0
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = InvalidTime;
    fn try_from(text: String) -> Result<Self, InvalidTime> {
        Self::parse(&text)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format(TIME_OF_DAY_FORMAT))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_four_digits() {
        for bad in [
            // Rounded up, it is after the last time that chrono knows.
            "+262142-12-31T23:59:59.9999",
            "+2027-03-01T09:00:00",
            "-2027-03-01T09:00:00",
            "+10000-01-01T09:00:00",
            "27-03-01T09:00:00",
            "1968-12-31T09:00:00",
            "9999-12-31T23:59:59.9999",
        ] {
            assert!(local_time(bad).is_err(), "{bad:?}");
            let (day, _) = bad.split_once('T').unwrap();
            assert_eq!(date(day).is_ok(), day == "9999-12-31", "{day:?}");
        }
        assert!(local_time("9999-12-31T23:59:59.999").is_ok());
    }

    #[test]
    fn times_of_day_are_hours_and_minutes() {
        assert_eq!(TimeOfDay::parse("09:00"), Ok(TimeOfDay::NINE));
        assert_eq!(TimeOfDay::parse("23:59").unwrap().to_string(), "23:59");
        for bad in ["", "9:00", "24:00", "09:60", "09:00:00", "0900", "+9:00"] {
            assert!(TimeOfDay::parse(bad).is_err(), "{bad:?}");
        }
    }
}
