//! The bounds of what is read; those of a task are `reminder_domain::limits`.

use reminder_domain::limits;

/// Largest calendar that is read, in bytes: a command's body, with room for what the format adds to
/// it (escapes, folds, time zones, and what is said twice, once for others and once for us).
pub const CALENDAR_MAX_BYTES: usize = 4 * limits::PAYLOAD_MAX_BYTES;
/// Most components of a calendar; a zone with all its history has about 200.
pub const COMPONENTS_MAX: usize = 2_000;
/// Most lines of a calendar, unfolded.
pub const LINES_MAX: usize = 20_000;
/// How deep components may lie within each other; the RFCs know four levels.
pub const DEPTH_MAX: usize = 8;
/// Most `VALARM`s of a task: each reminder, and a snooze for each.
pub const ALARMS_MAX: usize = 2 * limits::REMINDERS_MAX;
/// Most values that are read of the lists `EXDATE` and `RDATE` each.
pub const DATES_MAX: usize = 1_000;
/// How many occurrences are compared to see that a rule may be written or read as counting from
/// another one than it was said to count from. What differs, differs from the first ones on: in the
/// alignment of the intervals, or in a period that is cut.
pub(crate) const OCCURRENCES_COMPARED: usize = 24;
/// Most years of a zone's history written into a calendar.
pub(crate) const ZONE_YEARS_MAX: i32 = 60;
/// How many years ahead a zone is written for a series without an end.
pub(crate) const ZONE_YEARS_AHEAD: i32 = 20;
