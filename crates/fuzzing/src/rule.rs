//! Recurrence rules, and the series that they make.

use chrono::{DateTime, NaiveDateTime, NaiveTime};
use chrono_tz::{TZ_VARIANTS, Tz};
use reminder_domain::Timestamp;
use reminder_domain::recurrence::{Clock, Cursor, LocalMoment, Occurrence, Rule, Series};

/// How many bytes before the rule say where and when the series begins.
const HEADER_BYTES: usize = 8;
/// How many occurrences are asked for.
const OCCURRENCES: usize = 40;

/// A rule; the bytes before it say start, zone, and whether it is a series of dates.
pub fn rule(data: &[u8]) {
    let Some((header, text)) = data.split_first_chunk::<HEADER_BYTES>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (text, dates) = text.split_once('|').unwrap_or((text, ""));
    let Ok(rule) = Rule::parse(text) else { return };
    assert_eq!(Rule::parse(&rule.to_string()).as_ref(), Ok(&rule));
    let moments: Vec<LocalMoment> =
        dates.split(',').take(20).filter_map(|date| LocalMoment::parse(date).ok()).collect();
    let (exdates, rdates) = moments.split_at(moments.len() / 2);
    let [one, two, three, four, zone, zone_high, of_dates, far] = *header;
    // From 1970 to 2106, to the second.
    let seconds = u32::from_le_bytes([one, two, three, four]);
    let start = DateTime::from_timestamp(seconds.into(), 0).map(|at| at.naive_utc());
    let start: NaiveDateTime = start.unwrap_or_default();
    let zone = usize::from(u16::from_le_bytes([zone, zone_high]));
    let zone: Tz = TZ_VARIANTS[zone % TZ_VARIANTS.len()];
    let time_of_day = (of_dates % 2 == 1).then_some(NaiveTime::MIN);
    let series = Series { rule: &rule, start, exdates, rdates, clock: Clock { zone, time_of_day } };
    let sound = series.check().is_ok();
    let first = series.first();
    assert!(!sound || first.is_some(), "a series that may be used has an occurrence");
    let mut last: Option<Occurrence> = first;
    for _ in 0..OCCURRENCES {
        let Some(before) = last else { break };
        last = series.next(&before.cursor);
        if let Some(next) = last {
            assert!(next.resolved.at > before.resolved.at, "{before:?} {next:?}");
        }
    }
    let until = Timestamp::from_millis(i64::from(seconds) * 1000 + i64::from(far) * 40_000_000_000);
    let latest = series.latest(None, until);
    assert!(latest.is_none_or(|(latest, count)| latest.resolved.at <= until && count > 0));
    let _ = series.latest(first.map(|first| first.cursor).as_ref(), until);
    let _ = series.next(&Cursor { local: start, number: far.into() });
}
