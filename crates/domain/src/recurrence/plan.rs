//! A rule together with its start: what the start implies is made explicit, and the periods of the
//! rule get numbers, so that the search can begin at any of them.

use super::days::{self, DayFilter};
use super::rule::{Frequency, OrdinalWeekday, Parts, Rule};
use super::walk::Walk;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

pub(super) const MINUTES_PER_HOUR: i64 = 60;
pub(super) const MINUTES_PER_DAY: i64 = 24 * MINUTES_PER_HOUR;

/// A rule from its start on.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) start: NaiveDateTime,
    /// The last local time that belongs to the rule.
    pub(super) until: Option<NaiveDateTime>,
    pub(super) filter: DayFilter,
    pub(super) times: Times,
    /// `BYSETPOS` where a period has many days; else it is already applied to the times.
    pub(super) positions: Vec<i16>,
    cycle: Cycle,
    interval: i64,
    second: u32,
    nanosecond: u32,
}

/// The times of day of a rule, as minutes from midnight, ascending.
#[derive(Clone, Debug)]
pub(super) enum Times {
    /// The same on every day.
    Fixed(Vec<u16>),
    /// Every `step` minutes from the start on, whatever day that is, for a `span` of minutes each.
    Stepped {
        /// Minutes between the beginnings of two periods.
        step: i64,
        /// Minutes from the midnight of the start's day to the beginning of its period.
        first: i64,
        /// Which hours of the day may be, empty for all.
        hours: Vec<i16>,
        /// The minutes within an hour, for periods of an hour.
        minutes_in_hour: Option<Vec<u16>>,
        /// Which minutes may be, empty for all, for periods of a minute.
        minutes: Vec<i16>,
    },
}

/// What the numbered periods are; those shorter than a day go by the day.
#[derive(Clone, Copy, Debug)]
enum Cycle {
    Years,
    Months,
    Weeks { first: NaiveDate },
    Days,
}

impl Plan {
    /// `until` is in local time; the rule's own one needs a zone.
    pub(super) fn new(rule: &Rule, start: NaiveDateTime, until: Option<NaiveDateTime>) -> Self {
        let start = without_leap_second(start);
        let mut parts = rule.0.clone();
        imply_days(&mut parts, start.date());
        let (times, positions) = times(&parts, start);
        let cycle = match parts.frequency {
            Frequency::Yearly => Cycle::Years,
            Frequency::Monthly => Cycle::Months,
            Frequency::Weekly => {
                let first = days::start_of_week(start.date(), parts.week_start);
                Cycle::Weeks { first: first.unwrap_or(NaiveDate::MIN) }
            }
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely => Cycle::Days,
        };
        let stepped = matches!(times, Times::Stepped { .. });
        Self {
            start,
            until,
            filter: DayFilter::new(&parts),
            times,
            positions,
            cycle,
            interval: if stepped { 1 } else { i64::from(parts.interval) },
            second: parts.seconds.first().map_or(start.second(), |second| unsigned(*second)),
            nanosecond: start.nanosecond(),
        }
    }

    /// The same without its end.
    pub(super) fn endless(self) -> Self {
        Self { until: None, ..self }
    }

    /// The number of the last period that begins on or before a day; the start's is 0.
    pub(super) fn period_of(&self, day: NaiveDate) -> i64 {
        let start = self.start.date();
        let distance = match self.cycle {
            Cycle::Years => i64::from(day.year()) - i64::from(start.year()),
            Cycle::Months => months(day) - months(start),
            Cycle::Weeks { first } => (day - first).num_days().div_euclid(7),
            Cycle::Days => (day - start).num_days(),
        };
        distance.div_euclid(self.interval)
    }

    /// The first day of a period and the first one after it; `None` beyond the calendar.
    pub(super) fn period(&self, number: i64) -> Option<(NaiveDate, NaiveDate)> {
        let distance = number.checked_mul(self.interval)?;
        let start = self.start.date();
        match self.cycle {
            Cycle::Years => {
                let year = i32::try_from(i64::from(start.year()).checked_add(distance)?).ok()?;
                let first = |year| NaiveDate::from_ymd_opt(year, 1, 1);
                Some((first(year)?, first(year.checked_add(1)?)?))
            }
            Cycle::Months => {
                let first = |months: i64| {
                    let year = i32::try_from(months.div_euclid(12)).ok()?;
                    let month = u32::try_from(months.rem_euclid(12)).ok()?;
                    NaiveDate::from_ymd_opt(year, month + 1, 1)
                };
                let number = months(start).checked_add(distance)?;
                Some((first(number)?, first(number.checked_add(1)?)?))
            }
            Cycle::Weeks { first } => {
                let first = first.checked_add_signed(TimeDelta::try_weeks(distance)?)?;
                Some((first, first.checked_add_signed(TimeDelta::weeks(1))?))
            }
            Cycle::Days => {
                let day = start.checked_add_signed(TimeDelta::try_days(distance)?)?;
                Some((day, day.succ_opt()?))
            }
        }
    }

    /// A time of the rule on a day.
    pub(super) fn at(&self, day: NaiveDate, minute: u16) -> Option<NaiveDateTime> {
        let (hour, minute) = (u32::from(minute) / 60, u32::from(minute) % 60);
        day.and_hms_nano_opt(hour, minute, self.second, self.nanosecond)
    }
}

