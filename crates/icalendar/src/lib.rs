//! A task as an iCalendar `VTODO` with `VALARM`s, both ways (RFC 5545, RFC 9074).
//!
//! Nothing here performs I/O or reads a clock. [`export`] writes one task; [`import`] reads a file
//! with one `VTODO`, of ours or anybody's. Exporting and importing again gives the same task, its
//! acknowledgements and its snoozes.
//!
//! | File | Holds |
//! |---|---|
//! | `tree`, `value`, `zone` | reading the format: components, times and durations, zones |
//! | `write` | writing it: escaping and folding |
//! | `times`, `series` | when a task is; which occurrence a rule counts from |
//! | `alarm`, `reminders` | a `VALARM`; reminders as alarms and back |
//! | `words` | title, description, tags, status, priority |
//! | `extra` | our own properties |
//! | `export`, `import` | the interface |
//!
//! # What a calendar cannot say
//!
//! It goes into properties of our own, `X-REMINDER-…`, written only where the others do not say all:
//! `SCHEDULE` (exactly when: fractions of a second, a start that cannot be written, `from:
//! completion`, the first occurrence), `DESCRIPTION` (control characters), `PRIORITY` (`urgent`),
//! `USER-ID`, `ASSIGNEE`, `CREATED-BY`, `DEFAULTS` (the reminders are the user's default ones),
//! `ASLEEP` (reminders that count from what is not there); in a `VALARM` `ALARM` (late limit, times
//! of other kinds than UTC), `ACKNOWLEDGED` and `SNOOZED-UNTIL` (fractions).
//!
//! Each is **believed as long as the properties beside it still say what was written with it**, so
//! that a program which changes `DUE`, and keeps what it does not know, has changed the task.
//!
//! # Recurring tasks: `DTSTART` and `DUE`
//!
//! RFC 5545 wants a `DTSTART` wherever there is an `RRULE` (§3.8.2.4) and counts the rule from it
//! (§3.8.5.3); `DUE` keeps its distance in each occurrence. Our rules count due dates. Therefore:
//!
//! - **Written**, a recurring task has `DTSTART` and `DUE` at the same time, as Apple's have (the RFC
//!   wants `DUE` later, but nobody minds, and nothing else says it): the rule counts what is due. That is the *present* occurrence, since a `VTODO` has one status and its alarms speak of
//!   one occurrence, and since programs that complete a recurring task move both on. `COUNT` is
//!   then what is left of it. Where counting from the present occurrence would yield others than
//!   counting from the first (it is an `RDATE`, say, or excluded), it is the first occurrence, with
//!   the rule as it is. A `start` of its own is in `X-REMINDER-SCHEDULE` only, and reminders before
//!   it are written as so much longer before what is due.
//! - **Read**, a rule counts from `DTSTART`, or from `DUE` where that is all there is (which is
//!   common); with `DTSTART` alone the task is due then. If both are there and differ, the due dates
//!   must be a series too: the rule is counted from `DUE`, `UNTIL`, `EXDATE` and `RDATE` are moved by
//!   the distance, and if that yields other due dates (`BYDAY=MO` with two days from Monday to the
//!   due date), the calendar is refused.
//! - `RDATE`s without an `RRULE` become a rule that comes once, and those dates.
//!
//! # Days
//!
//! A trigger that counts from a `DATE` counts from midnight where the user is; a day of ours is due
//! at the user's default time. So such a trigger is written with that time added, and read as a
//! reminder at a floating time; in a recurring task the due date becomes the floating midnight.
//! Either way it fires when the calendar says.
//!
//! # What is refused
//!
//! What says when to remind and cannot be kept: several `VTODO`s and `RECURRENCE-ID`, `EXRULE`, a rule
//! that we refuse, zones that are not in the IANA database, alarms of places (`PROXIMITY`), `DTSTART`
//! after `DUE`, repetitions by days. Everything else that we do not know is ignored. A task that was
//! `CANCELLED` is read as completed, since neither fires.
//!
//! Thunderbird's `X-MOZ-LASTACK` holds for all alarms, its `X-MOZ-SNOOZE-TIME` for the first one.
//!
//! # Why the `icalendar` crate
//!
//! It (0.17.16, October 2026, some thirty releases in two years; the reports of panics in its parser
//! are closed) gives names,
//! parameters and values as they stand in the file. `calcard` (0.3.14, just as alive, made for the
//! Stalwart server, never recursive, knows RFC 9074 by type and writes `VTIMEZONE`s) gives typed
//! values, and makes them fit: `COUNT=4294967297` is read as `COUNT=1`, `INTERVAL=65537` as 1,
//! `INTERVAL=-2` as 2, `BYMONTHDAY=300` as 44, unknown parts of a rule and a missing `END` are dropped.
//! In a calendar application that is robust; here it would remind at other times than the file
//! says, without a word. Both are light: `icalendar` adds `nom`, `nom-language` and `iso8601`.
//!
//! Of `icalendar` only the content line is used. Its reader of whole files calls itself for each
//! component within a component (a deep file ends the process) and knows no limits; its values run
//! on over a line break where `\n` and `\r\n` are mixed; its folding may write 76 octets. What a
//! property means is decided here anyway.

mod alarm;
mod error;
mod export;
mod extra;
mod import;
pub mod limits;
mod reminders;
mod series;
mod times;
mod tree;
mod value;
mod words;
mod write;
mod zone;

pub use error::ImportError;
pub use export::export;
pub use import::{Imported, import};
