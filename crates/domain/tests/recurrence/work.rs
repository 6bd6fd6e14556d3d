//! How much work a call is: the same for old rules and young ones, and little for the worst of them.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use reminder_domain::Timestamp;
use reminder_domain::recurrence::{Clock, Cursor, LocalMoment, Rule, Series};
use std::time::{Duration, Instant};

/// An old rule may cost this much more than a young one; from its start on it would be thousands.
const OLD_TO_YOUNG_MAX: u32 = 10;

/// What one call may take at its best, without optimisation and on a machine with other work: the
/// worst is 15 ms, a search without a bound takes seconds. Optimised, it is some ten times faster.
const CALL_MAX: Duration = Duration::from_millis(250);

fn at(year: i32, month: u32, day: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, month, day).unwrap().and_hms_opt(9, 0, 0).unwrap()
}

/// The best of several, for the machine has other things to do.
fn best<T>(times: u32, mut call: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let began = Instant::now();
        std::hint::black_box(call());
        best = best.min(began.elapsed());
    }
    best
}

#[test]
fn old_rules_cost_what_young_ones_do() {
    for text in [
        "FREQ=DAILY",
        "FREQ=MINUTELY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
        "FREQ=MONTHLY;BYDAY=-1FR",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1",
        "FREQ=DAILY;COUNT=10000",
    ] {
        let rule = Rule::parse(text).unwrap();
        let clock = Clock { zone: Tz::Europe__Berlin, time_of_day: None };
        let cursor = Cursor { local: at(2075, 6, 15), number: 9_000 };
        let cost = |year: i32| {
            let start = at(year, 3, 1);
            let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
            assert!(series.next(&cursor).is_some(), "{text}");
            best(200, || series.next(&cursor))
        };
        let (young, old) = (cost(2074), cost(1975));
        assert!(
            old < young * OLD_TO_YOUNG_MAX,
            "{text}: {old:?} when 100 years old, {young:?} when one year old"
        );
    }
}

#[test]
fn the_worst_rules_are_answered_soon() {
    let list = |high: u32| (0..=high).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let every_minute = format!("BYHOUR={};BYMINUTE={}", list(23), list(59));
    let texts = [
        "FREQ=MINUTELY".to_owned(),
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29".to_owned(),
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO".to_owned(),
        "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1".to_owned(),
        "FREQ=MINUTELY;INTERVAL=1439;BYHOUR=3;BYMINUTE=1".to_owned(),
        "FREQ=MINUTELY;INTERVAL=10000000;BYHOUR=3;BYMINUTE=1".to_owned(),
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=8".to_owned(),
        "FREQ=HOURLY;INTERVAL=175200;BYMONTH=2".to_owned(),
        "FREQ=MINUTELY;COUNT=10000".to_owned(),
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO".to_owned(),
        format!("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;{every_minute}"),
        format!("FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-366;{every_minute}"),
        format!("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366,-1;{every_minute}"),
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1;BYDAY=SU".to_owned(),
        "FREQ=YEARLY;INTERVAL=19;BYMONTH=2;BYMONTHDAY=29".to_owned(),
    ];
    let exdates: Vec<_> =
        (0..200).map(|n| LocalMoment::Date(at(2010, 1, 1).date() + TimeDelta::days(n))).collect();
    let until = Timestamp::parse("2026-11-22T00:00:00Z").unwrap();
    for text in &texts {
        let rule = Rule::parse(text).unwrap();
        // A zone that skipped a whole day, in the middle of the series.
        let clock = Clock { zone: Tz::Pacific__Apia, time_of_day: None };
        let start = at(2010, 1, 1);
        let series = Series { rule: &rule, start, exdates: &exdates, rdates: &[], clock };
        let skipped = Cursor { local: at(2011, 12, 29) + TimeDelta::hours(15), number: 1 };
        let ancient = Cursor { local: at(1970, 1, 1), number: 0 };
        let late = Cursor { local: at(2026, 1, 1), number: 1 };
        for (call, took) in [
            ("parse", best(3, || Rule::parse(text))),
            ("check", best(3, || series.check())),
            ("first", best(3, || series.first())),
            ("next", best(3, || series.next(&late))),
            ("next of an ancient cursor", best(3, || series.next(&ancient))),
            ("next over a skipped day", best(3, || series.next(&skipped))),
            ("latest", best(3, || series.latest(None, until))),
        ] {
            assert!(took < CALL_MAX, "{call} of {text} took {took:?}");
            println!("{took:>12?} {call:<26} {text:.60}");
        }
    }
}

/// The ends of the calendar are ends, and no panics.
#[test]
fn cursors_beyond_the_calendar_lead_nowhere() {
    let rules = ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=MINUTELY"];
    let ends = [NaiveDateTime::MIN, NaiveDateTime::MAX, at(9999, 12, 31), at(1969, 1, 1)];
    for text in rules {
        let rule = Rule::parse(text).unwrap();
        for start in ends {
            for local in ends {
                for time_of_day in [None, Some(start.time())] {
                    let clock = Clock { zone: Tz::America__New_York, time_of_day };
                    let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
                    let cursor = Cursor { local, number: 0 };
                    let _ = (series.first(), series.next(&cursor), series.check());
                    let _ = series.latest(Some(&cursor), Timestamp::MAX);
                    let _ = series.latest(Some(&cursor), Timestamp::from_millis(0));
                }
            }
        }
    }
}