/// Whether a rule describes any day, for some start: the calendar of 28 years holds every year that
/// there is, so what has not come in them never comes.
pub(super) fn ever_comes(rule: &Rule) -> bool {
    const CALENDAR_YEARS: u32 = 28;
    let mut rule = rule.clone();
    rule.0.interval = 1;
    if !rule.0.weeks.is_empty() && rule.0.weekdays.is_empty() {
        // Some start lies on the right weekday.
        rule.0.weekdays = super::rule::WEEKDAY_NAMES
            .map(|(_, weekday)| OrdinalWeekday { ordinal: 0, weekday })
            .to_vec();
    }
    let Some(start) = NaiveDate::from_ymd_opt(2000, 1, 1).map(NaiveDateTime::from) else {
        return false;
    };
    Walk::starting_at_start(Plan::new(&rule, start, None), CALENDAR_YEARS).next().is_some()
}

/// Makes the days explicit that follow from the start when the rule does not tell them.
///
/// RFC 5545 §3.3.10: information that is not in the rule is derived from `DTSTART`. Weeks alone
/// imply the start's weekday too; python-dateutil takes all seven days there.
fn imply_days(parts: &mut Parts, start: NaiveDate) {
    let told =
        !parts.year_days.is_empty() || !parts.month_days.is_empty() || !parts.weekdays.is_empty();
    if told {
        return;
    }
    let weekday = OrdinalWeekday { ordinal: 0, weekday: start.weekday() };
    match parts.frequency {
        Frequency::Yearly if !parts.weeks.is_empty() => parts.weekdays = vec![weekday],
        Frequency::Yearly => {
            if parts.months.is_empty() {
                parts.months = vec![signed(start.month())];
            }
            parts.month_days = vec![signed(start.day())];
        }
        Frequency::Monthly => parts.month_days = vec![signed(start.day())],
        Frequency::Weekly => parts.weekdays = vec![weekday],
        Frequency::Daily | Frequency::Hourly | Frequency::Minutely => {}
    }
}

/// The times of day, and the positions that are left to apply to a whole period.
fn times(parts: &Parts, start: NaiveDateTime) -> (Times, Vec<i16>) {
    let or_start = |given: &[i16], start: u32| match given {
        [] => vec![signed(start)],
        given => given.to_vec(),
    };
    let minutes = or_start(&parts.minutes, start.minute());
    let minutes = minutes.iter().map(|minute| narrow(i64::from(*minute)));
    let first_hour = i64::from(start.hour()) * MINUTES_PER_HOUR;
    let interval = i64::from(parts.interval);
    match parts.frequency {
        Frequency::Hourly => {
            let times = Times::Stepped {
                step: interval * MINUTES_PER_HOUR,
                first: first_hour,
                hours: parts.hours.clone(),
                minutes_in_hour: Some(chosen(minutes.collect(), &parts.positions)),
                minutes: Vec::new(),
            };
            (times, Vec::new())
        }
        Frequency::Minutely => {
            // A minute has one second at most: it is the first of its set and the last.
            let chosen = parts.positions.is_empty()
                || parts.positions.iter().any(|position| position.abs() == 1);
            let times = Times::Stepped {
                step: interval,
                first: first_hour + i64::from(start.minute()),
                hours: parts.hours.clone(),
                minutes_in_hour: None,
                minutes: parts.minutes.clone(),
            };
            (if chosen { times } else { Times::Fixed(Vec::new()) }, Vec::new())
        }
        frequency => {
            let hours = or_start(&parts.hours, start.hour());
            let all = hours.iter().flat_map(|hour| {
                let hour = narrow(i64::from(*hour) * MINUTES_PER_HOUR);
                minutes.clone().map(move |minute| hour + minute)
            });
            if frequency == Frequency::Daily {
                (Times::Fixed(chosen(all.collect(), &parts.positions)), Vec::new())
            } else {
                (Times::Fixed(all.collect()), parts.positions.clone())
            }
        }
    }
}

/// Those at the positions, or all of them without any.
fn chosen(all: Vec<u16>, positions: &[i16]) -> Vec<u16> {
    match positions {
        [] => all,
        positions => choose(all.len(), positions).into_iter().map(|index| all[index]).collect(),
    }
}

/// The indices, ascending, that positions mean in a set of a given size.
pub(super) fn choose(size: usize, positions: &[i16]) -> Vec<usize> {
    let index = |position: &i16| {
        let place = usize::from(position.unsigned_abs());
        let index = if *position > 0 { place.checked_sub(1) } else { size.checked_sub(place) };
        index.filter(|index| *index < size)
    };
    let mut indices: Vec<usize> = positions.iter().filter_map(index).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// A leap second is the second after it, as [`crate::Timestamp`] has it.
fn without_leap_second(time: NaiveDateTime) -> NaiveDateTime {
    let utc = time.and_utc();
    let nanos = utc.timestamp_subsec_nanos();
    let (more, nanos) = (i64::from(nanos / 1_000_000_000), nanos % 1_000_000_000);
    DateTime::from_timestamp(utc.timestamp() + more, nanos).map_or(time, |utc| utc.naive_utc())
}

fn months(day: NaiveDate) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month0())
}

/// Numbers of the calendar are far below the limits of these types.
fn signed(number: u32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn unsigned(number: i16) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn narrow(minutes: i64) -> u16 {
    u16::try_from(minutes).unwrap_or(u16::MAX)
}
