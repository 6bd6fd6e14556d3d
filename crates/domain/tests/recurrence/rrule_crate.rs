//! The `rrule` crate: it agrees with us on most rules, and here is where it does not.
//!
//! Why our calendar arithmetic is not the crate's is told in `src/recurrence/mod.rs`; the proofs are
//! tests here. One that fails after an update of the crate is good news: think again.

use crate::config;
use crate::generate::rule;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use proptest::prelude::*;
use reminder_domain::recurrence::{Clock, Rule, Series};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

/// The crate ends with the year 10,000. Twenty times the 400 years in which the calendar repeats lead
/// close to it, so that a rule that never comes is walked for eight years and not for 8,000.
const NEAR_THE_END: TimeDelta = TimeDelta::days(20 * 146_097);

/// How far is compared, and how many occurrences.
const YEARS: i32 = 8;
const COMPARED: usize = 100;

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn at(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
}

fn carrier(local: NaiveDateTime) -> DateTime<Tz> {
    local.and_utc().with_timezone(&Tz::UTC)
}

/// The crate's rule, or what it has against it.
fn set(rule: &str, start: NaiveDateTime) -> Result<RRuleSet, String> {
    let rule: RRule<Unvalidated> = rule.parse().map_err(|error| format!("{error}"))?;
    rule.build(carrier(start)).map_err(|error| error.to_string())
}

/// The first occurrences after the start as the crate has them.
fn crates(rule: &str, start: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
    let found = set(rule, start).unwrap();
    let found = (&found).into_iter();
    found.map(|at| at.naive_utc()).filter(move |local| *local > start)
}

/// And as we have them.
fn ours(rule: &str, start: NaiveDateTime) -> Vec<NaiveDateTime> {
    let rule = Rule::parse(rule).unwrap();
    let clock = Clock { zone: chrono_tz::Tz::UTC, time_of_day: None };
    let series = Series { rule: &rule, start, exdates: &[], rdates: &[], clock };
    let all = std::iter::successors(series.first(), |last| series.next(&last.cursor));
    let locals = all.map(|one| one.cursor.local).filter(|local| *local > start);
    let end = start + TimeDelta::days(i64::from(YEARS) * 365);
    locals.take_while(|local| *local < end).take(COMPARED).collect()
}

/// The parts of a rule, by name.
struct Parts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parts<'a> {
    /// All but where the rule ends, which is not the crate's to tell.
    fn read(rule: &'a str) -> Self {
        let parts = rule.split(';').map(|part| part.split_once('=').unwrap());
        Self(parts.filter(|(name, _)| !["COUNT", "UNTIL"].contains(name)).collect())
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value)
    }

    fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// What the crate does differently with a rule of this shape.
    fn known_difference(&self) -> Option<&'static str> {
        let days: Vec<_> = self.text("BYDAY").split(',').map(str::len).collect();
        let weeks = self.text("BYWEEKNO").split(',').filter_map(|week| week.parse().ok());
        let interval: i64 = self.text("INTERVAL").parse().unwrap_or(1);
        let date_parts = ["BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY"];
        if days.contains(&2) && days.iter().any(|length| *length > 2) {
            return Some("BYDAY=MO,1TU are days that are both");
        }
        if weeks.into_iter().any(|week: i16| week.abs() >= 52) {
            return Some("weeks at the ends of a year are mistaken");
        }
        if self.text("FREQ") == "MINUTELY" {
            if self.has("BYHOUR") && 60 % interval != 0 {
                return Some("the step over hours that BYHOUR leaves out forgets the minutes");
            }
            let timed = self.has("BYHOUR") || self.has("BYMINUTE");
            if timed && date_parts.iter().any(|name| self.has(name)) {
                return Some("the step over a day that does not fit goes on by days");
            }
        }
        None
    }

    /// The rule with its implied weekday, and the start from which the crate reads it as we do:
    /// `BYSETPOS` chooses in the whole first week, and not in what the start leaves of it.
    fn bridged(&self, start: NaiveDateTime) -> (String, NaiveDateTime) {
        let mut text: Vec<_> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let weekday = |day: NaiveDateTime| day.weekday().num_days_from_monday();
        let weekly = self.text("FREQ") == "WEEKLY";
        let told = ["BYDAY", "BYMONTHDAY", "BYYEARDAY"].iter().any(|name| self.has(name));
        if (weekly || self.has("BYWEEKNO")) && !told {
            text.push(format!("BYDAY={}", WEEKDAYS[weekday(start) as usize]));
        }
        let mut begin = start;
        if weekly && self.has("BYSETPOS") {
            let first = WEEKDAYS.iter().position(|day| *day == self.text("WKST")).unwrap_or(0);
            let days = i64::from(weekday(start)) - i64::try_from(first).unwrap();
            begin -= TimeDelta::days(days.rem_euclid(7));
        }
        (text.join(";"), begin)
    }
}

