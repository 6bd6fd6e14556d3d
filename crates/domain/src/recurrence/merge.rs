//! The occurrences of a series in local time: those of its rule, counted, with the dates put in and
//! without the dates taken out.

use super::moment::{Cursor, LocalMoment};
use super::plan::Plan;
use super::walk::{self, Walk};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// Dates put in and taken out, in the time of the series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exceptions<'a> {
    pub(super) exdates: &'a [LocalMoment],
    pub(super) rdates: &'a [LocalMoment],
    /// The series is one of dates, at midnight.
    pub(super) dates: bool,
}

/// The occurrences after a moment, in ascending order.
pub(super) struct Merge {
    /// The start, as long as it is to come.
    start: Option<NaiveDateTime>,
    walk: Walk,
    /// The rule's next occurrence, looked up but not taken.
    ahead: Option<NaiveDateTime>,
    /// What is put in, in descending order.
    added: Vec<NaiveDateTime>,
    /// What is taken out, first and last moment, the last to come first.
    removed: Vec<(NaiveDateTime, NaiveDateTime)>,
    number: u32,
    count: Option<u32>,
}

impl Merge {
    /// From the start on, or after a cursor.
    pub(super) fn new(
        plan: Plan,
        count: Option<u32>,
        exceptions: &Exceptions<'_>,
        after: Option<&Cursor>,
    ) -> Self {
        let after = after.filter(|cursor| cursor.local >= plan.start);
        let start = plan.start;
        let from = after.map_or(start, |cursor| cursor.local);
        let mut added: Vec<_> =
            exceptions.added(start.time()).filter(|local| *local > from).collect();
        added.sort_unstable();
        added.reverse();
        let mut removed: Vec<_> = exceptions.removed().filter(|(_, last)| *last >= from).collect();
        removed.sort_unstable();
        removed.reverse();
        Self {
            start: after.is_none().then_some(start),
            walk: Walk::after(plan, from),
            ahead: None,
            added,
            removed,
            number: after.filter(|_| count.is_some()).map_or(0, |cursor| cursor.number),
            count,
        }
    }

    /// The rule's next occurrence, not taken yet.
    fn peek_rule(&mut self) -> Option<NaiveDateTime> {
        if self.count.is_some_and(|count| self.number >= count) {
            return None;
        }
        if self.start.is_none() && self.ahead.is_none() {
            self.ahead = self.walk.next();
        }
        self.start.or(self.ahead)
    }

    fn take_rule(&mut self) {
        if self.start.take().is_none() {
            self.ahead = None;
        }
        if self.count.is_some() {
            self.number += 1;
        }
    }

    /// The last moment of what takes an occurrence out.
    fn removed_until(&mut self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        while self.removed.last().is_some_and(|(_, last)| *last < local) {
            self.removed.pop();
        }
        self.removed.last().filter(|(first, _)| *first <= local).map(|(_, last)| *last)
    }

    /// Leaves out the rest of what is taken out at once, unless it has to be counted.
    fn skip_until(&mut self, moment: NaiveDateTime) {
        if self.count.is_none() {
            self.ahead = self.ahead.filter(|local| *local > moment);
            if self.ahead.is_none() {
                self.walk.skip_until(moment);
            }
        }
    }
}

impl Iterator for Merge {
    type Item = Cursor;

    fn next(&mut self) -> Option<Cursor> {
        // Goes round once for each exception, or for each occurrence that is taken out of a rule
        // that counts.
        loop {
            let (rule, added) = (self.peek_rule(), self.added.last().copied());
            let local = rule.into_iter().chain(added).min()?;
            if rule == Some(local) {
                self.take_rule();
            }
            while self.added.last() == Some(&local) {
                self.added.pop();
            }
            let Some(last) = self.removed_until(local) else {
                return Some(Cursor { local, number: self.number });
            };
            self.skip_until(last);
        }
    }
}

/// The last occurrence up to a moment, it included, of a rule without `COUNT`.
pub(super) fn last_until(
    plan: &Plan,
    exceptions: &Exceptions<'_>,
    moment: NaiveDateTime,
) -> Option<NaiveDateTime> {
    let mut moment = moment;
    let removed: Vec<_> = exceptions.removed().collect();
    let added: Vec<_> = exceptions.added(plan.start.time()).collect();
    // Each round passes at least one exception.
    for _ in 0..=removed.len() {
        let put_in = added.iter().filter(|local| (plan.start..=moment).contains(local)).max();
        let local = walk::last_until(plan, moment).max(put_in.copied())?;
        let takes_out = removed.iter().find(|(first, last)| (*first..=*last).contains(&local));
        let Some((first, _)) = takes_out else { return Some(local) };
        moment = first.checked_sub_signed(TimeDelta::nanoseconds(1))?;
    }
    None
}

impl Exceptions<'_> {
    fn added(&self, time: NaiveTime) -> impl Iterator<Item = NaiveDateTime> {
        let local = move |moment: &LocalMoment| match moment {
            LocalMoment::DateTime(local) if !self.dates => *local,
            LocalMoment::DateTime(local) => local.date().and_time(time),
            LocalMoment::Date(date) => date.and_time(time),
        };
        self.rdates.iter().map(local)
    }

    fn removed(&self) -> impl Iterator<Item = (NaiveDateTime, NaiveDateTime)> {
        let span = |moment: &LocalMoment| match moment {
            LocalMoment::DateTime(local) if !self.dates => (*local, *local),
            LocalMoment::DateTime(local) => whole(local.date()),
            LocalMoment::Date(date) => whole(*date),
        };
        self.exdates.iter().map(span)
    }
}

/// The first and the last moment of a day.
pub(super) fn whole(day: NaiveDate) -> (NaiveDateTime, NaiveDateTime) {
    let first = day.and_time(NaiveTime::MIN);
    (first, first.checked_add_signed(TimeDelta::nanoseconds(NANOS_PER_DAY - 1)).unwrap_or(first))
}

const NANOS_PER_DAY: i64 = 24 * 3600 * 1_000_000_000;
