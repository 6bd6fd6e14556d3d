//! Time zones, offsets and timestamps against brute force.

use crate::{config, put_command};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use reminder_domain::command::IfPast;
use reminder_domain::time::{
    Adjustment, CalendarOffset, DueTime, Resolved, Shift, TimeOfDay, Timestamp, UserClock, resolve,
};
use reminder_domain::{Task, TaskId, TaskState, Turn, decide};
use serde_json::json;

/// Seconds from 1971 to 2099: late enough that every resolution is after the epoch.
const SECONDS: std::ops::Range<i64> = 31_536_000..4_070_908_800;

/// A user's clock that has nothing to say to local times with a zone.
fn clock() -> UserClock {
    UserClock { zone: Tz::UTC, default_time: TimeOfDay::NINE }
}

pub(crate) fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(TZ_VARIANTS.as_slice())
}

/// Any local time, or one within three hours of a change of the zone's clock.
fn zone_and_local() -> impl Strategy<Value = (Tz, NaiveDateTime)> {
    let near = -3 * 3600..3 * 3600_i64;
    (zone(), SECONDS, near, prop::bool::weighted(0.8)).prop_map(|(zone, second, near, aim)| {
        let instant = DateTime::from_timestamp(second, 0).unwrap();
        let change = aim.then(|| next_change(zone, instant)).flatten();
        let local = match change {
            Some(change) => shown(zone, change) + TimeDelta::seconds(near),
            None => shown(zone, instant),
        };
        (zone, local)
    })
}

/// What a clock on the wall shows.
pub(crate) fn shown(zone: Tz, instant: DateTime<Utc>) -> NaiveDateTime {
    instant.with_timezone(&zone).naive_local()
}

