//! Times as people write and read them.

use chrono::{NaiveDate, NaiveDateTime};
use reminder_client::Timestamp;
use serde_json::{Value, json};

/// How a local time may be written.
const LOCAL: [&str; 4] =
    ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
const MS_PER_SECOND: i64 = 1_000;
const SECONDS_PER_DAY: u64 = 24 * 3_600;

/// A time as the API takes it: an instant, a date, or a local time, in a zone or wherever the user is.
pub(super) fn moment(text: &str, zone: Option<&str>) -> Result<Value, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"));
    }
    if Timestamp::parse(text).is_ok() {
        return Ok(json!(text));
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(json!({ "date": date.to_string() }));
    }
    let local = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let local = local
        .ok_or_else(|| format!("is neither an instant, nor a local time, nor a date: {text:?}"))?;
    let local = local.format("%Y-%m-%dT%H:%M:%S").to_string();
    Ok(match zone {
        Some(zone) => json!({ "local": local, "zone": zone }),
        None => json!({ "local": local }),
    })
}

/// The same, or how long from now, such as 2h.
pub(super) fn moment_or_delay(
    text: &str,
    zone: Option<&str>,
    now: Timestamp,
) -> Result<Value, String> {
    match humantime::parse_duration(text) {
        Ok(delay) => {
            let ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            Ok(json!(now.saturating_add_ms(ms).to_string()))
        }
        Err(_) => moment(text, zone),
    }
}

/// A span as the API takes it, from that or from words such as "1d" or "1h 30m". Whole days are
/// calendar days.
pub(super) fn span(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.starts_with('P') {
        return Ok(text.to_owned());
    }
    let span = humantime::parse_duration(text)
        .map_err(|error| format!("is no span such as 10m, 1d or PT10M: {error}"))?;
    Ok(match span.as_secs() {
        seconds if seconds > 0 && seconds.is_multiple_of(SECONDS_PER_DAY) => {
            format!("P{}D", seconds / SECONDS_PER_DAY)
        }
        seconds => format!("PT{seconds}S"),
    })
}

/// A time, and how far away it is.
pub(super) fn shown(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".to_owned(), |at| format!("{at} ({})", relative(at, now)))
}

/// How far away it is, in its two largest units.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let ms = at.millis_since(now);
    let seconds = ms.unsigned_abs() / MS_PER_SECOND.unsigned_abs();
    let units = [(SECONDS_PER_DAY, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let mut words = Vec::new();
    for (length, unit) in units {
        let count = left / length;
        left %= length;
        if count > 0 {
            words.push(format!("{count} {unit}"));
        } else if !words.is_empty() {
            break;
        }
        if words.len() == 2 {
            break;
        }
    }
    match (words.is_empty(), ms > 0) {
        (true, _) => "now".to_owned(),
        (false, true) => format!("in {}", words.join(" ")),
        (false, false) => format!("{} ago", words.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_time_is_read() {
        let read = |text, zone| moment(text, zone).unwrap();
        assert_eq!(read("2027-03-01T09:00:00Z", None), json!("2027-03-01T09:00:00Z"));
        assert_eq!(
            read("2027-03-01T09:00:00+02:00", Some("x")),
            json!("2027-03-01T09:00:00+02:00")
        );
        assert_eq!(read("2027-03-01", None), json!({"date": "2027-03-01"}));
        assert_eq!(read(" 2027-03-01 09:00 ", None), json!({"local": "2027-03-01T09:00:00"}));
        assert_eq!(
            read("2027-03-01T09:00:30", Some("Asia/Tokyo")),
            json!({"local": "2027-03-01T09:00:30", "zone": "Asia/Tokyo"})
        );
        assert_eq!(read(r#"{"date":"2027-03-01"}"#, None), json!({"date": "2027-03-01"}));
        for wrong in ["", "tomorrow", "2027-13-01", "{"] {
            assert!(moment(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_delay_counts_from_now() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let due = moment_or_delay("2h", None, now).unwrap();
        assert_eq!(due, json!(now.saturating_add_ms(7_200_000).to_string()));
        assert!(moment_or_delay("2027-03-01", None, now).unwrap().is_object());
    }

    #[test]
    fn spans_are_iso_8601_and_days_stay_days() {
        let spans = [
            ("10m", "PT600S"),
            ("1d", "P1D"),
            ("1d 1h", "PT90000S"),
            ("0s", "PT0S"),
            ("PT5M", "PT5M"),
        ];
        for (text, iso) in spans {
            assert_eq!(span(text).unwrap(), iso);
        }
        assert!(span("soon").is_err());
    }

    #[test]
    fn a_distance_has_its_two_largest_units() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let told = |seconds: i64| relative(now.saturating_add_ms(seconds * 1_000), now);
        for (seconds, words) in [
            (0, "now"),
            (59, "in 59 s"),
            (3_600, "in 1 h"),
            (7_325, "in 2 h 2 min"),
            (86_405, "in 1 d"),
            (-90, "1 min 30 s ago"),
            (-200_000, "2 d 7 h ago"),
        ] {
            assert_eq!(told(seconds), words);
        }
    }
}
