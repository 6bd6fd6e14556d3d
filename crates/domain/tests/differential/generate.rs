//! Random series, the same for the same seed.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Serialize;

/// Occurrences compared of each series, and the years in which they are looked for: fewer than we
/// search for the next one.
const COUNT: usize = 30;
const YEARS: i32 = 12;

/// A series, as the oracle reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Case {
    pub(crate) rule: String,
    pub(crate) start: String,
    pub(crate) zone: String,
    pub(crate) time_of_day: Option<String>,
    pub(crate) exdates: Vec<String>,
    pub(crate) rdates: Vec<String>,
    count: usize,
    years: i32,
}

/// `SplitMix64`: small, good enough, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    fn range(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap() + 1;
        low + i64::try_from(self.next() % width).unwrap()
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: i64) -> bool {
        self.range(1, n) == 1
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let last = i64::try_from(from.len()).unwrap() - 1;
        &from[usize::try_from(self.range(0, last)).unwrap()]
    }

    /// A list of numbers, some of them negative.
    fn list(&mut self, most: i64, low: i64, high: i64, negative: bool) -> String {
        let values: Vec<String> = (0..self.range(1, most))
            .map(|_| {
                let sign = if negative && self.once_in(3) { -1 } else { 1 };
                (sign * self.range(low, high)).to_string()
            })
            .collect();
        values.join(",")
    }
}

