//! A due time as the caller gave it: an instant, a local time in a zone, a floating local time, or
//! a date.

use super::clock::UserClock;
use super::offset::Shift;
use super::text::{DateText, LOCAL_FORMAT, LocalText, WALL_YEARS, ZoneText};
use super::timestamp::{InvalidTime, Timestamp};
use super::zone::{self, Resolved};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use std::fmt;

/// When something is due.
///
/// | JSON | Kind | Becomes an instant by |
/// |---|---|---|
/// | `"2027-03-01T09:00:00Z"` | instant | nothing: it is one |
/// | `{"local": "2027-03-01T09:00:00", "zone": "Europe/Berlin"}` | local time in a zone | the rules of the zone |
/// | `{"local": "2027-03-01T09:00:00"}` | floating local time | the zone of the user |
/// | `{"date": "2027-03-01"}` | date | the zone of the user, and the user's default time |
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
    /// What a clock on the wall shows wherever the user is.
    Floating(NaiveDateTime),
    /// A day, without a time: the user's default time is meant.
    Date(NaiveDate),
}

/// The years a floating time or a date may lie in, so that its instant is writable in nearly every zone.
const LOCAL_YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

impl DueTime {
    /// Parses an instant. Local times and dates are told apart, since forgetting the zone is the
    /// likely slip.
    pub fn parse_instant(text: &str) -> Result<Self, InvalidTime> {
        if NaiveDateTime::parse_from_str(text, LOCAL_FORMAT).is_ok() {
            return Err(InvalidTime(format!(
                "is a local time without a zone: add an offset (\"{text}Z\"), or give \
                 {{\"local\": \"{text}\", \"zone\": \"Europe/Berlin\"}}, or {{\"local\": \
                 \"{text}\"}} for the zone of the user"
            )));
        }
        if text.parse::<NaiveDate>().is_ok() {
            return Err(InvalidTime(format!(
                "is a date without a time: give {{\"date\": \"{text}\"}} for the user's default time"
            )));
        }
        Timestamp::parse(text).map(Self::Instant)
    }

    /// Parses a local time and its IANA zone.
    pub fn parse_zoned(local: &str, zone: &str) -> Result<Self, InvalidTime> {
        let LocalText(local) = LocalText::try_from(local.to_owned())?;
        let ZoneText(zone) = ZoneText::try_from(zone.to_owned())?;
        Self::Zoned { local, zone }.checked()
    }

    fn checked(self) -> Result<Self, InvalidTime> {
        let in_range = match &self {
            Self::Instant(_) => true,
            Self::Zoned { local, zone } => {
                WALL_YEARS.contains(&local.year()) && zone::resolve(*local, *zone).is_some()
            }
            Self::Floating(local) => LOCAL_YEARS.contains(&local.year()),
            Self::Date(date) => LOCAL_YEARS.contains(&date.year()),
        };
        if in_range {
            Ok(self)
        } else {
            Err(InvalidTime("must lie between the years 1970 and 9999".into()))
        }
    }

    /// The instant of this time, shifted: days move the date in its zone (that of UTC for an
    /// instant) and keep the wall time, seconds move the resulting instant. `None` when that lies
    /// outside the years 1970 to 9999.
    pub fn resolve(&self, clock: UserClock, shift: Shift) -> Option<Resolved> {
        let days = TimeDelta::try_days(shift.days)?;
        let local = self.local(clock).checked_add_signed(days)?;
        let moved = zone::resolve(local, self.zone(clock))?;
        let at = moved.at.as_millis().checked_add(shift.seconds.checked_mul(1000)?)?;
        let at = (0..=Timestamp::MAX.as_millis()).contains(&at).then_some(at)?;
        Some(Resolved { at: Timestamp::from_millis(at), ..moved })
    }

    /// What a clock on the wall of [`Self::zone`] shows at this time.
    pub fn local(&self, clock: UserClock) -> NaiveDateTime {
        match self {
            Self::Date(date) => date.and_time(clock.default_time.0),
            _ => self.nominal(),
        }
    }

    /// The zone in which its wall time is read.
    pub fn zone(&self, clock: UserClock) -> Tz {
        match self {
            Self::Instant(_) => Tz::UTC,
            Self::Zoned { zone, .. } => *zone,
            Self::Floating(_) | Self::Date(_) => clock.zone,
        }
    }

    /// The wall time that identifies it whoever the user is: midnight for a date.
    pub fn nominal(&self) -> NaiveDateTime {
        match self {
            Self::Instant(at) => at.to_datetime().naive_utc(),
            Self::Zoned { local, .. } | Self::Floating(local) => *local,
            Self::Date(date) => date.and_time(NaiveTime::MIN),
        }
    }

