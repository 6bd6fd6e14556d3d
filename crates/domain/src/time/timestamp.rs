//! An instant in whole milliseconds since the Unix epoch.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A time text that cannot be used; the message says why and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTime(pub(super) String);

/// An instant, in milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC.
///
/// Finer fractions are rounded **up** when parsed: rounding down could fire a reminder early.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Timestamp(i64);

/// The largest instant that RFC 3339 can write, 9999-12-31T23:59:59.999Z, in milliseconds.
const MAX_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The latest instant there is, 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(MAX_MS);

    /// The instant `ms` milliseconds after the epoch, clamped to what RFC 3339 can write.
    pub fn from_millis(ms: i64) -> Self {
        Self(ms.clamp(0, MAX_MS))
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Parses an RFC 3339 date-time with an offset (<https://www.rfc-editor.org/rfc/rfc3339>).
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|error| {
            InvalidTime(format!(
                "is not an RFC 3339 date-time such as 2027-03-01T09:00:00Z ({error})"
            ))
        })?;
        Self::from_datetime(&parsed.to_utc())
            .ok_or_else(|| InvalidTime("must lie between the years 1970 and 9999".into()))
    }

    /// The instant of a chrono time, rounded up to the millisecond; `None` out of range.
    pub fn from_datetime(time: &DateTime<Utc>) -> Option<Self> {
        let millis = i64::from(time.timestamp_subsec_nanos().div_ceil(1_000_000));
        let ms = time.timestamp().checked_mul(1000)?.checked_add(millis)?;
        (0..=MAX_MS).contains(&ms).then_some(Self(ms))
    }

    /// The same instant as a chrono time.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// `ms` milliseconds later (earlier when negative), clamped to the representable range.
    #[must_use]
    pub fn saturating_add_ms(self, ms: i64) -> Self {
        Self::from_millis(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTime;
    fn try_from(text: String) -> Result<Self, InvalidTime> {
        Self::parse(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_round_up_so_that_nothing_fires_early() {
        let parse = |text| Timestamp::parse(text).unwrap().as_millis();
        assert_eq!(parse("1970-01-01T00:00:01.0001Z"), 1_001);
        assert_eq!(parse("1970-01-01T00:00:01.001Z"), 1_001);
        assert_eq!(parse("1970-01-01T00:00:01.999999999Z"), 2_000);
    }

    #[test]
    fn offsets_are_honoured_and_written_back_in_utc() {
        let time = Timestamp::parse("2027-03-01T09:00:00+02:00").unwrap();
        assert_eq!(time.to_string(), "2027-03-01T07:00:00.000Z");
    }

    #[test]
    fn out_of_range_years_are_refused() {
        assert!(Timestamp::parse("1969-12-31T23:59:59Z").is_err());
        assert!(Timestamp::parse("9999-12-31T23:59:59.9999Z").is_err());
    }
}
