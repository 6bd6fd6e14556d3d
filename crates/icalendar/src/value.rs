//! Values of the format: times and durations.

use crate::error::{ImportError, excerpt};
use crate::tree::Line;
use crate::zone::Zones;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use reminder_domain::Timestamp;
use reminder_domain::time::{CalendarOffset, DueTime, resolve};

/// How a local date-time is written.
const LOCAL: &str = "%Y%m%dT%H%M%S";
/// How a date is written.
const DATE: &str = "%Y%m%d";

/// The time to the second: iCalendar knows no fractions. Rounded up, so that nothing fires early.
pub(crate) fn ceil_local(time: NaiveDateTime) -> NaiveDateTime {
    let down = time.with_nanosecond(0).unwrap_or(time);
    let up = down.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(down);
    if time.nanosecond() == 0 { time } else { up }
}

/// The instant to the second, rounded up.
pub(crate) fn ceil(time: Timestamp) -> Timestamp {
    match time.as_millis() % 1000 {
        0 => time,
        // The last second of the year 9999 has none after it.
        excess if time.as_millis() > Timestamp::MAX.as_millis() - 1000 => {
            time.saturating_add_ms(-excess)
        }
        excess => time.saturating_add_ms(1000 - excess),
    }
}

/// The time to the second, rounded up; `None` where nothing can be written.
pub(crate) fn ceil_due(time: &DueTime) -> Option<DueTime> {
    match time {
        DueTime::Instant(at) => Some(DueTime::Instant(ceil(*at))),
        other => other.at_nominal(ceil_local(other.nominal())),
    }
}

/// The value of a time, without its parameters.
pub(crate) fn time_text(time: &DueTime) -> String {
    match time {
        DueTime::Instant(at) => utc_text(*at),
        DueTime::Zoned { local, .. } | DueTime::Floating(local) => local.format(LOCAL).to_string(),
        DueTime::Date(date) => date.format(DATE).to_string(),
    }
}

/// The value of an instant.
pub(crate) fn utc_text(at: Timestamp) -> String {
    at.to_datetime().format("%Y%m%dT%H%M%SZ").to_string()
}

/// The times of a property, which is a list if it may be one.
pub(crate) fn times(line: &Line, zones: &Zones<'_>) -> Result<Vec<DueTime>, ImportError> {
    let zone = match line.param("TZID") {
        Some(id) if !id.is_empty() => Some(id),
        _ => None,
    };
    let is_date = line.param("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DATE"));
    line.value.split(',').map(|text| time(line, text.trim(), is_date, zone, zones)).collect()
}

/// The one time of a property.
pub(crate) fn one_time(line: &Line, zones: &Zones<'_>) -> Result<DueTime, ImportError> {
    match <[DueTime; 1]>::try_from(times(line, zones)?) {
        Ok([time]) => Ok(time),
        Err(_) => Err(line.refuse("must have one value, not a list")),
    }
}

fn time(
    line: &Line,
    text: &str,
    is_date: bool,
    zone: Option<&str>,
    zones: &Zones<'_>,
) -> Result<DueTime, ImportError> {
    let malformed = || {
        line.refuse(format!(
            "must be a time such as 20270301T090000Z, or a date such as 20270301 with VALUE=DATE, \
             but is {}",
            excerpt(text)
        ))
    };
    let due = if is_date || text.len() == 8 {
        DueTime::Date(date(text).ok_or_else(malformed)?)
    } else {
        let (local, utc) = text.strip_suffix(['Z', 'z']).map_or((text, false), |text| (text, true));
        let local = local_time(local).ok_or_else(malformed)?;
        match zone {
            // A zone beside a time in UTC is forbidden, and says nothing.
            _ if utc => {
                let at = Timestamp::from_datetime(&local.and_utc());
                DueTime::Instant(at.ok_or_else(|| out_of_range(line, text))?)
            }
            Some(id) => DueTime::Zoned { local, zone: zones.find(line, id)? },
            None => DueTime::Floating(local),
        }
    };
    // Times that cannot be an instant later are found here, where the line is known.
    due.at_nominal(due.nominal()).ok_or_else(|| out_of_range(line, text))
}

fn out_of_range(line: &Line, text: &str) -> ImportError {
    line.refuse(format!("must lie between the years 1970 and 9999, but is {}", excerpt(text)))
}

fn date(text: &str) -> Option<NaiveDate> {
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    let year = text.get(0..4)?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(text, 4)?, number(text, 6)?)
}

