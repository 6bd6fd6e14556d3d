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
//! What we do is compared with a model and with the `rrule` crate (`tests/recurrence`), and with
//! python-dateutil (`tests/differential`).
//!
//! # Why the calendar arithmetic is not that of the `rrule` crate
//!
//! The crate (0.14) was tried in two ways, restarted at the cursor's period with all parts explicit
//! and in UTC, so that neither the age of a rule nor the crate's trouble with daylight saving time
//! ([rust-rrule#115](https://github.com/fmeringdal/rust-rrule/issues/115)) mattered.
//!
//! With whole rules it is wrong about ordinary ones, and cannot be stopped. Each of these but the last
//! is a test in `tests/recurrence/rrule_crate.rs`; the times are of a release build:
//!
//! - `FREQ=MINUTELY;INTERVAL=30;BYHOUR=9,10;BYDAY=MO` leaves out two Mondays of three: from a day that
//!   does not fit, the crate goes on by as many hours as were left of it.
//! - `FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,14`, begun at 9:00, comes at 14:30 and 14:00, which are no
//!   steps from there: over hours that do not fit, the crate goes by the hour.
//! - `FREQ=MONTHLY;BYDAY=MO,1TU` never comes, for no day is both. So it is in
//!   [the library](https://github.com/jkbrzt/rrule/issues/71) of which the crate
//!   [is a port](https://github.com/fmeringdal/rust-rrule/issues/8). Two rules help, but not with
//!   `BYSETPOS`.
//! - `FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1` from a Thursday takes the Friday for the first day of its
//!   week; a restart at the beginning of the week helps.
//! - `FREQ=YEARLY;BYWEEKNO=-52;BYMONTH=12;BYDAY=MO` never comes: the crate does not know a first week
//!   by its number from the end.
//! - The last Monday but four of a month (`-5MO`), `BYSETPOS=40` in a month and `INTERVAL=70000` are
//!   refused.
//! - `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20280101T000000Z` walks to the year 10,000, for 190 ms;
//!   310 ms if it is `MINUTELY`. `UNTIL` is looked at only when something is found, so that a smaller
//!   window of time does not help.
//! - A yearly rule at every minute lays out the year for its first occurrence, for 50 to 75 ms.
//!
//! `RRuleSet::limit` ends a walk after 100,000 periods, which is 10 ms of days, with an answer that
//! looks like the end of the rule.
//!
//! As a filter of days it can be held. It was asked for the days of one month or year, as a `YEARLY`
//! rule with `INTERVAL=65535`, whose first step leads out of the crate's calendar; plain and numbered
//! weekdays were asked one after the other, and the weeks of the year numbered by us. This passed
//! `tests/recurrence` and the comparison with dateutil, for 12,000 series. `next` took 4 to 10 µs (ours
//! 0.4 to 1.5), the worst rule 2.4 ms (ours 1.2). But what it replaced, the 93 lines of `days` and 16
//! of `period`, became 97: the numbers of the periods, positions, the steps of hours and minutes, and
//! the way back from a moment stay ours in any case. For that the pure core takes on no dependency.

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
