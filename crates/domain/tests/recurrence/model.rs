//! The rule once more, told as simply as possible: every moment of a window is asked whether it is
//! one, and the whole set of each period is laid out before positions are chosen from it.

use crate::config;
use crate::generate::text;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use proptest::prelude::*;
use reminder_domain::recurrence::{Clock, Rule, Series};
use std::collections::{BTreeMap, HashMap};

/// How far is looked: the periods of a day and longer, and the shorter ones.
const DAYS: i64 = 3 * 366;
const DAYS_OF_SHORT_PERIODS: i64 = 20;

/// Whole periods begin before the start, and end after the end.
const LONGEST_PERIOD_DAYS: i64 = 366;

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

struct Model {
    parts: HashMap<String, String>,
    start: NaiveDateTime,
}

impl Model {
    fn new(rule: &str, start: NaiveDateTime) -> Self {
        let parts = rule.split(';').map(|part| part.split_once('=').unwrap());
        let parts = parts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { parts, start }
    }

    fn text(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    fn numbers(&self, name: &str) -> Vec<i64> {
        let values = self.text(name).split(',').filter(|text| !text.is_empty());
        values.map(|text| text.parse().unwrap()).collect()
    }

    fn is_short(&self) -> bool {
        ["HOURLY", "MINUTELY"].contains(&self.text("FREQ"))
    }

    fn first_weekday(&self) -> i64 {
        WEEKDAYS.iter().position(|day| *day == self.text("WKST")).unwrap_or(0).try_into().unwrap()
    }

    fn week_start(&self, day: NaiveDate) -> NaiveDate {
        let weekday = i64::from(day.weekday().num_days_from_monday());
        day - TimeDelta::days((weekday - self.first_weekday()).rem_euclid(7))
    }

    /// The number of the period that a moment is in, from the start's on.
    fn period(&self, at: NaiveDateTime) -> i64 {
        let (day, start) = (at.date(), self.start.date());
        let days = (day - start).num_days();
        let hours = days * 24 + i64::from(at.hour()) - i64::from(self.start.hour());
        match self.text("FREQ") {
            "YEARLY" => i64::from(day.year() - start.year()),
            "MONTHLY" => {
                let months = |day: NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month());
                months(day) - months(start)
            }
            "WEEKLY" => (self.week_start(day) - self.week_start(start)).num_days() / 7,
            "DAILY" => days,
            "HOURLY" => hours,
            _ => hours * 60 + i64::from(at.minute()) - i64::from(self.start.minute()),
        }
    }

    /// Whether a list has a number, counted from 1 or from the end.
    fn lists(&self, name: &str, number: i64, length: i64) -> bool {
        let list = self.numbers(name);
        list.is_empty() || list.contains(&number) || list.contains(&(number - length - 1))
    }

    fn has_day(&self, day: NaiveDate) -> bool {
        let month_length = i64::from(day.num_days_in_month());
        let year_length = if day.leap_year() { 366 } else { 365 };
        let (of_month, of_year) = (i64::from(day.day()), i64::from(day.ordinal()));
        let week = self.week_start(day) + TimeDelta::days(3);
        let weeks = (1..=53).filter(|n| {
            let other = week + TimeDelta::weeks(n - i64::from(week.ordinal0() / 7) - 1);
            other.year() == week.year()
        });
        let in_month = self.text("FREQ") == "MONTHLY" || self.has("BYMONTH");
        let (place, length) =
            if in_month { (of_month, month_length) } else { (of_year, year_length) };
        let name = WEEKDAYS[day.weekday().num_days_from_monday() as usize];
        let weekday = |text: &str| {
            let number = text.strip_suffix(name);
            number.is_some_and(|number| match number.parse::<i64>() {
                Err(_) => true,
                Ok(n) if n > 0 => (n - 1) * 7 < place && place <= n * 7,
                Ok(n) => (-n - 1) * 7 < length - place + 1 && length - place < -n * 7,
            })
        };
        self.lists("BYMONTH", i64::from(day.month()), 12)
            && self.lists("BYMONTHDAY", of_month, month_length)
            && self.lists("BYYEARDAY", of_year, year_length)
            && self.lists("BYWEEKNO", i64::from(week.ordinal0() / 7) + 1, whole(weeks.count()))
            && (!self.has("BYDAY") || self.text("BYDAY").split(',').any(weekday))
            && self.has_implied_day(day)
    }

