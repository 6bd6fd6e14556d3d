//! Which days fit the date parts of a rule, as the `rrule` crate has it.

use super::rule::{Frequency, OrdinalWeekday, Parts, Rule, WEEKDAY_NAMES};
use chrono::{Datelike, Month, Months, NaiveDate, NaiveTime, TimeDelta, Weekday};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

/// The date parts of a rule, as rules of the crate; a day must fit every part that was given.
#[derive(Clone, Debug)]
pub(super) struct DayFilter {
    /// Two where numbered weekdays stand beside plain ones: in one rule the crate takes only the days
    /// that are both.
    rules: Vec<RRule<Unvalidated>>,
    parts: Parts,
}

/// The days that fit in the month or year asked last, which a rule of days asks for day by day.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(Option<(NaiveDate, Vec<NaiveDate>)>);

/// The years of the crate's calendar; beyond it the crate panics.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

impl DayFilter {
    /// The filter of a rule whose implied parts have been made explicit.
    pub(super) fn new(parts: &Parts) -> Self {
        let every = WEEKDAY_NAMES.map(|(_, weekday)| OrdinalWeekday { ordinal: 0, weekday });
        let given = if parts.weekdays.is_empty() { &every[..] } else { &parts.weekdays };
        let halves: (Vec<_>, Vec<_>) = given.iter().partition(|day| day.ordinal == 0);
        let halves = [halves.0, halves.1].into_iter().filter(|half| !half.is_empty());
        let rule = |weekdays| {
            let rule = Rule(Parts {
                frequency: Frequency::Yearly,
                // Leads out of the crate's calendar: a rule that fits nothing would be walked to its
                // end, whatever UNTIL says.
                interval: u16::MAX.into(),
                count: None,
                until: None,
                weeks: Vec::new(),
                weekdays,
                hours: Vec::new(),
                minutes: Vec::new(),
                seconds: Vec::new(),
                positions: Vec::new(),
                ..parts.clone()
            });
            rule.to_string().parse().ok()
        };
        Self { rules: halves.filter_map(rule).collect(), parts: parts.clone() }
    }

    /// The days that fit from one on and before another.
    pub(super) fn between(
        &self,
        first: NaiveDate,
        after: NaiveDate,
        known: &mut Known,
    ) -> Vec<NaiveDate> {
        let months = if self.by_year() { 12 } else { 1 };
        let mut days = Vec::new();
        let mut begin = first.with_day(1);
        while let Some(of) = begin.filter(|begin| *begin < after) {
            if known.0.as_ref().is_none_or(|(begin, _)| *begin != of) {
                known.0 = Some((of, self.of(of).unwrap_or_default()));
            }
            let all = known.0.iter().flat_map(|(_, days)| days);
            days.extend(all.filter(|day| (first..after).contains(day)));
            begin = of.checked_add_months(Months::new(months));
        }
        days
    }

    /// Numbered weekdays may count within the year.
    fn by_year(&self) -> bool {
        self.parts.frequency == Frequency::Yearly
    }

    /// Asks the crate for the month or the year that begins on a day.
    fn of(&self, begin: NaiveDate) -> Option<Vec<NaiveDate>> {
        let month = Month::try_from(u8::try_from(begin.month()).ok()?).ok()?;
        let months = &self.parts.months;
        let fits = self.by_year()
            || months.is_empty()
            || months.contains(&i16::try_from(begin.month()).ok()?);
        if !fits || !YEARS.contains(&begin.year()) {
            return None;
        }
        let start = begin.and_time(NaiveTime::MIN).and_utc().with_timezone(&Tz::UTC);
        let mut set = RRuleSet::new(start);
        for rule in &self.rules {
            let rule = rule.clone();
            let rule = if self.by_year() { rule } else { rule.by_month(&[month]) };
            set = set.rrule(rule.validate(start).ok()?);
        }
        let days = set.into_iter().map(|at| at.date_naive());
        let mut days: Vec<_> = days.filter(|day| self.is_in_week(*day)).collect();
        days.dedup();
        Some(days)
    }

    /// The crate mistakes weeks at the ends of the year.
    fn is_in_week(&self, day: NaiveDate) -> bool {
        let weeks = &self.parts.weeks;
        // A week belongs to the year in which most of its days lie (RFC 5545 §3.3.10, ISO 8601).
        let decisive = |first: NaiveDate| first + TimeDelta::days(3);
        let is_in = |decisive: NaiveDate| {
            let (day, length) = (decisive.ordinal0(), if decisive.leap_year() { 366 } else { 365 });
            let (number, from_end) = (day / 7 + 1, (length - 1 - day) / 7 + 1);
            weeks
                .iter()
                .map(|week| i64::from(*week))
                .any(|week| week == i64::from(number) || week == -i64::from(from_end))
        };
        weeks.is_empty()
            || start_of_week(day, self.parts.week_start).map(decisive).is_some_and(is_in)
    }
}

/// The first day of the week that a day lies in.
pub(super) fn start_of_week(day: NaiveDate, week_start: Weekday) -> Option<NaiveDate> {
    let days = day.weekday().days_since(week_start);
    day.checked_sub_signed(TimeDelta::days(i64::from(days)))
}
