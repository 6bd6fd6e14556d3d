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
//! The calendar arithmetic is ours and not that of the `rrule` crate (0.14), which cannot keep our
//! promise that any rule answers at once: it walks to the year 10,000 for a rule that never matches
//! (20 ms for `FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30`), it lays out a whole period for its first
//! occurrence (50 ms for a yearly rule at every minute), and neither can be cut short. It also reads
//! `BYDAY=MO,1TU` as days that are both, so that there are none. What we do is compared with a model
//! (`tests/recurrence`) and with python-dateutil (`tests/differential`).

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