/// The crate leaves out two Mondays of three, forgets the minutes, wants days that are a Monday and a
/// first Tuesday, takes a Friday for the first day of its week, and does not know a first week from
/// its end.
#[test]
fn the_crate_differs() {
    let thursday = at("2026-01-01T09:00");
    for (rule, ours_are, crates_are) in [
        (
            "FREQ=MINUTELY;INTERVAL=30;BYHOUR=9,10;BYDAY=MO",
            ["2026-01-05T09:00", "2026-01-05T09:30", "2026-01-05T10:00"].as_slice(),
            ["2026-01-26T09:00", "2026-01-26T09:30", "2026-01-26T10:00"].as_slice(),
        ),
        (
            "FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,14",
            &["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"],
            &["2026-01-01T14:30", "2026-01-02T14:00", "2026-01-03T09:30"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,1TU",
            &["2026-01-05T09:00", "2026-01-06T09:00", "2026-01-12T09:00"],
            &[],
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1",
            &["2026-01-05T09:00", "2026-01-12T09:00", "2026-01-19T09:00"],
            &["2026-01-02T09:00", "2026-01-05T09:00", "2026-01-12T09:00"],
        ),
        (
            "FREQ=YEARLY;BYWEEKNO=-52;BYMONTH=12;BYDAY=MO",
            &["2029-12-31T09:00", "2030-12-30T09:00"],
            &[],
        ),
    ] {
        let moments = |texts: &[&str]| texts.iter().map(|text| at(text)).collect::<Vec<_>>();
        let ours = ours(rule, thursday);
        assert_eq!(ours[..ours.len().min(ours_are.len())], moments(ours_are), "{rule}");
        let theirs: Vec<_> = crates(rule, thursday).take(crates_are.len().max(1)).collect();
        assert_eq!(theirs, moments(crates_are), "{rule}");
    }
}

/// What RFC 5545 allows and the crate refuses.
#[test]
fn the_crate_refuses() {
    for rule in [
        "FREQ=MONTHLY;BYDAY=-5MO",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=8,12;BYSETPOS=40",
        "FREQ=MINUTELY;INTERVAL=70000",
    ] {
        assert!(Rule::parse(rule).is_ok(), "{rule}");
        assert!(set(rule, at("2026-01-01T09:00")).is_err(), "{rule}");
    }
}

/// `UNTIL` is looked at when an occurrence is found: where none is, the crate walks to the year
/// 10,000. What ends the walk is an interval that leads out of the calendar with its first step.
#[test]
fn the_crate_is_not_stopped_by_until() {
    let took = |rule: &str| {
        let began = std::time::Instant::now();
        assert_eq!(crates(rule, at("2026-01-01T09:00")).next(), None, "{rule}");
        began.elapsed()
    };
    let until = took("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20260601T000000Z");
    let stride = took("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=65535");
    assert!(until > 20 * stride, "{until:?} with UNTIL, {stride:?} with one step");
}

proptest! {
    #![proptest_config(config())]

    /// Whatever has no known difference is the same.
    #[test]
    fn the_crate_agrees(rule in rule(), day in 0..366_i64, minute in 0..1440_i64) {
        let rule = rule.to_string();
        let parts = Parts::read(&rule);
        prop_assume!(parts.known_difference().is_none());
        let start = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap() + TimeDelta::days(day);
        let start = start.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute);
        let (bridged, begin) = parts.bridged(start);
        let theirs = match set(&bridged, begin + NEAR_THE_END) {
            Ok(theirs) => theirs,
            // Ranges narrower than the RFC's: see below.
            Err(error) => {
                prop_assert!(["BYSETPOS", "BYDAY"].iter().any(|name| error.contains(name)), "{error}");
                return Ok(());
            }
        };
        let endless = parts.0.iter().map(|(name, value)| format!("{name}={value}"));
        let ours = ours(&endless.collect::<Vec<_>>().join(";"), start);
        let end = start + TimeDelta::days(i64::from(YEARS) * 365);
        let theirs = theirs.into_iter().map(|at| at.naive_utc() - NEAR_THE_END);
        let theirs = theirs.filter(|local| *local > start).take_while(|local| *local < end);
        prop_assert_eq!(ours, theirs.take(COMPARED).collect::<Vec<_>>(), "{} from {}", rule, start);
    }
}
