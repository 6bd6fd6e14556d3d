//! Time zones: which one a `TZID` names, and the `VTIMEZONE` of one.

use crate::error::{ImportError, excerpt};
use crate::limits;
use crate::tree::{Component, Line};
use crate::write::Writer;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use std::collections::HashMap;

/// Most parts of the name of an IANA zone, as in `America/Argentina/Buenos_Aires`.
const NAME_PARTS_MAX: usize = 3;

/// The zones that a calendar describes.
pub(crate) struct Zones<'a> {
    /// Which zone each stands for, where it says so.
    described: HashMap<&'a str, Tz>,
}

impl<'a> Zones<'a> {
    /// Those of a file.
    pub(crate) fn of(roots: &'a [Component]) -> Self {
        let mut found = Vec::new();
        for root in roots {
            root.below("VTIMEZONE", &mut found);
        }
        let described = found.into_iter().filter_map(|zone| {
            let id = zone.all("TZID").next()?.value.as_str();
            let mut places = zone.all("X-LIC-LOCATION");
            Some((id, places.find_map(|line| line.value.trim().parse().ok())?))
        });
        Self { described: described.collect() }
    }

    /// The zone of a `TZID`: an IANA name, or a path that ends with one, or a zone that says which
    /// one it stands for. How a `VTIMEZONE` describes its zone is not read: its rules change too.
    pub(crate) fn find(&self, line: &Line, id: &str) -> Result<Tz, ImportError> {
        let described = || self.described.get(id).copied();
        id.parse().ok().or_else(|| at_end(id)).or_else(described).ok_or_else(|| {
            line.refuse(format!(
                "is in the zone {}, which is not in the IANA zone database ({}); zones described by \
                 a VTIMEZONE alone are not supported",
                excerpt(id),
                reminder_domain::time::zone_database()
            ))
        })
    }
}

/// The zone that a path ends with: `/freeassociation.sourceforge.net/Europe/Berlin`.
fn at_end(id: &str) -> Option<Tz> {
    let path = id.strip_prefix('/')?;
    let starts = path.rmatch_indices('/').take(NAME_PARTS_MAX).map(|(at, _)| at + 1);
    // The longest name first: `Indiana/Knox` is none, but `America/Indiana/Knox` is.
    starts.filter_map(|start| path.get(start..)?.parse().ok()).last()
}

/// The rules of a zone that hold from one time to another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Observance {
    daylight: bool,
    from: i32,
    to: i32,
    name: String,
    /// When it begins each time, on the clock as it was before.
    onsets: Vec<NaiveDateTime>,
}

/// Writes the `VTIMEZONE` of a zone, right for the years given: each change of the clocks that comes
/// is told by its date, so that nothing has to be guessed about rules.
pub(crate) fn write(writer: &mut Writer, zone: Tz, first: i32, last: i32) {
    writer.begin("VTIMEZONE");
    writer.property("TZID", zone.name());
    let first = first.max(last.saturating_sub(limits::ZONE_YEARS_MAX));
    for observance in observances(zone, first, last) {
        let name = if observance.daylight { "DAYLIGHT" } else { "STANDARD" };
        writer.begin(name);
        let mut onsets = observance.onsets.iter().map(|onset| onset.format("%Y%m%dT%H%M%S"));
        if let Some(first) = onsets.next() {
            writer.property("DTSTART", &first.to_string());
        }
        writer.property("TZOFFSETFROM", &offset_text(observance.from));
        writer.property("TZOFFSETTO", &offset_text(observance.to));
        writer.property("TZNAME", &observance.name);
        for onset in onsets {
            writer.property("RDATE", &onset.to_string());
        }
        writer.end(name);
    }
    writer.end("VTIMEZONE");
}

fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match rest {
        0 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
    }
}

/// What the clocks of a zone show at an instant, as far as an observance tells it.
fn shown(zone: Tz, at: DateTime<Utc>) -> (i32, bool, String) {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc());
    let name = offset.abbreviation().map_or_else(String::new, str::to_owned);
    (offset.fix().local_minus_utc(), offset.dst_offset() > TimeDelta::zero(), name)
}

