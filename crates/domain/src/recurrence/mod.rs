//! Recurrence: RFC 5545 rules, and the occurrences of a series in the time of a zone.
//!
//! A [`Rule`] is text made safe. A [`Series`] is a rule with its start, its exceptions and its
//! clock; it answers what comes first, what comes next, and what the latest missed occurrence was.
//! Occurrences are found in local time, as if no zone had rules; only at the end a local time
//! becomes an instant ([`crate::time::resolve`]). A [`Cursor`] is what is stored of an occurrence:
//! the search restarts at its period, so an old rule costs as little as a young one.
//!
//! | File | Holds |
//! |---|---|
//! | `rule`, `parse` | the parts of a rule, read, checked and written |
//! | `moment` | dates taken out and put in |
//! | `plan` | a rule with what its start implies |
//! | `days`, `period` | which days fit, and the occurrences of one period |
//! | `walk` | from one occurrence of the rule to the next |
//! | `merge` | with the exceptions and the count |
//! | `series` | with the zone: the interface |
//!
//! What comes out is compared with a model and with the crate's own series (`tests/recurrence`), and
//! with python-dateutil (`tests/differential`).
//!
//! # What the `rrule` crate does, and what it does not
//!
//! The calendar arithmetic, which days of a month or year fit the date parts of a rule, is that of the
//! `rrule` crate (0.14), on floating time with UTC as its carrier, so that its trouble with daylight
//! saving time ([rust-rrule#115](https://github.com/fmeringdal/rust-rrule/issues/115)) does not matter.
//! It is asked for one month or year at a time. The steps of periods, hours and minutes, positions,
//! counts and the end are ours, since for whole rules it cannot be held to our promises. Each of these
//! but the last is a test in `tests/recurrence/rrule_crate.rs`; the times are of a release build:
//!
//! - `FREQ=MINUTELY;INTERVAL=30;BYHOUR=9,10;BYDAY=MO` leaves out two Mondays of three: from a day that
//!   does not fit, the crate goes on by as many hours as were left of it.
//! - `FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,14`, begun at 9:00, comes at 14:30 and 14:00, which are no
//!   steps from there: over hours that do not fit, the crate goes by the hour.
//! - `FREQ=MONTHLY;BYDAY=MO,1TU` never comes, for no day is both. So it is in
//!   [the library](https://github.com/jkbrzt/rrule/issues/71) of which the crate
//!   [is a port](https://github.com/fmeringdal/rust-rrule/issues/8). We ask for plain and numbered
//!   weekdays one after the other.
//! - `FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1` from a Thursday takes the Friday for the first day of its
//!   week.
//! - `FREQ=YEARLY;BYWEEKNO=-52;BYMONTH=12;BYDAY=MO` never comes: the crate does not know a first week
//!   by its number from the end. We number the weeks.
//! - `BYSETPOS=40` in a month and `INTERVAL=70000` are refused, though they may be meant.
//! - `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20280101T000000Z` walks to the year 10,000, for 190 ms;
//!   310 ms if it is `MINUTELY`. `UNTIL` is looked at only when something is found, so that a smaller
//!   window of time does not help. What we ask is a rule of every 65,535th year, whose second step
//!   leads out of the crate's calendar and ends the walk.
//! - A yearly rule at every minute lays out the year for its first occurrence, for 50 to 75 ms.
//!
//! So `next` takes some microseconds, and the worst rule that we know a few milliseconds.

mod days;
mod merge;
mod moment;
mod parse;
mod period;
mod plan;
mod rule;
mod series;
mod walk;

#[cfg(test)]
mod tests;

pub use moment::{Cursor, LocalMoment};
pub use rule::{Frequency, InvalidRule, Rule, Until};
pub use series::{Clock, Occurrence, Series};
