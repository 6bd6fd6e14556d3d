//! From a local time in a zone to an instant: overlaps and gaps.

use super::timestamp::Timestamp;
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What a daylight-saving rule did to a local time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Adjustment {
    /// The local time exists exactly once.
    #[default]
    None,
    /// It exists twice; the first one was taken.
    Overlap,
    /// It does not exist; it was read with the offset that held before the gap (02:30 → 03:30).
    Gap,
}

impl Adjustment {
    /// Whether no rule had anything to do.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A local time resolved to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The instant.
    pub at: Timestamp,
    /// How it came about.
    pub adjustment: Adjustment,
}

/// Resolves a local time in a zone by RFC 5545 §3.3.5: the first occurrence in an overlap, the
/// offset before the gap in a gap. `None` when the instant lies outside the years 1970 to 9999.
pub fn resolve(local: NaiveDateTime, zone: Tz) -> Option<Resolved> {
    use chrono::LocalResult;
    let (utc, adjustment) = match zone.from_local_datetime(&local) {
        LocalResult::Single(time) => (time.to_utc(), Adjustment::None),
        LocalResult::Ambiguous(first, _) => (first.to_utc(), Adjustment::Overlap),
        LocalResult::None => (in_gap(local, zone)?, Adjustment::Gap),
    };
    Some(Resolved { at: Timestamp::from_datetime(&utc)?, adjustment })
}

/// Seconds searched around a gap: an offset of up to 15:13 h each way and a skipped day (Samoa 2011).
const GAP_SEARCH_SECONDS: i64 = 3 * 24 * 3600;

/// The instant of a local time that a clock never shows, read with the offset before the gap.
///
/// Since no instant shows `local`, "the clock shows less than `local`" is true up to the jump and
/// false after it, so the jump is found by bisection, whatever other transitions are near.
fn in_gap(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let shown_before = |second: i64| {
        let instant = local.and_utc().checked_add_signed(TimeDelta::seconds(second))?;
        Some(instant.with_timezone(&zone).naive_local() < local)
    };
    let (mut before, mut after) = (-GAP_SEARCH_SECONDS, GAP_SEARCH_SECONDS);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shown_before(middle)? {
            before = middle;
        } else {
            after = middle;
        }
    }
    let last_before = local.and_utc().checked_add_signed(TimeDelta::seconds(before))?;
    let offset = zone.offset_from_utc_datetime(&last_before.naive_utc()).fix();
    local.checked_sub_offset(offset).map(|utc| utc.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: Tz, local: &str, utc: &str, adjustment: Adjustment) {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M:%S").unwrap();
        let expected = Resolved { at: Timestamp::parse(utc).unwrap(), adjustment };
        assert_eq!(resolve(local, zone), Some(expected), "{local} in {zone}");
    }

    #[test]
    fn ordinary_times() {
        check(Tz::Europe__Berlin, "2026-07-01T12:00:00", "2026-07-01T10:00:00Z", Adjustment::None);
    }

    #[test]
    fn gap_keeps_the_offset_before_it() {
        // 02:30 does not exist on this day in Berlin; it becomes 03:30 summer time.
        check(Tz::Europe__Berlin, "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", Adjustment::Gap);
        check(
            Tz::America__New_York,
            "2027-03-14T02:30:00",
            "2027-03-14T07:30:00Z",
            Adjustment::Gap,
        );
        // Lord Howe moves by half an hour.
        check(
            Tz::Australia__Lord_Howe,
            "2026-10-04T02:15:00",
            "2026-10-03T15:45:00Z",
            Adjustment::Gap,
        );
    }

    #[test]
    fn a_skipped_day_is_a_gap_too() {
        // Samoa had no 30 December 2011: the offset before was -10 h (summer time).
        check(Tz::Pacific__Apia, "2011-12-30T12:00:00", "2011-12-30T22:00:00Z", Adjustment::Gap);
    }

    #[test]
    fn overlap_takes_the_first_occurrence() {
        check(
            Tz::Europe__Berlin,
            "2026-10-25T02:30:00",
            "2026-10-25T00:30:00Z",
            Adjustment::Overlap,
        );
    }
}