impl Case {
    pub(crate) fn random(random: &mut Random) -> Self {
        let of_dates = random.once_in(6);
        let zone = *random.pick(&TZ_VARIANTS);
        let start = start(random, zone, of_dates);
        let near = |random: &mut Random| {
            let moment = start + TimeDelta::days(random.range(0, 40));
            let format = if random.once_in(2) { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
            moment.format(format).to_string()
        };
        let exdates = if random.once_in(4) { random.range(1, 6) } else { 0 };
        let rdates = if random.once_in(4) { random.range(1, 3) } else { 0 };
        let time_of_day =
            || format!("{:02}:{:02}:00", start.day() % 24, if start.day() > 15 { 30 } else { 0 });
        Self {
            rule: rule(random, start, of_dates),
            start: start.format("%Y-%m-%dT%H:%M:%S").to_string(),
            zone: zone.name().to_owned(),
            time_of_day: of_dates.then(time_of_day),
            exdates: (0..exdates).map(|_| near(random)).collect(),
            rdates: (0..rdates).map(|_| near(random)).collect(),
            count: COUNT,
            years: YEARS,
        }
    }

    /// What comes from here on is not compared.
    pub(crate) fn horizon(&self) -> String {
        let start: NaiveDateTime = self.start.parse().unwrap();
        let first = start.with_day(1).unwrap();
        first.with_year(first.year() + YEARS).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

fn start(random: &mut Random, zone: Tz, of_dates: bool) -> NaiveDateTime {
    let year = i32::try_from(random.range(1975, 2035)).unwrap();
    let day = NaiveDate::from_yo_opt(year, u32::try_from(random.range(1, 365)).unwrap()).unwrap();
    if random.once_in(3)
        && let Some(change) = next_change(zone, day)
    {
        // From two days before it to an hour after.
        let minutes = 15 * random.range(-4, 4);
        let near = change + TimeDelta::minutes(minutes) - TimeDelta::days(random.range(0, 2));
        return if of_dates { near.date().into() } else { near };
    }
    if of_dates {
        return day.into();
    }
    // Many at night, when clocks change, and at full minutes.
    let hour = if random.once_in(2) { random.range(0, 3) } else { random.range(0, 23) };
    let minute = *random.pick(&[0, 0, 15, 30, 59]);
    let second = if random.once_in(5) { random.range(0, 59) } else { 0 };
    day.and_time(chrono::NaiveTime::MIN)
        + TimeDelta::hours(hour)
        + TimeDelta::minutes(minute)
        + TimeDelta::seconds(second)
}

/// What the clock would show at the next change of the zone's offset, to the quarter of an hour.
fn next_change(zone: Tz, from: NaiveDate) -> Option<NaiveDateTime> {
    let offset = |utc: &NaiveDateTime| zone.offset_from_utc_datetime(utc).fix();
    let midnight = NaiveDateTime::from(from);
    let day = (0..400).map(|days| midnight + TimeDelta::days(days));
    let day = day.into_iter().find(|day| offset(day) != offset(&(*day + TimeDelta::days(1))))?;
    let quarters = (1..=96).map(|quarter| day + TimeDelta::minutes(15 * quarter));
    let change = quarters.into_iter().find(|utc| offset(utc) != offset(&day))?;
    Some(change + TimeDelta::seconds(offset(&day).local_minus_utc().into()))
}

fn rule(random: &mut Random, start: NaiveDateTime, of_dates: bool) -> String {
    let all = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"];
    let frequency = *random.pick(if of_dates { &all[..4] } else { &all });
    let mut parts = vec![format!("FREQ={frequency}")];
    let mut part = |name: &str, value: String| parts.push(format!("{name}={value}"));
    if random.once_in(2) {
        let interval = match frequency {
            "YEARLY" => random.range(1, 3),
            "HOURLY" | "MINUTELY" if random.once_in(2) => random.range(1, 2_000),
            "MINUTELY" => *random.pick(&[5, 10, 15, 30, 60]),
            _ => random.range(1, 20),
        };
        part("INTERVAL", interval.to_string());
    }
    match random.range(1, 5) {
        1 => part("COUNT", random.range(1, 30).to_string()),
        2 => part("UNTIL", until(random, start, of_dates)),
        _ => {}
    }
    if random.once_in(4) {
        part("WKST", (*random.pick(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"])).to_owned());
    }
    let mut chosen_from = false;
    if random.once_in(3) {
        part("BYMONTH", random.list(4, 1, 12, false));
        chosen_from = true;
    }
    let weeks = frequency == "YEARLY" && random.once_in(4);
    let late_weeks = weeks && random.once_in(3);
    if weeks {
        let (low, high) = if late_weeks { (50, 53) } else { (1, 51) };
        part("BYWEEKNO", random.list(4, low, high, true));
        chosen_from = true;
    }
    if matches!(frequency, "YEARLY" | "HOURLY" | "MINUTELY") && random.once_in(6) {
        part("BYYEARDAY", random.list(8, 1, 366, true));
        chosen_from = true;
    }
    if frequency != "WEEKLY" && random.once_in(4) {
        part("BYMONTHDAY", random.list(6, 1, 31, true));
        chosen_from = true;
    }
    let mut mixed = false;
    if random.once_in(3) {
        let may_number = matches!(frequency, "MONTHLY" | "YEARLY") && !weeks;
        let days = weekdays(random, may_number);
        let numbered = |day: &str| day.len() > 2;
        mixed = days.split(',').any(numbered) && !days.split(',').all(numbered);
        part("BYDAY", days);
        chosen_from = true;
    }
    if !of_dates {
        for (name, high) in [("BYHOUR", 23), ("BYMINUTE", 59)] {
            if random.once_in(4) {
                part(name, random.list(4, 0, high, false));
                chosen_from = true;
            }
        }
        if random.once_in(8) {
            part("BYSECOND", random.range(0, 59).to_string());
        }
    }
    // The oracle bridges some differences by filters, which positions would have to come after.
    if chosen_from && !mixed && !late_weeks && random.once_in(4) {
        part("BYSETPOS", random.list(3, 1, 8, true));
    }
    parts.join(";")
}

/// Numbers are small, for dateutil fails for those far beyond a month.
fn weekdays(random: &mut Random, may_number: bool) -> String {
    let days: Vec<String> = (0..random.range(1, 4))
        .map(|_| {
            let day = random.pick(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
            let number = if may_number && random.once_in(2) { random.range(1, 5) } else { 0 };
            match number {
                0 => (*day).to_owned(),
                _ if random.once_in(3) => format!("-{number}{day}"),
                _ => format!("{number}{day}"),
            }
        })
        .collect();
    days.join(",")
}

fn until(random: &mut Random, start: NaiveDateTime, of_dates: bool) -> String {
    let end = start + TimeDelta::days(random.range(0, 1_000));
    let format = match random.range(1, 3) {
        1 => "%Y%m%d",
        2 if !of_dates => "%Y%m%dT%H%M%S",
        _ => "%Y%m%dT%H%M%SZ",
    };
    end.format(format).to_string()
}