    /// A time of the same kind at another nominal wall time; `None` out of range.
    #[must_use]
    pub fn at_nominal(&self, nominal: NaiveDateTime) -> Option<Self> {
        let moved = match self {
            Self::Instant(_) => Self::Instant(Timestamp::from_datetime(&nominal.and_utc())?),
            Self::Zoned { zone, .. } => Self::Zoned { local: nominal, zone: *zone },
            Self::Floating(_) => Self::Floating(nominal),
            Self::Date(_) => Self::Date(nominal.date()),
        };
        moved.checked().ok()
    }
}

impl Serialize for DueTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wall = |local: &NaiveDateTime| local.format(LOCAL_FORMAT).to_string();
        match self {
            Self::Instant(at) => at.serialize(serializer),
            Self::Zoned { local, zone } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("local", &wall(local))?;
                map.serialize_entry("zone", zone.name())?;
                map.end()
            }
            Self::Floating(local) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("local", &wall(local))?;
                map.end()
            }
            Self::Date(date) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("date", &date.to_string())?;
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
struct Fields {
    #[serde(default)]
    local: Option<LocalText>,
    #[serde(default)]
    zone: Option<ZoneText>,
    #[serde(default)]
    date: Option<DateText>,
}

impl TryFrom<Fields> for DueTime {
    type Error = InvalidTime;

    fn try_from(fields: Fields) -> Result<Self, InvalidTime> {
        let due = match fields {
            Fields { local: Some(LocalText(local)), zone: Some(ZoneText(zone)), date: None } => {
                Self::Zoned { local, zone }
            }
            Fields { local: Some(LocalText(local)), zone: None, date: None } => {
                Self::Floating(local)
            }
            Fields { local: None, zone: None, date: Some(DateText(date)) } => Self::Date(date),
            _ => {
                return Err(InvalidTime(
                    "must have \"local\" with or without \"zone\", or \"date\" alone".into(),
                ));
            }
        };
        due.checked()
    }
}

impl<'de> de::Visitor<'de> for DueTimeVisitor {
    type Value = DueTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an RFC 3339 date-time, or an object with \"local\" (and \"zone\"), or with \"date\"",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DueTime, E> {
        DueTime::parse_instant(text).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<DueTime, A::Error> {
        let fields = Fields::deserialize(de::value::MapAccessDeserializer::new(map))?;
        DueTime::try_from(fields).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{CalendarOffset, TimeOfDay};

    fn clock() -> UserClock {
        UserClock { zone: Tz::Asia__Tokyo, default_time: TimeOfDay::parse("08:30").unwrap() }
    }

    fn resolved(due: &DueTime, before: &str) -> String {
        let offset = CalendarOffset::parse(before).unwrap();
        due.resolve(clock(), offset.before()).unwrap().at.to_string()
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
    fn floating_times_and_dates_follow_the_user() {
        let due: DueTime = serde_json::from_str(r#"{"local":"2027-03-01T09:00:00"}"#).unwrap();
        assert_eq!(resolved(&due, "PT0S"), "2027-03-01T00:00:00.000Z");
        let due: DueTime = serde_json::from_str(r#"{"date":"2027-03-01"}"#).unwrap();
        assert_eq!(resolved(&due, "PT0S"), "2027-02-28T23:30:00.000Z");
        assert_eq!(resolved(&due, "P1D"), "2027-02-27T23:30:00.000Z");
    }

    #[test]
    fn a_forgotten_zone_is_told() {
        let error = DueTime::parse_instant("2027-03-01T09:00:00").unwrap_err();
        assert!(error.to_string().contains("without a zone"), "{error}");
        let error = DueTime::parse_instant("2027-03-01").unwrap_err();
        assert!(error.to_string().contains("without a time"), "{error}");
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = DueTime::parse_zoned("2027-03-01T09:00:00", "Europe/Atlantis").unwrap_err();
        assert!(error.to_string().contains("Europe/Atlantis"), "{error}");
    }

    #[test]
    fn mixed_forms_are_refused() {
        for bad in [
            r"{}",
            r#"{"zone":"Asia/Tokyo"}"#,
            r#"{"date":"2027-03-01","zone":"Asia/Tokyo"}"#,
            r#"{"date":"2027-03-01","local":"2027-03-01T09:00:00"}"#,
            r#"{"date":"12027-03-01"}"#,
        ] {
            assert!(serde_json::from_str::<DueTime>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn all_forms_survive_json_and_their_own_wall_time() {
        for text in [
            r#""2027-03-01T09:00:00.000Z""#,
            r#"{"local":"2027-03-01T09:00:00","zone":"Asia/Tokyo"}"#,
            r#"{"local":"2027-03-01T09:00:00"}"#,
            r#"{"date":"2027-03-01"}"#,
        ] {
            let due: DueTime = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&due).unwrap(), text);
            assert_eq!(due.at_nominal(due.nominal()), Some(due));
        }
    }
}
