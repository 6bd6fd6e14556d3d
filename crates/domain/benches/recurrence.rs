//! How long recurrence takes: `cargo bench -p reminder-domain`.
//!
//! What matters is that the age of a rule does not: `next` is asked once for each occurrence that
//! fires, `latest` once for each put of a rule whose start lies back.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use divan::{Bencher, black_box};
use reminder_domain::Timestamp;
use reminder_domain::recurrence::{Clock, Cursor, Occurrence, Rule, Series};

const RULES: [&str; 6] = [
    "FREQ=DAILY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1",
    "FREQ=HOURLY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=MINUTELY",
];

/// When everything is asked.
const NOW: i32 = 2075;

fn main() {
    divan::main();
}

/// The first of March, at nine.
fn march(year: i32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(year, 3, 1).unwrap().and_hms_opt(9, 0, 0).unwrap()
}

fn series(rule: &Rule, years_old: i32) -> Series<'_> {
    let clock = Clock { zone: Tz::Europe__Berlin, time_of_day: None };
    Series { rule, start: march(NOW - years_old), exdates: &[], rdates: &[], clock }
}

fn next(bencher: Bencher, rule: &str, years_old: i32) {
    let rule = Rule::parse(rule).unwrap();
    let series = series(&rule, years_old);
    let cursor = Cursor { local: march(NOW), number: 0 };
    bencher.bench_local(|| -> Option<Occurrence> { black_box(&series).next(black_box(&cursor)) });
}

#[divan::bench(args = RULES)]
fn next_1_year_old(bencher: Bencher, rule: &str) {
    next(bencher, rule, 1);
}

#[divan::bench(args = RULES)]
fn next_10_years_old(bencher: Bencher, rule: &str) {
    next(bencher, rule, 10);
}

#[divan::bench(args = RULES)]
fn next_100_years_old(bencher: Bencher, rule: &str) {
    next(bencher, rule, 100);
}

/// What the first put of a rule costs whose start lies ten years back: it is read, checked, and its
/// latest occurrence found.
#[divan::bench(args = RULES)]
fn put_ten_years_back(bencher: Bencher, rule: &str) {
    let now = Timestamp::from_datetime(&march(NOW).and_utc()).unwrap();
    bencher.bench_local(|| {
        let rule = Rule::parse(black_box(rule)).unwrap();
        let series = series(&rule, 10);
        series.check().unwrap();
        series.latest(None, now)
    });
}
