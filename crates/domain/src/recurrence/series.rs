//! A series: a rule with its start, its exceptions and its clock, and its occurrences as instants.

use super::merge::{self, Exceptions, Merge};
use super::moment::{Cursor, LocalMoment};
use super::plan::Plan;
use super::rule::{InvalidRule, Rule, Until};
use super::walk::Walk;
use crate::limits;
use crate::time::{Adjustment, Resolved, Timestamp, resolve};
use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use std::collections::VecDeque;

/// How a local occurrence becomes an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The zone of the series.
    pub zone: Tz,
    /// For a series of dates: the time of day at which a date is due. The series itself then runs
    /// over midnights.
    pub time_of_day: Option<NaiveTime>,
}

/// A rule with its start, its exceptions and its clock.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The first occurrence, whether or not it fits the rule (RFC 5545 §3.8.5.3).
    pub start: NaiveDateTime,
    /// What is taken out; it wins over what is added.
    pub exdates: &'a [LocalMoment],
    /// What is added; nothing lies before the start.
    pub rdates: &'a [LocalMoment],
    /// The clock.
    pub clock: Clock,
}

/// One occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Which it is, to be stored.
    pub cursor: Cursor,
    /// When it is.
    pub resolved: Resolved,
}

/// Most occurrences between the last one that the wall clock shows at some instant and the last one
/// before this instant. They differ only where a clock goes back: by a day of minutes at most.
const OVERLAP_OCCURRENCES_MAX: usize = 24 * 60;

/// How often the search for the last occurrence steps back out of a gap; there is one at a time.
const GAP_STEPS_MAX: usize = 8;

impl Series<'_> {
    /// The start, or what follows if an exception takes it out.
    pub fn first(&self) -> Option<Occurrence> {
        self.occurrences(None).next()
    }

    /// What comes after a cursor, in local time and in its instant. `None`: the series has ended, or
    /// nothing comes within [`limits::RECURRENCE_SEARCH_YEARS`].
    pub fn next(&self, after: &Cursor) -> Option<Occurrence> {
        self.after(after).next()
    }

    /// All that comes after a cursor, as [`Self::next`] finds it one by one; it costs less to go on
    /// than to begin.
    pub fn after(&self, cursor: &Cursor) -> impl Iterator<Item = Occurrence> + use<> {
        self.occurrences(Some(cursor))
    }

    /// Of what comes after the cursor (from the first on without one) and not after `until`: the
    /// last, and how many they are, counted up to [`limits::COALESCED_COUNT_MAX`].
    pub fn latest(&self, after: Option<&Cursor>, until: Timestamp) -> Option<(Occurrence, u32)> {
        let mut occurrences = self.occurrences(after);
        let mut due = occurrences.by_ref().take_while(|next| next.resolved.at <= until);
        let mut last = due.next()?;
        let mut count = 1;
        while count < limits::COALESCED_COUNT_MAX {
            let Some(next) = due.next() else { return Some((last, count)) };
            (last, count) = (next, count + 1);
        }
        if self.rule.count().is_some() {
            // At most as many as may be counted.
            last = due.last().unwrap_or(last);
        } else {
            let anchor =
                self.anchor(until).filter(|anchor| anchor.cursor.local > last.cursor.local);
            last = anchor.unwrap_or(last);
            let rest = self.occurrences(Some(&last.cursor)).take(OVERLAP_OCCURRENCES_MAX);
            last = rest.take_while(|next| next.resolved.at <= until).last().unwrap_or(last);
        }
        Some((last, count))
    }

    /// Says why a series cannot be used: it contradicts itself, or nothing ever comes.
    pub fn check(&self) -> Result<(), InvalidRule> {
        let refuse = |why: String| Err(InvalidRule(why));
        let most = limits::RECURRENCE_EXCEPTIONS_MAX;
        if self.exdates.len().max(self.rdates.len()) > most {
            return refuse(format!("must have at most {most} exdates and {most} rdates"));
        }
        if self.clock.time_of_day.is_some() && self.rule.has_time_parts() {
            return refuse(
                "tells times of day, but the due date is a date: leave out BYHOUR, BYMINUTE and \
                 BYSECOND, and repeat DAILY at most"
                    .into(),
            );
        }
        let plan = self.plan();
        if plan.until.is_some_and(|until| until < plan.start) {
            return refuse("has an UNTIL before the start of the series".into());
        }
        let years = limits::RECURRENCE_SEARCH_YEARS;
        if Walk::starting_at_start(plan.endless(), years).next().is_none() {
            return refuse(format!(
                "does not come within {years} years after its start: change its BY parts, its \
                 INTERVAL or the start"
            ));
        }
        Ok(())
    }

    /// Says so when the exceptions have left no occurrence.
    pub fn check_rest(&self) -> Result<(), InvalidRule> {
        let refuse = || InvalidRule("has no occurrence: the exdates take all of them out".into());
        self.first().map(drop).ok_or_else(refuse)
    }

    fn plan(&self) -> Plan {
        let start = match self.clock.time_of_day {
            Some(_) => self.start.date().and_time(NaiveTime::MIN),
            None => self.start,
        };
        let until = self.rule.until().map(|until| match until {
            Until::Utc(at) => self.clock.shown(at),
            Until::Local(local) => local,
            Until::Date(date) => merge::whole(date).1,
        });
        Plan::new(self.rule, start, until)
    }

    fn exceptions(&self) -> Exceptions<'_> {
        let dates = self.clock.time_of_day.is_some();
        Exceptions { exdates: self.exdates, rdates: self.rdates, dates }
    }

    fn occurrences(&self, after: Option<&Cursor>) -> Occurrences {
        let merge = Merge::new(self.plan(), self.rule.count(), &self.exceptions(), after);
        let floor = after.and_then(|cursor| self.clock.resolve(cursor.local));
        Occurrences {
            clock: self.clock,
            merge,
            exhausted: false,
            waiting: VecDeque::new(),
            floor: floor.map(|resolved| resolved.at),
        }
    }

    /// The last occurrence, among those whose local time the wall clock has shown, that is not after
    /// an instant; for rules without `COUNT`.
    fn anchor(&self, until: Timestamp) -> Option<Occurrence> {
        let plan = self.plan();
        let mut bound = self.clock.before_time_of_day(self.clock.shown(until))?;
        for _ in 0..GAP_STEPS_MAX {
            let local = merge::last_until(&plan, &self.exceptions(), bound)?;
            let resolved = self.clock.resolve(local)?;
            let late = resolved.at.millis_since(until);
            if late <= 0 {
                return Some(Occurrence { cursor: Cursor { local, number: 0 }, resolved });
            }
            // In a gap, which moves all that lies in it by the same time.
            bound = local.checked_sub_signed(TimeDelta::milliseconds(late))?;
        }
        None
    }
}