fn observances(zone: Tz, first: i32, last: i32) -> Vec<Observance> {
    let start_of =
        |year| NaiveDate::from_ymd_opt(year, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
    // A year more on each side: offsets move the ends, and alarms go before what they remind of.
    let (Some(start), Some(end)) = (start_of(first - 1), start_of(last + 2)) else {
        return Vec::new();
    };
    let (mut at, end) = (start.and_utc(), end.and_utc());
    let (mut offset, mut daylight, mut name) = shown(zone, at);
    let onset = at.naive_utc() + TimeDelta::seconds(offset.into());
    let mut found = vec![Observance {
        daylight,
        from: offset,
        to: offset,
        name: name.clone(),
        onsets: vec![onset],
    }];
    while at < end {
        let next = at + TimeDelta::days(1);
        let before = (offset, daylight, name.clone());
        if shown(zone, next) == before {
            at = next;
            continue;
        }
        // Between the two, to the second.
        let (mut same, mut changed) = (at, next);
        while changed - same > TimeDelta::seconds(1) {
            let middle = same + (changed - same) / 2;
            let middle = middle - TimeDelta::nanoseconds(middle.timestamp_subsec_nanos().into());
            if shown(zone, middle) == before { same = middle } else { changed = middle }
        }
        let from = offset;
        (offset, daylight, name) = shown(zone, changed);
        let onset = changed.naive_utc() + TimeDelta::seconds(from.into());
        let this =
            Observance { daylight, from, to: offset, name: name.clone(), onsets: vec![onset] };
        // The first one only says what held when all began.
        let known = found.iter_mut().skip(1).find(|known| {
            (known.daylight, known.from, known.to, &known.name)
                == (this.daylight, this.from, this.to, &this.name)
        });
        match known {
            Some(known) => known.onsets.push(onset),
            None => found.push(this),
        }
        at = changed;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_end_with_a_zone() {
        let zone = |id| at_end(id).map(|zone: Tz| zone.name());
        assert_eq!(zone("/freeassociation.sourceforge.net/Europe/Berlin"), Some("Europe/Berlin"));
        assert_eq!(
            zone("/citadel.org/20210210_1/America/Argentina/Buenos_Aires"),
            Some("America/Argentina/Buenos_Aires")
        );
        assert_eq!(zone("/a/America/Indiana/Knox"), Some("America/Indiana/Knox"));
        assert_eq!(zone("/x/UTC"), Some("UTC"));
        assert_eq!(zone("Europe/Berlin/x"), None);
        assert_eq!(zone("/x/y"), None);
    }

    #[test]
    fn a_zone_is_told_by_its_changes() {
        let found = observances(Tz::Europe__Berlin, 2026, 2026);
        let [initial, summer, winter] = &found[..] else { panic!("{found:?}") };
        assert_eq!((initial.daylight, initial.from, initial.to), (false, 3600, 3600));
        assert!(summer.daylight);
        assert_eq!((summer.from, summer.to, summer.name.as_str()), (3600, 7200, "CEST"));
        let onsets: Vec<String> = summer.onsets.iter().map(ToString::to_string).collect();
        assert_eq!(onsets, ["2025-03-30 02:00:00", "2026-03-29 02:00:00", "2027-03-28 02:00:00"]);
        let onsets: Vec<String> = winter.onsets.iter().map(ToString::to_string).collect();
        assert_eq!(onsets, ["2025-10-26 03:00:00", "2026-10-25 03:00:00", "2027-10-31 03:00:00"]);
        assert_eq!(observances(Tz::Asia__Tokyo, 2026, 2046).len(), 1);
    }

    #[test]
    fn offsets_are_written_as_they_are() {
        assert_eq!(offset_text(-12_600), "-0330");
        assert_eq!(offset_text(0), "+0000");
        assert_eq!(offset_text(3_208), "+005328");
    }
}
