//! A due time as the caller gave it: an instant, or a local time in a zone.

use super::Adjustment;
use super::offset::CalendarOffset;
use super::timestamp::{InvalidTime, Timestamp};
use super::zone::{self, Resolved};
use chrono::{NaiveDateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use std::fmt;

/// When something is due.
///
/// In JSON an instant is a string (`"2027-03-01T09:00:00Z"`), a local time an object
/// (`{"local": "2027-03-01T09:00:00", "zone": "Europe/Berlin"}`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DueTime {
    /// A point on the time line, the same everywhere.
    Instant(Timestamp),
    /// What a clock on the wall of the zone shows; the instant follows from the zone's rules.
    Zoned {
        /// The wall time, in whole milliseconds.
        local: NaiveDateTime,
        /// The IANA zone.
        zone: Tz,
    },
}

const LOCAL_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.f";

impl DueTime {
    /// Parses an instant. A local time is told apart, since forgetting the zone is the likely slip.
    pub fn parse_instant(text: &str) -> Result<Self, InvalidTime> {
        if NaiveDateTime::parse_from_str(text, LOCAL_FORMAT).is_ok() {
            return Err(InvalidTime(format!(
                "is a local time without a zone: add an offset (\"{text}Z\") or give \
                 {{\"local\": \"{text}\", \"zone\": \"Europe/Berlin\"}}"
            )));
        }
        Timestamp::parse(text).map(Self::Instant)
    }

    /// Parses a local time and its IANA zone.
    pub fn parse_zoned(local: &str, zone: &str) -> Result<Self, InvalidTime> {
        Self::zoned(LocalText::try_from(local.to_owned())?, ZoneText::try_from(zone.to_owned())?)
    }

    fn zoned(LocalText(local): LocalText, ZoneText(zone): ZoneText) -> Result<Self, InvalidTime> {
        let due = Self::Zoned { local, zone };
        if due.resolve(CalendarOffset::ZERO).is_none() {
            return Err(InvalidTime("must lie between the years 1970 and 9999".into()));
        }
        Ok(due)
    }

    /// The instant `before` this due time: days are taken off the date in the zone (of UTC for an
    /// instant) and keep the wall time, seconds are taken off the resulting instant.
    /// `None` when that lies outside the years 1970 to 9999.
    pub fn resolve(&self, before: CalendarOffset) -> Option<Resolved> {
        let days = TimeDelta::try_days(before.days())?;
        let moved = match self {
            Self::Instant(at) => Resolved {
                at: Timestamp::from_datetime(&at.to_datetime().checked_sub_signed(days)?)?,
                adjustment: Adjustment::None,
            },
            Self::Zoned { local, zone } => zone::resolve(local.checked_sub_signed(days)?, *zone)?,
        };
        let at = moved.at.as_millis().checked_sub(before.seconds().checked_mul(1000)?)?;
        (at >= 0).then_some(Resolved { at: Timestamp::from_millis(at), ..moved })
    }
}

/// Rounds up, as [`Timestamp`] does, so that nothing fires early.
fn ceil_to_millis(time: NaiveDateTime) -> NaiveDateTime {
    let excess = time.nanosecond() % 1_000_000;
    if excess == 0 { time } else { time + TimeDelta::nanoseconds(i64::from(1_000_000 - excess)) }
}

impl Serialize for DueTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Instant(at) => at.serialize(serializer),
            Self::Zoned { local, zone } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("local", &local.format(LOCAL_FORMAT).to_string())?;
                map.serialize_entry("zone", zone.name())?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for DueTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DueTimeVisitor)
    }
}

struct DueTimeVisitor;

/// The object form; each field is parsed by itself, so that an error names the right one.
#[derive(Deserialize)]
struct ZonedFields {
    local: LocalText,
    zone: ZoneText,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct LocalText(NaiveDateTime);

impl TryFrom<String> for LocalText {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        let parsed = NaiveDateTime::parse_from_str(&text, LOCAL_FORMAT).map_err(|error| {
            InvalidTime(format!("is not a local time such as 2027-03-01T09:00:00 ({error})"))
        })?;
        Ok(Self(ceil_to_millis(parsed)))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ZoneText(Tz);

impl TryFrom<String> for ZoneText {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        text.parse().map(Self).map_err(|_| {
            InvalidTime(format!(
                "must be in the IANA zone database ({}), but is {text:?}",
                super::zone_database()
            ))
        })
    }
}

impl<'de> de::Visitor<'de> for DueTimeVisitor {
    type Value = DueTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 date-time, or an object with \"local\" and \"zone\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DueTime, E> {
        DueTime::parse_instant(text).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<DueTime, A::Error> {
        let fields = ZonedFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
        DueTime::zoned(fields.local, fields.zone).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(due: &DueTime, before: &str) -> String {
        due.resolve(CalendarOffset::parse(before).unwrap()).unwrap().at.to_string()
    }

    #[test]
    fn a_day_before_is_the_same_wall_time_but_24_hours_are_not() {
        // The clocks in Berlin go forward in the night before this due time.
        let due = DueTime::parse_zoned("2026-03-29T09:00:00", "Europe/Berlin").unwrap();
        assert_eq!(resolved(&due, "PT0S"), "2026-03-29T07:00:00.000Z");
        assert_eq!(resolved(&due, "P1D"), "2026-03-28T08:00:00.000Z");
        assert_eq!(resolved(&due, "PT24H"), "2026-03-28T07:00:00.000Z");
    }

    #[test]
    fn a_forgotten_zone_is_told() {
        let error = DueTime::parse_instant("2027-03-01T09:00:00").unwrap_err();
        assert!(error.to_string().contains("without a zone"), "{error}");
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = DueTime::parse_zoned("2027-03-01T09:00:00", "Europe/Atlantis").unwrap_err();
        assert!(error.to_string().contains("Europe/Atlantis"), "{error}");
    }

    #[test]
    fn both_forms_survive_json() {
        for text in [
            r#""2027-03-01T09:00:00.000Z""#,
            r#"{"local":"2027-03-01T09:00:00","zone":"Asia/Tokyo"}"#,
        ] {
            let due: DueTime = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&due).unwrap(), text);
        }
    }
}
