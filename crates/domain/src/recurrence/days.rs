//! Which days fit the date parts of a rule.

use super::rule::{OrdinalWeekday, Parts};
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

/// The date parts of a rule: a day must fit every part that was given.
///
/// A part fits a day when one of its values does; values count from the end when negative.
#[derive(Clone, Debug)]
pub(super) struct DayFilter {
    months: Vec<i16>,
    weeks: Vec<i16>,
    year_days: Vec<i16>,
    month_days: Vec<i16>,
    weekdays: Vec<OrdinalWeekday>,
    /// Numbered weekdays count within the month, else within the year.
    ordinals_in_month: bool,
    week_start: Weekday,
}

/// A week belongs to the year in which most of its days lie (RFC 5545 §3.3.10, ISO 8601).
const MOST_OF_A_WEEK: i64 = 4;

impl DayFilter {
    /// The filter of a rule whose implied parts have been made explicit.
    pub(super) fn new(parts: &Parts, ordinals_in_month: bool) -> Self {
        Self {
            months: parts.months.clone(),
            weeks: parts.weeks.clone(),
            year_days: parts.year_days.clone(),
            month_days: parts.month_days.clone(),
            weekdays: parts.weekdays.clone(),
            ordinals_in_month,
            week_start: parts.week_start,
        }
    }

    /// The months in which a day can fit; empty means any.
    pub(super) fn months(&self) -> &[i16] {
        &self.months
    }

    /// Whether a day fits.
    pub(super) fn fits(&self, day: NaiveDate) -> bool {
        let month = || small(day.month());
        any_or_empty(&self.months, |value| *value == month())
            && any_or_empty(&self.month_days, |value| is_nth(*value, month_place(day)))
            && any_or_empty(&self.weekdays, |value| self.is_weekday(*value, day))
            && any_or_empty(&self.year_days, |value| is_nth(*value, year_place(day)))
            && (self.weeks.is_empty() || self.is_in_week(day))
    }

    fn is_weekday(&self, wanted: OrdinalWeekday, day: NaiveDate) -> bool {
        if wanted.weekday != day.weekday() {
            return false;
        }
        // The n-th Monday is the n-th seventh of the month or year.
        let place = if self.ordinals_in_month { month_place(day) } else { year_place(day) };
        let week = |days: i16| (days - 1) / 7 + 1;
        wanted.ordinal == 0
            || wanted.ordinal == week(place.from_start)
            || -wanted.ordinal == week(place.from_end)
    }

    fn is_in_week(&self, day: NaiveDate) -> bool {
        week_place(day, self.week_start)
            .is_some_and(|place| self.weeks.iter().any(|value| is_nth(*value, place)))
    }
}

fn any_or_empty<T>(values: &[T], fits: impl Fn(&T) -> bool) -> bool {
    values.is_empty() || values.iter().any(fits)
}

/// Where something lies among its like, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    from_start: i16,
    from_end: i16,
}

fn is_nth(value: i16, place: Place) -> bool {
    value == place.from_start || -value == place.from_end
}

/// Months, days of a year and weeks are far below the limits of `i16`.
fn small(number: u32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn month_place(day: NaiveDate) -> Place {
    let (from_start, length) = (small(day.day()), small(u32::from(day.num_days_in_month())));
    Place { from_start, from_end: length - from_start + 1 }
}

fn year_place(day: NaiveDate) -> Place {
    let (from_start, length) = (small(day.ordinal()), if day.leap_year() { 366 } else { 365 });
    Place { from_start, from_end: length - from_start + 1 }
}

/// The week that a day lies in, among those of the year to which the week belongs. In the first and
/// the last days of a calendar year that may be another year.
fn week_place(day: NaiveDate, week_start: Weekday) -> Option<Place> {
    let mut year = day.year();
    if first_week(year + 1, week_start)? <= day {
        year += 1;
    } else if first_week(year, week_start)? > day {
        year -= 1;
    }
    let (first, after) = (first_week(year, week_start)?, first_week(year + 1, week_start)?);
    let weeks = |from: NaiveDate, to: NaiveDate| i16::try_from((to - from).num_days() / 7).ok();
    let (from_start, all) = (weeks(first, day)? + 1, weeks(first, after)?);
    Some(Place { from_start, from_end: all - from_start + 1 })
}

/// The first day of a year's first week.
fn first_week(year: i32, week_start: Weekday) -> Option<NaiveDate> {
    let decisive = NaiveDate::from_ymd_opt(year, 1, 1)? + TimeDelta::days(MOST_OF_A_WEEK - 1);
    start_of_week(decisive, week_start)
}

/// The first day of the week that a day lies in.
pub(super) fn start_of_week(day: NaiveDate, week_start: Weekday) -> Option<NaiveDate> {
    let days = day.weekday().days_since(week_start);
    day.checked_sub_signed(TimeDelta::days(i64::from(days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_agree_with_iso_8601_when_they_begin_on_monday() {
        let mut day = NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
        for _ in 0..20 * 366 {
            let place = week_place(day, Weekday::Mon).unwrap();
            assert_eq!(place.from_start, small(day.iso_week().week()), "{day}");
            day = day.succ_opt().unwrap();
        }
    }

    #[test]
    fn the_last_week_is_the_first_from_the_end() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let place = |day| week_place(day, Weekday::Mon).unwrap();
        // 2026 has 53 weeks; the last one holds the first days of 2027.
        assert_eq!(place(day(2027, 1, 3)), Place { from_start: 53, from_end: 1 });
        assert_eq!(place(day(2027, 1, 4)), Place { from_start: 1, from_end: 52 });
        assert_eq!(place(day(2024, 12, 30)), Place { from_start: 1, from_end: 52 });
    }
}
