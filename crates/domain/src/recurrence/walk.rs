//! From one occurrence of a rule to the next, in local time.

use super::period::{Barren, Period};
use super::plan::Plan;
use crate::limits;
use chrono::{Months, NaiveDate, NaiveDateTime, TimeDelta};

/// The occurrences of a rule after a moment, one by one. Ends where the rule ends, or where nothing
/// comes within the years of the search.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    plan: Plan,
    number: i64,
    period: Period,
    /// The index in the period of what comes next.
    next: usize,
    barren: Barren,
    /// The last day of the search, and how far it reaches.
    horizon: NaiveDate,
    years: u32,
}

impl Walk {
    /// What comes strictly after a moment.
    pub(super) fn after(plan: Plan, moment: NaiveDateTime) -> Self {
        Self::new(plan, moment, limits::RECURRENCE_SEARCH_YEARS)
    }

    /// What fits the rule from its start on; the start only if it fits itself.
    pub(super) fn starting_at_start(plan: Plan, years: u32) -> Self {
        let before = plan.start.checked_sub_signed(TimeDelta::nanoseconds(1));
        let before = before.unwrap_or(plan.start);
        Self::new(plan, before, years)
    }

    fn new(plan: Plan, moment: NaiveDateTime, years: u32) -> Self {
        // Before the start there is nothing, so the search never begins before its period.
        let number = plan.period_of(moment.date()).max(0);
        let (mut period, mut barren) = (Period::default(), Barren::default());
        period.load(&plan, number, &mut barren);
        let next = period.count_until(&plan, moment);
        let horizon = later(moment.date().max(plan.start.date()), years);
        Self { plan, number, period, next, barren, horizon, years }
    }

    /// Goes on after a moment that lies ahead.
    pub(super) fn skip_until(&mut self, moment: NaiveDateTime) {
        let number = self.plan.period_of(moment.date());
        if number > self.number {
            self.number = number;
            self.period.load(&self.plan, number, &mut self.barren);
            self.next = 0;
        }
        self.next = self.next.max(self.period.count_until(&self.plan, moment));
    }
}

impl Iterator for Walk {
    type Item = NaiveDateTime;

    fn next(&mut self) -> Option<NaiveDateTime> {
        // Ends at the horizon, which lies a fixed number of years ahead.
        loop {
            if let Some(local) = self.period.get(&self.plan, self.next) {
                let ended = self.plan.until.is_some_and(|until| local > until);
                if ended || local.date() > self.horizon {
                    return None;
                }
                self.next += 1;
                self.horizon = later(local.date(), self.years);
                return Some(local);
            }
            let (first, _) = self.plan.period(self.number.checked_add(1)?)?;
            if first > self.horizon {
                return None;
            }
            self.number += 1;
            self.next = 0;
            self.period.load(&self.plan, self.number, &mut self.barren);
        }
    }
}

/// The last occurrence of a rule up to a moment, it included; the start is one, and nothing lies
/// before it. `None` when there is none within the years of the search.
pub(super) fn last_until(plan: &Plan, moment: NaiveDateTime) -> Option<NaiveDateTime> {
    let moment = plan.until.map_or(moment, |until| moment.min(until));
    if moment < plan.start {
        return None;
    }
    let years = Months::new(12 * limits::RECURRENCE_SEARCH_YEARS);
    let horizon = moment.date().checked_sub_months(years).unwrap_or(NaiveDate::MIN);
    let (mut period, mut barren) = (Period::default(), Barren::default());
    let mut number = plan.period_of(moment.date());
    // Goes down to the horizon, which lies a fixed number of years back.
    while number >= 0 && plan.period(number).is_some_and(|(_, after)| after > horizon) {
        period.load(plan, number, &mut barren);
        let count = period.count_until(plan, moment);
        if let Some(local) = count.checked_sub(1).and_then(|index| period.get(plan, index)) {
            return Some(local.max(plan.start));
        }
        number -= 1;
    }
    (number < 0).then_some(plan.start)
}

fn later(day: NaiveDate, years: u32) -> NaiveDate {
    day.checked_add_months(Months::new(12 * years)).unwrap_or(NaiveDate::MAX)
}
