//! Offsets as people mean them: nominal days, then exact seconds.

use crate::limits;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A duration to a side of a due date: days move the calendar date and keep the wall time, seconds are
/// exact (RFC 5545 §3.3.6). Written as an ISO 8601 duration, `P1D` or `PT15M` or `P1DT2H`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CalendarOffset {
    days: i64,
    seconds: i64,
}

/// A calendar offset with a direction: how far a time is moved, in days and then in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Nominal days; negative: earlier.
    pub days: i64,
    /// Exact seconds; negative: earlier.
    pub seconds: i64,
}

impl Shift {
    /// Not moved at all.
    pub const NONE: Self = Self { days: 0, seconds: 0 };
}

/// A duration text that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOffset(String);

const SECONDS_PER_DAY: i64 = 24 * 3600;

impl CalendarOffset {
    /// No offset at all.
    pub const ZERO: Self = Self { days: 0, seconds: 0 };

    /// So many exact minutes.
    pub const fn from_minutes(minutes: u16) -> Self {
        Self { days: 0, seconds: minutes as i64 * 60 }
    }

    /// Nominal days.
    pub fn days(self) -> i64 {
        self.days
    }

    /// Exact seconds, applied after the days.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Moves a time earlier by this much.
    pub fn before(self) -> Shift {
        Shift { days: -self.days, seconds: -self.seconds }
    }

    /// Moves a time later by this much.
    pub fn after(self) -> Shift {
        Shift { days: self.days, seconds: self.seconds }
    }

    /// Its length where no calendar is meant, in seconds: a day counts as 24 hours.
    pub fn exact_seconds(self) -> i64 {
        self.days * SECONDS_PER_DAY + self.seconds
    }

    /// Parses `P[nW][nD][T[nH][nM][nS]]`. Years and months are refused: they have no fixed length.
    pub fn parse(text: &str) -> Result<Self, InvalidOffset> {
        let offset = Self::parse_parts(text).ok_or_else(|| {
            InvalidOffset(
                "is not a duration such as PT15M, PT24H, P1D or P2W (weeks, days, hours, minutes, \
                 seconds; whole numbers)"
                    .into(),
            )
        })?;
        let max = limits::OFFSET_MAX_DAYS;
        let (days, whole_days) = (offset.days, offset.seconds / SECONDS_PER_DAY);
        // Each for itself first: their sum may be more than a number can hold.
        if days > max || whole_days > max || days + whole_days > max {
            return Err(InvalidOffset(format!("must be at most {max} days long")));
        }
        Ok(offset)
    }

    fn parse_parts(text: &str) -> Option<Self> {
        let (date, time) = match text.strip_prefix('P')?.split_once('T') {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None => (text.strip_prefix('P')?, ""),
        };
        if date.is_empty() && time.is_empty() {
            return None;
        }
        let [weeks, days] = units(date, ['W', 'D'])?;
        let [hours, minutes, seconds] = units(time, ['H', 'M', 'S'])?;
        Some(Self {
            days: weeks.checked_mul(7)?.checked_add(days)?,
            seconds: hours
                .checked_mul(3600)?
                .checked_add(minutes.checked_mul(60)?)?
                .checked_add(seconds)?,
        })
    }
}

/// Reads numbers followed by the given unit letters, each at most once and in this order.
fn units<const N: usize>(mut text: &str, letters: [char; N]) -> Option<[i64; N]> {
    let mut values = [0; N];
    for (value, letter) in values.iter_mut().zip(letters) {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && text[digits..].starts_with(letter) {
            *value = text[..digits].parse().ok()?;
            text = &text[digits + 1..];
        }
    }
    text.is_empty().then_some(values)
}

impl fmt::Display for CalendarOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.days, self.seconds);
        match (days, seconds) {
            (0, 0) => f.write_str("PT0S"),
            (_, 0) => write!(f, "P{days}D"),
            _ => {
                f.write_str("P")?;
                if days != 0 {
                    write!(f, "{days}D")?;
                }
                f.write_str("T")?;
                for (value, unit) in
                    [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M'), (seconds % 60, 'S')]
                {
                    if value != 0 {
                        write!(f, "{value}{unit}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl TryFrom<String> for CalendarOffset {
    type Error = InvalidOffset;
    fn try_from(text: String) -> Result<Self, InvalidOffset> {
        Self::parse(&text)
    }
}

impl From<CalendarOffset> for String {
    fn from(offset: CalendarOffset) -> Self {
        offset.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_different_things() {
        let parse = |text| CalendarOffset::parse(text).unwrap();
        assert_eq!(parse("P1D"), CalendarOffset { days: 1, seconds: 0 });
        assert_eq!(parse("PT24H"), CalendarOffset { days: 0, seconds: 86_400 });
        assert_eq!(parse("P2W3DT1H2M3S"), CalendarOffset { days: 17, seconds: 3_723 });
    }

    #[test]
    fn what_has_no_fixed_length_or_makes_no_sense_is_refused() {
        for bad in ["", "P", "PT", "P1DT", "P1Y", "P1M", "-PT5M", "PT1.5S", "15m", "P1H", "PT1D"] {
            assert!(CalendarOffset::parse(bad).is_err(), "{bad:?} must be refused");
        }
        assert!(CalendarOffset::parse("P99999999999999999999D").is_err());
        for long in ["P8000D", "PT192000H", "P9223372036854775807DT24H", "P1DT9223372036854775807S"]
        {
            assert!(CalendarOffset::parse(long).unwrap_err().0.contains("at most"), "{long}");
        }
    }

    #[test]
    fn writing_and_reading_agree() {
        for text in ["PT0S", "P1D", "PT15M", "P1DT2H", "PT24H", "PT1H1S"] {
            assert_eq!(CalendarOffset::parse(text).unwrap().to_string(), text);
        }
    }
}