impl Clock {
    /// What the wall clock shows at an instant.
    fn shown(&self, at: Timestamp) -> NaiveDateTime {
        at.to_datetime().with_timezone(&self.zone).naive_local()
    }

    /// The wall time of an occurrence.
    fn wall(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let Some(time) = self.time_of_day else { return Some(local) };
        local.checked_add_signed(time.signed_duration_since(NaiveTime::MIN))
    }

    fn before_time_of_day(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let Some(time) = self.time_of_day else { return Some(wall) };
        wall.checked_sub_signed(time.signed_duration_since(NaiveTime::MIN))
    }

    fn resolve(&self, local: NaiveDateTime) -> Option<Resolved> {
        resolve(self.wall(local)?, self.zone)
    }
}

/// The occurrences of a series as instants, strictly ascending.
///
/// An occurrence in a gap is read with the offset before it, which puts it after others that follow
/// it on the wall clock. It is dropped when one of those is at the same instant or earlier; so it
/// waits until all have come that could be.
struct Occurrences {
    clock: Clock,
    merge: Merge,
    exhausted: bool,
    /// Ascending, in local time as in instants; as many as fit into a gap, and it twice.
    waiting: VecDeque<Occurrence>,
    /// The instant of the last one given out.
    floor: Option<Timestamp>,
}

impl Occurrences {
    fn read(&mut self) {
        let next = self.merge.next();
        let resolved = next.and_then(|cursor| self.clock.resolve(cursor.local));
        let Some((cursor, resolved)) = next.zip(resolved) else {
            self.exhausted = true;
            return;
        };
        while self.waiting.back().is_some_and(|before| before.resolved.at >= resolved.at) {
            self.waiting.pop_back();
        }
        self.waiting.push_back(Occurrence { cursor, resolved });
    }

    /// Whether nothing that is still to come can be at the instant of the first one or earlier.
    fn is_decided(&self) -> bool {
        let (Some(first), Some(last)) = (self.waiting.front(), self.waiting.back()) else {
            return self.exhausted;
        };
        self.exhausted
            || first.resolved.adjustment != Adjustment::Gap
            || self.clock.wall(last.cursor.local) > Some(self.clock.shown(first.resolved.at))
    }
}

impl Iterator for Occurrences {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        loop {
            while !self.is_decided() {
                self.read();
            }
            let first = self.waiting.pop_front()?;
            if self.floor.is_none_or(|floor| first.resolved.at > floor) {
                self.floor = Some(first.resolved.at);
                return Some(first);
            }
        }
    }
}
