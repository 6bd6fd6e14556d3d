//! Random rules, zones and starts.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use proptest::prelude::*;
use reminder_domain::recurrence::{Clock, LocalMoment, Rule, Series};

/// What a [`Series`] borrows.
#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) rule: Rule,
    pub(crate) start: NaiveDateTime,
    pub(crate) exdates: Vec<LocalMoment>,
    pub(crate) rdates: Vec<LocalMoment>,
    pub(crate) clock: Clock,
}

impl Owned {
    pub(crate) fn series(&self) -> Series<'_> {
        Series {
            rule: &self.rule,
            start: self.start,
            exdates: &self.exdates,
            rdates: &self.rdates,
            clock: self.clock,
        }
    }
}

/// A part of a rule: a list of numbers, some of them counted from the end.
fn list(name: &'static str, most: usize, high: i16, negative: bool) -> BoxedStrategy<String> {
    let low = i16::from(negative);
    let value = (low..=high, prop::bool::weighted(if negative { 0.3 } else { 0.0 }))
        .prop_map(|(value, from_end)| if from_end { -value } else { value }.to_string());
    prop::collection::vec(value, 1..=most)
        .prop_map(move |values| format!("{name}={}", values.join(",")))
        .boxed()
}

fn weekdays() -> BoxedStrategy<String> {
    let day = prop::sample::select(&["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    let number = prop::sample::select(&["", "", "", "1", "2", "-1", "-2", "5"]);
    let days = prop::collection::vec((number, day), 1..4);
    days.prop_map(|days| {
        let days: Vec<_> = days.into_iter().map(|(number, day)| format!("{number}{day}")).collect();
        format!("BYDAY={}", days.join(","))
    })
    .boxed()
}

/// The text of a rule that may or may not be allowed.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let frequency =
        prop::sample::select(&["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]);
    let by = prop_oneof![
        list("BYMONTH", 4, 12, false).prop_filter("no month is 0", |t| !t.contains("=0")),
        list("BYMONTHDAY", 5, 31, true),
        list("BYYEARDAY", 5, 366, true),
        list("BYWEEKNO", 3, 53, true),
        weekdays(),
        weekdays(),
        list("BYHOUR", 4, 23, false),
        list("BYMINUTE", 4, 59, false),
        list("BYSECOND", 1, 59, false),
        list("BYSETPOS", 2, 6, true),
    ];
    let interval = prop_oneof![3 => Just(1_u32), 2 => 2..20_u32, 1 => 20..2_000_u32];
    let end = prop_oneof![
        3 => Just(String::new()),
        1 => (1..40_u32).prop_map(|count| format!(";COUNT={count}")),
        1 => (1980..2060_i32).prop_map(|year| format!(";UNTIL={year}0615")),
        1 => (1980..2060_i32).prop_map(|year| format!(";UNTIL={year}0615T093000Z")),
    ];
    let week_start = prop::sample::select(&["", "", ";WKST=SU", ";WKST=TH"]);
    (frequency, interval, end, prop::collection::vec(by, 0..4), week_start).prop_map(
        |(frequency, interval, end, by, week_start)| {
            let first = format!("FREQ={frequency};INTERVAL={interval}{end}{week_start}");
            [vec![first], by].concat().join(";")
        },
    )
}

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    text().prop_filter_map("not every combination is allowed", |text| Rule::parse(&text).ok())
}

pub(crate) fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(TZ_VARIANTS.as_slice())
}

/// A zone, and a local time in it, often within two days before a change of its clock.
pub(crate) fn zone_and_start() -> impl Strategy<Value = (Tz, NaiveDateTime)> {
    let quarters = 5 * 365 * 96..65 * 365 * 96_i64;
    (zone(), quarters, prop::bool::weighted(0.6), 0..3_i64, -8..8_i64).prop_map(
        |(zone, quarter, aim, days, near)| {
            let instant = DateTime::from_timestamp(quarter * 900, 0).unwrap();
            let change = aim.then(|| next_change(zone, instant.naive_utc())).flatten();
            let before = |change| change - TimeDelta::days(days) + TimeDelta::minutes(15 * near);
            (zone, change.map_or(instant.naive_utc(), before))
        },
    )
}

/// What the clock would show at the zone's next change of offset, to the quarter of an hour.
fn next_change(zone: Tz, from: NaiveDateTime) -> Option<NaiveDateTime> {
    let shown = |utc: &NaiveDateTime| zone.from_utc_datetime(utc).naive_local();
    let offset = |utc: &NaiveDateTime| shown(utc) - *utc;
    let mut days = (0..400).map(|day| from + TimeDelta::days(day));
    let day = days.find(|day| offset(day) != offset(&(*day + TimeDelta::days(1))))?;
    let mut quarters = (1..=96).map(|quarter| day + TimeDelta::minutes(15 * quarter));
    let change = quarters.find(|utc| offset(utc) != offset(&day))?;
    let local = change + offset(&day);
    let minutes = local.time().minute() % 15;
    Some(local - TimeDelta::minutes(minutes.into()))
}

/// Any series: of times or of dates, with exceptions near its start.
pub(crate) fn series() -> impl Strategy<Value = Owned> {
    let moment = (0..60_i64, 0..96_i64, any::<bool>());
    let exceptions =
        || prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(moment.clone(), 1..8)];
    let of_dates = prop::bool::weighted(0.2);
    (rule(), zone_and_start(), exceptions(), exceptions(), of_dates).prop_map(
        |(rule, (zone, start), exdates, rdates, of_dates)| {
            let of_dates = of_dates && !rule.has_time_parts();
            let time_of_day = of_dates.then(|| start.time());
            let start = if of_dates { start.date().and_time(NaiveTime::MIN) } else { start };
            let moments = |list: Vec<(i64, i64, bool)>| {
                let moment = |(days, quarters, whole)| {
                    let near = start + TimeDelta::days(days) + TimeDelta::minutes(15 * quarters);
                    let same = start + TimeDelta::days(days);
                    match (whole, quarters % 2) {
                        (true, _) => LocalMoment::Date(near.date()),
                        (false, 0) => LocalMoment::DateTime(same),
                        (false, _) => LocalMoment::DateTime(near),
                    }
                };
                list.into_iter().map(moment).collect()
            };
            let (exdates, rdates) = (moments(exdates), moments(rdates));
            Owned { rule, start, exdates, rdates, clock: Clock { zone, time_of_day } }
        },
    )
}