    fn has_implied_day(&self, day: NaiveDate) -> bool {
        if ["BYDAY", "BYMONTHDAY", "BYYEARDAY"].iter().any(|name| self.has(name)) {
            return true;
        }
        let start = self.start.date();
        match self.text("FREQ") {
            "YEARLY" if self.has("BYWEEKNO") => day.weekday() == start.weekday(),
            "YEARLY" if self.has("BYMONTH") => day.day() == start.day(),
            "YEARLY" => (day.month(), day.day()) == (start.month(), start.day()),
            "MONTHLY" => day.day() == start.day(),
            "WEEKLY" => day.weekday() == start.weekday(),
            _ => true,
        }
    }

    fn has_time(&self, time: NaiveTime) -> bool {
        let start = self.start.time();
        let fits = |name: &str, value: u32, start: u32, every: bool| {
            if self.has(name) {
                self.numbers(name).contains(&i64::from(value))
            } else {
                every || value == start
            }
        };
        fits("BYHOUR", time.hour(), start.hour(), self.is_short())
            && fits("BYMINUTE", time.minute(), start.minute(), self.text("FREQ") == "MINUTELY")
    }

    /// What comes after the start and before an end, in ascending order.
    fn occurrences(&self, end: NaiveDateTime) -> Vec<NaiveDateTime> {
        let interval = self.numbers("INTERVAL").first().copied().unwrap_or(1);
        let second = self.numbers("BYSECOND").first().copied();
        let second = second.unwrap_or(i64::from(self.start.second()));
        let minutes = (0..1440).map(|n| NaiveTime::MIN + TimeDelta::minutes(n));
        let times: Vec<_> = minutes.filter(|time| self.has_time(*time)).collect();
        let around = TimeDelta::days(if self.is_short() { 1 } else { LONGEST_PERIOD_DAYS });
        let (first, last) = (self.start.date() - around, end.date() + around);
        let mut periods: BTreeMap<i64, Vec<NaiveDateTime>> = BTreeMap::new();
        for day in first.iter_days().take_while(|day| *day < last).filter(|d| self.has_day(*d)) {
            for time in &times {
                let at = day.and_time(*time) + TimeDelta::seconds(second);
                let period = self.period(at);
                if period >= 0 && period % interval == 0 {
                    periods.entry(period).or_default().push(at);
                }
            }
        }
        let positions = self.numbers("BYSETPOS");
        let chosen = periods.into_values().flat_map(|all| {
            let length = whole(all.len());
            let is_chosen = |index: usize| {
                let place = whole(index) + 1;
                positions.is_empty()
                    || positions.contains(&place)
                    || positions.contains(&(place - length - 1))
            };
            let chosen: Vec<_> =
                all.iter().enumerate().filter(|(n, _)| is_chosen(*n)).map(|(_, at)| *at).collect();
            chosen
        });
        chosen.filter(|at| self.start < *at && *at < end).collect()
    }
}

fn whole(size: usize) -> i64 {
    size.try_into().unwrap()
}

/// Without `COUNT` and `UNTIL`, which the model does not know.
fn endless(text: &str) -> String {
    let parts = text.split(';');
    let kept = parts.filter(|part| !part.starts_with("COUNT") && !part.starts_with("UNTIL"));
    kept.collect::<Vec<_>>().join(";")
}

proptest! {
    #![proptest_config(config())]

    /// Each occurrence is found from the one before by its cursor alone, and each is in the model.
    #[test]
    fn occurrences_are_those_of_the_model(
        rule in text().prop_filter_map("not every combination is allowed", |text| Rule::parse(&endless(&text)).ok()),
        day in 10_000..20_000_i64, minute in 0..1440_i64,
    ) {
        let start = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + TimeDelta::days(day);
        let start = start.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
        let model = Model::new(&rule.to_string(), start);
        let end = start + TimeDelta::days(if model.is_short() { DAYS_OF_SHORT_PERIODS } else { DAYS });
        let clock = Clock { zone: chrono_tz::Tz::UTC, time_of_day: None };
        let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
        let mut cursor = series.first().unwrap().cursor;
        prop_assert_eq!(cursor.local, start);
        for expected in model.occurrences(end).into_iter().take(300) {
            let next = series.next(&cursor).map(|next| next.cursor.local);
            prop_assert_eq!(next, Some(expected), "after {}", cursor.local);
            cursor.local = expected;
        }
    }
}