/// The two digits at a place.
fn number(digits: &str, at: usize) -> Option<u32> {
    digits.get(at..at + 2)?.parse().ok()
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_once(['T', 't'])?;
    if time.len() != 6 || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Who knows no leap seconds shall read them as the second before (RFC 5545 §3.3.12).
    let clock =
        NaiveTime::from_hms_opt(number(time, 0)?, number(time, 2)?, number(time, 4)?.min(59));
    let sound = number(time, 4)? <= 60;
    Some(date(day)?.and_time(clock.filter(|_| sound)?))
}

/// A duration with its sign, as iCalendar has it: nominal days, then exact seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duration {
    /// Whether it goes back in time; zero does not.
    pub(crate) back: bool,
    pub(crate) offset: CalendarOffset,
}

/// Reads a duration.
pub(crate) fn duration(line: &Line, text: &str) -> Result<Duration, ImportError> {
    let text = text.trim().to_ascii_uppercase();
    let (back, length) = match text.strip_prefix('-') {
        Some(length) => (true, length),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    let offset = CalendarOffset::parse(length).map_err(|error| line.refuse(error.to_string()))?;
    Ok(Duration { back: back && offset != CalendarOffset::ZERO, offset })
}

/// The value of a duration. The grammar of RFC 5545 §3.3.6 knows no hours with seconds but without
/// minutes.
pub(crate) fn duration_text(duration: Duration) -> String {
    let (days, seconds) = (duration.offset.days(), duration.offset.seconds());
    let sign = if duration.back { "-" } else { "" };
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let days = if days == 0 { String::new() } else { format!("{days}D") };
    let time = match (hours, minutes, rest) {
        (0, 0, 0) if days.is_empty() => "T0S".to_owned(),
        (0, 0, 0) => String::new(),
        (0, 0, _) => format!("T{rest}S"),
        (0, _, 0) => format!("T{minutes}M"),
        (0, _, _) => format!("T{minutes}M{rest}S"),
        (_, 0, 0) => format!("T{hours}H"),
        (_, _, 0) => format!("T{hours}H{minutes}M"),
        _ => format!("T{hours}H{minutes}M{rest}S"),
    };
    format!("{sign}P{days}{time}")
}

/// The end of something that lasts so long; `None` where that is no time of the same kind.
pub(crate) fn after(start: &DueTime, lasts: CalendarOffset) -> Option<DueTime> {
    let days = start.nominal().checked_add_signed(TimeDelta::try_days(lasts.days())?)?;
    let exact = TimeDelta::try_seconds(lasts.seconds())?;
    match start {
        DueTime::Date(_) if lasts.seconds() != 0 => None,
        DueTime::Zoned { zone, .. } if lasts.seconds() != 0 => {
            let at = resolve(days, *zone)?.at.to_datetime().checked_add_signed(exact)?;
            start.at_nominal(at.with_timezone(zone).naive_local())
        }
        _ => start.at_nominal(days.checked_add_signed(exact)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_the_grammar() {
        for (offset, text) in [
            ("PT0S", "PT0S"),
            ("P1D", "P1D"),
            ("PT1H1S", "PT1H0M1S"),
            ("P1DT2H", "P1DT2H"),
            ("PT90S", "PT1M30S"),
        ] {
            let offset = CalendarOffset::parse(offset).unwrap();
            assert_eq!(duration_text(Duration { back: false, offset }), text);
            assert_eq!(CalendarOffset::parse(text).unwrap(), offset);
        }
    }

    #[test]
    fn times_are_digits_only() {
        assert!(local_time("20270301T090000").is_some());
        assert_eq!(local_time("20270301T235960"), local_time("20270301T235959"));
        for bad in ["20270301T240000", "20270301T0900", "20270230T090000", "2027030 T090000", "x"] {
            assert_eq!(local_time(bad), None, "{bad}");
        }
        assert_eq!(date("+2027031"), None);
    }

    #[test]
    fn fractions_round_up() {
        let at = |text| Timestamp::parse(text).unwrap();
        assert_eq!(ceil(at("2027-01-01T00:00:00.001Z")), at("2027-01-01T00:00:01Z"));
        assert_eq!(ceil(at("2027-01-01T00:00:01Z")), at("2027-01-01T00:00:01Z"));
        assert_eq!(ceil(Timestamp::MAX), at("9999-12-31T23:59:59Z"));
    }
}