fn offset(zone: Tz, instant: DateTime<Utc>) -> i64 {
    i64::from(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
}

/// The first second of the next year's first change of offset, found day by day and then by halves.
pub(crate) fn next_change(zone: Tz, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = TimeDelta::days(1);
    let mut before = from;
    for _ in 0..400 {
        if offset(zone, before) != offset(zone, before + day) {
            let (mut low, mut high) = (before, before + day);
            while high - low > TimeDelta::seconds(1) {
                let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
                if offset(zone, middle) == offset(zone, before) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            return Some(high);
        }
        before += day;
    }
    None
}

/// RFC 5545 §3.3.5 by trying out: every offset in force around the time is a candidate; the first
/// instant that shows the time wins; if none does, the last offset before the clock jumped over
/// the time is used.
pub(crate) fn brute_force(local: NaiveDateTime, zone: Tz) -> (DateTime<Utc>, Adjustment) {
    const AROUND_MINUTES: i64 = 2 * 24 * 60;
    let at_minute = |n: i64| local.and_utc() + TimeDelta::minutes(n);
    let mut offsets: Vec<i64> =
        (-AROUND_MINUTES..=AROUND_MINUTES).map(|n| offset(zone, at_minute(n))).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut showing: Vec<DateTime<Utc>> = offsets
        .iter()
        .map(|offset| local.and_utc() - TimeDelta::seconds(*offset))
        .filter(|instant| shown(zone, *instant) == local)
        .collect();
    showing.sort_unstable();
    match showing[..] {
        [] => {
            let last_before = (-AROUND_MINUTES..=AROUND_MINUTES)
                .map(at_minute)
                .take_while(|instant| shown(zone, *instant) < local)
                .last()
                .expect("two days earlier every clock shows less");
            let utc = local.and_utc() - TimeDelta::seconds(offset(zone, last_before));
            (utc, Adjustment::Gap)
        }
        [only] => (only, Adjustment::None),
        [first, ..] => (first, Adjustment::Overlap),
    }
}

fn utc(at: Timestamp) -> DateTime<Utc> {
    at.to_datetime()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn zones_resolve_as_by_brute_force((zone, local) in zone_and_local()) {
        let (expected, adjustment) = brute_force(local, zone);
        let at = Timestamp::from_datetime(&expected).unwrap();
        prop_assert_eq!(resolve(local, zone), Some(Resolved { at, adjustment }));
    }

    /// In a gap the wall clock shows a later time than asked for, else exactly that.
    #[test]
    fn the_wall_shows_what_was_asked_for((zone, local) in zone_and_local()) {
        let resolved = resolve(local, zone).unwrap();
        let wall = shown(zone, utc(resolved.at));
        if resolved.adjustment == Adjustment::Gap {
            prop_assert!(wall > local, "{wall} for {local}");
        } else {
            prop_assert_eq!(wall, local);
        }
    }

    #[test]
    fn days_before_keep_the_wall_time((zone, local) in zone_and_local(), days in 0..40_i64) {
        let due = DueTime::Zoned { local, zone };
        let offset = CalendarOffset::parse(&format!("P{days}D")).unwrap();
        let before = due.resolve(clock(), offset.before()).unwrap();
        let wanted = local - TimeDelta::days(days);
        if before.adjustment != Adjustment::Gap {
            prop_assert_eq!(shown(zone, utc(before.at)), wanted);
        }
        prop_assert_eq!(before.at, resolve(wanted, zone).unwrap().at);
    }

    #[test]
    fn hours_before_are_exact((zone, local) in zone_and_local(), seconds in 0..100_000_i64) {
        let due = DueTime::Zoned { local, zone };
        let offset = CalendarOffset::parse(&format!("PT{seconds}S")).unwrap();
        let at = due.resolve(clock(), Shift::NONE).unwrap().at;
        prop_assert_eq!(at.millis_since(due.resolve(clock(), offset.before()).unwrap().at), seconds * 1000);
    }

    #[test]
    fn due_times_survive_json((zone, local) in zone_and_local(), ms in 0..1000_i64) {
        let due = DueTime::Zoned { local: local + TimeDelta::milliseconds(ms), zone };
        let json = serde_json::to_string(&due).unwrap();
        prop_assert_eq!(serde_json::from_str::<DueTime>(&json).unwrap(), due);
    }

    #[test]
    fn timestamps_survive_writing(ms in 0..253_402_300_800_000_i64) {
        let at = Timestamp::from_millis(ms);
        prop_assert_eq!(at.as_millis(), ms);
        prop_assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        prop_assert_eq!(Timestamp::from_datetime(&at.to_datetime()), Some(at));
    }

    #[test]
    fn parsing_never_rounds_down(
        second in SECONDS, nanos in 0..1_000_000_000_u32, digits in 1..=9_usize, hours in -12..=14_i32,
    ) {
        // The text is built apart from chrono's formatter of fractions.
        let sign = if hours < 0 { '-' } else { '+' };
        let local = DateTime::from_timestamp(second + i64::from(hours) * 3600, 0).unwrap();
        let fraction = &format!("{nanos:09}")[..digits];
        let text = format!("{}.{fraction}{sign}{:02}:00", local.format("%Y-%m-%dT%H:%M:%S"), hours.abs());
        let exact = i128::from(second) * 1_000_000_000
            + fraction.parse::<i128>().unwrap() * 10_i128.pow(9 - u32::try_from(digits).unwrap());
        let parsed = i128::from(Timestamp::parse(&text).unwrap().as_millis()) * 1_000_000;
        prop_assert!((0..1_000_000).contains(&(parsed - exact)), "{text} became {parsed}");
    }

    #[test]
    fn local_times_never_round_down(second in SECONDS, nanos in 0..1_000_000_000_u32) {
        let date = DateTime::from_timestamp(second, nanos).unwrap().naive_utc();
        let text = date.format("%Y-%m-%dT%H:%M:%S%.9f").to_string();
        let at = DueTime::parse_zoned(&text, "UTC").unwrap().resolve(clock(), Shift::NONE).unwrap().at;
        let excess = utc(at).naive_utc() - date;
        prop_assert!(excess >= TimeDelta::zero() && excess < TimeDelta::milliseconds(1));
        prop_assert_eq!(utc(at).nanosecond() % 1_000_000, 0);
    }

    #[test]
    fn offsets_survive_writing(days in 0..7000_i64, seconds in 0..8_000_000_i64) {
        let text = format!("P{days}DT{seconds}S");
        let offset = CalendarOffset::parse(&text).unwrap();
        prop_assert_eq!((offset.days(), offset.seconds()), (days, seconds));
        prop_assert_eq!(CalendarOffset::parse(&offset.to_string()), Ok(offset));
    }

    /// No text makes a parser panic.
    #[test]
    fn parsers_refuse_and_do_not_panic(text in "[-+0-9TZPWDHMS:./a-zA-Z ]{0,40}", any in any::<String>()) {
        for text in [&text, &any] {
            let _ = Timestamp::parse(text);
            let _ = CalendarOffset::parse(text);
            let _ = DueTime::parse_instant(text);
            let _ = DueTime::parse_zoned(text, "Europe/Berlin");
            let _ = DueTime::parse_zoned("2026-01-01T00:00:00", text);
        }
    }

    /// Whatever due date a recurring task is taken with, the task that is stored can be read again.
    #[test]
    fn a_recurring_task_that_is_taken_can_be_read_again(
        zone in zone(),
        date in prop::sample::select(&["1969-12-31", "1970-01-01", "2027-03-28", "9999-12-31"][..]),
        time in "(00|09|15|23):(00|30|59):(00|30|59|60)",
        fraction in prop::sample::select(&["", ".5", ".0001", ".999999999"][..]),
        rule in prop::sample::select(&["FREQ=DAILY", "FREQ=HOURLY;COUNT=9"][..]),
    ) {
        let local = format!("{date}T{time}{fraction}");
        let dates = [&local];
        let recurrence = json!({ "rule": rule, "exdates": dates, "rdates": dates, "start": local });
        let due_date = json!({ "local": local, "zone": zone.name() });
        let task = json!({ "title": "t", "dueDate": due_date, "recurrence": recurrence });
        let Ok(task) = serde_json::from_value::<Task>(task) else { return Ok(()) };
        // Nothing is beyond the horizon.
        let now = Timestamp::MAX;
        let command = put_command(task, IfPast::Skip);
        let id = TaskId::parse("task-1").unwrap();
        let Ok(Turn::Commit(change)) = decide(&id, None, &command, None, now) else {
            return Ok(());
        };
        let stored = serde_json::to_string(&change.state).unwrap();
        prop_assert_eq!(serde_json::from_str::<TaskState>(&stored).unwrap(), change.state);
    }

    /// Dates far out are refused, not wrapped.
    #[test]
    fn the_ends_of_the_calendar_are_refused(year in -262_000..262_000_i32, days in 0..7000_i64) {
        let local = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let due = DueTime::Zoned { local, zone: Tz::Asia__Tokyo };
        let offset = CalendarOffset::parse(&format!("P{days}D")).unwrap();
        let resolved = due.resolve(clock(), offset.before());
        // Up to 20 years before the due date, and some hours by the zone.
        let inside = (1970 + 20..10_000).contains(&year);
        prop_assert!(resolved.is_some() || !inside, "{local}");
        prop_assert!(resolved.is_none() || (1970..=10_000 + 20).contains(&year), "{local}");
    }
}
