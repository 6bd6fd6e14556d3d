//! The occurrences of one period: its days times its times, told apart by an index.
//!
//! They are never laid out: a year of minutes has half a million of them.

use super::days::Known;
use super::plan::{self, MINUTES_PER_DAY, MINUTES_PER_HOUR, Plan, Times};
use chrono::{NaiveDate, NaiveDateTime};

/// One period of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Period {
    days: Vec<NaiveDate>,
    /// The times of this day, for rules that step through the hours of all days.
    stepped: Vec<u16>,
    /// Which of the products `BYSETPOS` chooses.
    chosen: Option<Vec<usize>>,
}

/// On which offsets within a day a stepping rule is known to find no time, so that a rule that
/// never matches is found out once for each offset and not once for each day.
#[derive(Clone, Debug, Default)]
pub(super) struct Barren(Vec<bool>, Known);

impl Period {
    /// Fills in the days and times of a period; none is left beyond the calendar's end.
    pub(super) fn load(&mut self, plan: &Plan, number: i64, barren: &mut Barren) {
        self.days.clear();
        self.chosen = None;
        let Some((first, after)) = plan.period(number) else { return };
        self.days = plan.filter.between(first, after, &mut barren.1);
        if self.days.is_empty() {
            return;
        }
        if !plan.positions.is_empty() {
            let size = self.days.len() * self.times(plan).len();
            self.chosen = Some(plan::choose(size, &plan.positions));
        }
        if let Times::Stepped { .. } = plan.times {
            self.step_through(plan, first, barren);
        }
    }

    /// How many occurrences it has.
    pub(super) fn len(&self, plan: &Plan) -> usize {
        match &self.chosen {
            Some(chosen) => chosen.len(),
            None => self.days.len() * self.times(plan).len(),
        }
    }

    /// The occurrence at an index, in ascending order.
    pub(super) fn get(&self, plan: &Plan, index: usize) -> Option<NaiveDateTime> {
        let index = match &self.chosen {
            Some(chosen) => *chosen.get(index)?,
            None => index,
        };
        let times = self.times(plan);
        let day = index.checked_div(times.len())?;
        plan.at(*self.days.get(day)?, times[index % times.len()])
    }

    /// How many occurrences come until a moment, it included.
    pub(super) fn count_until(&self, plan: &Plan, moment: NaiveDateTime) -> usize {
        let (mut low, mut high) = (0, self.len(plan));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(plan, middle).is_some_and(|local| local <= moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn times<'a>(&'a self, plan: &'a Plan) -> &'a [u16] {
        match &plan.times {
            Times::Fixed(times) => times,
            Times::Stepped { .. } => &self.stepped,
        }
    }

    /// The times of one day among all that lie `step` minutes apart.
    fn step_through(&mut self, plan: &Plan, day: NaiveDate, barren: &mut Barren) {
        self.stepped.clear();
        let Times::Stepped { step, first, hours, minutes_in_hour, minutes } = &plan.times else {
            return;
        };
        let since = (day - plan.start.date()).num_days() * MINUTES_PER_DAY;
        let offset = (first - since).rem_euclid(*step);
        if barren.is_known(offset) {
            return;
        }
        let allowed = |list: &[i16], value: i64| {
            list.is_empty() || list.iter().any(|allowed| i64::from(*allowed) == value)
        };
        let mut minute = offset;
        while minute < MINUTES_PER_DAY {
            let (hour, in_hour) = (minute / MINUTES_PER_HOUR, minute % MINUTES_PER_HOUR);
            if !allowed(hours, hour) {
                // On to the first step of the next hour.
                let steps = (MINUTES_PER_HOUR - in_hour - 1) / step + 1;
                minute += steps * step;
                continue;
            }
            let minute_of_day = u16::try_from(minute).unwrap_or(u16::MAX);
            match minutes_in_hour {
                Some(within) => {
                    self.stepped.extend(within.iter().map(|minute| minute_of_day + minute));
                }
                None if allowed(minutes, in_hour) => self.stepped.push(minute_of_day),
                None => {}
            }
            minute += step;
        }
        if self.stepped.is_empty() {
            barren.learn(offset);
        }
    }
}

impl Barren {
    fn is_known(&self, offset: i64) -> bool {
        let index = usize::try_from(offset).unwrap_or(usize::MAX);
        self.0.get(index).copied().unwrap_or(offset >= MINUTES_PER_DAY)
    }

    fn learn(&mut self, offset: i64) {
        let Ok(index) = usize::try_from(offset) else { return };
        if self.0.len() <= index {
            self.0.resize(index + 1, false);
        }
        self.0[index] = true;
    }
}
