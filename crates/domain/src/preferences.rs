//! What a user prefers: zone, default time, default reminders, quiet hours, snooze presets.

use crate::ids::PresetName;
use crate::limits;
use crate::object::object;
use crate::pause::SkippedPause;
use crate::reminder::{self, InvalidReminders, Reminder};
use crate::time::{CalendarOffset, DueTime, QuietHours, TimeOfDay, Timestamp, UserClock, ZoneText};
use chrono::Days;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;

/// The preferences of a user. Everything has a default, so `{}` is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "PreferencesFields")]
pub struct Preferences {
    /// Where the user is: floating times, dates and quiet hours are read there.
    #[serde(serialize_with = "zone_name")]
    pub zone: Tz,
    /// When something is due that is due on a date.
    pub default_time: TimeOfDay,
    /// The reminders of a new task that does not say any. `None`: one, at the due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_reminders: Option<Vec<Reminder>>,
    /// When reminders wait, unless their task is urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What a snooze may be called, and how long it is.
    pub snooze_presets: BTreeMap<PresetName, SnoozeDelay>,
}

/// The JSON form, its parts not yet checked against each other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesFields {
    #[serde(default)]
    zone: Option<ZoneText>,
    #[serde(default)]
    default_time: Option<TimeOfDay>,
    #[serde(default)]
    default_reminders: Option<Vec<Reminder>>,
    #[serde(default)]
    quiet_hours: Option<QuietHours>,
    #[serde(default)]
    snooze_presets: Option<BTreeMap<PresetName, SnoozeDelay>>,
}

/// Preferences whose parts do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPreferences {
    /// Reminders that do not go together.
    #[error("{0}")]
    Reminders(#[from] InvalidReminders),
    /// Too many presets.
    #[error("must be at most {max}, but there are {0}", max = limits::SNOOZE_PRESETS_MAX)]
    TooManyPresets(usize),
}

impl InvalidPreferences {
    /// The field at fault, as a path into the preferences; the message reads on from it.
    pub fn field(&self) -> String {
        match self {
            Self::Reminders(invalid) => invalid.field("defaultReminders"),
            Self::TooManyPresets(_) => "snoozePresets".into(),
        }
    }
}

impl TryFrom<PreferencesFields> for Preferences {
    type Error = InvalidPreferences;

    fn try_from(fields: PreferencesFields) -> Result<Self, InvalidPreferences> {
        let default = Self::default();
        reminder::check_list(fields.default_reminders.as_deref().unwrap_or_default())?;
        let snooze_presets = fields.snooze_presets.unwrap_or(default.snooze_presets);
        if snooze_presets.len() > limits::SNOOZE_PRESETS_MAX {
            return Err(InvalidPreferences::TooManyPresets(snooze_presets.len()));
        }
        Ok(Self {
            zone: fields.zone.map_or(default.zone, |ZoneText(zone)| zone),
            default_time: fields.default_time.unwrap_or(default.default_time),
            default_reminders: fields.default_reminders,
            quiet_hours: fields.quiet_hours,
            snooze_presets,
        })
    }
}

/// What holds for a user who never said anything.
impl Default for Preferences {
    fn default() -> Self {
        let preset = |name: &str| PresetName::parse(name).expect("the constants are valid names");
        let minutes = |minutes| SnoozeDelay::For(CalendarOffset::from_minutes(minutes));
        Self {
            zone: Tz::UTC,
            default_time: TimeOfDay::NINE,
            default_reminders: None,
            quiet_hours: None,
            snooze_presets: BTreeMap::from([
                (preset("soon"), minutes(10)),
                (preset("later"), minutes(60)),
                (preset("tomorrow"), SnoozeDelay::Day { days: 1, at: None }),
            ]),
        }
    }
}

impl Preferences {
    /// What turns floating times and dates into instants.
    pub fn clock(&self) -> UserClock {
        UserClock { zone: self.zone, default_time: self.default_time }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// How long a snooze is. In JSON a duration (`"PT10M"`, or `"P1D"` for the same wall time tomorrow)
/// or a time on a later day (`{"days": 1, "at": "08:00"}`, without `at`: the default time).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnoozeDelay {
    /// From now, as a calendar offset.
    For(CalendarOffset),
    /// A time of day this many days after today.
    Day {
        /// How many; 0 is today.
        days: u16,
        /// The time of day; `None`: the user's default time.
        at: Option<TimeOfDay>,
    },
}

impl SnoozeDelay {
    /// When a snooze that begins now ends; `None` beyond the years that can be written.
    pub fn until(self, now: Timestamp, clock: UserClock) -> Option<Timestamp> {
        let local = now.to_datetime().with_timezone(&clock.zone).naive_local();
        let (wall, shift) = match self {
            // A part of a day is exact: the wall time may come twice, now does not.
            Self::For(offset) if offset.days() == 0 => {
                return Some(now.saturating_add_ms(offset.seconds().checked_mul(1000)?));
            }
            Self::For(offset) => (local, offset.after()),
            Self::Day { days, at } => {
                let day = local.date().checked_add_days(Days::new(days.into()))?;
                let at = at.unwrap_or(clock.default_time);
                (day.and_time(at.as_naive()), crate::time::Shift::NONE)
            }
        };
        let wall = DueTime::Zoned { local: wall, zone: clock.zone };
        wall.resolve(clock, shift).map(|resolved| resolved.at)
    }
}

#[derive(Deserialize)]
struct DayFields {
    days: u16,
    #[serde(default)]
    at: Option<TimeOfDay>,
}

impl<'de> Deserialize<'de> for SnoozeDelay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DelayVisitor)
    }
}

struct DelayVisitor;

impl<'de> de::Visitor<'de> for DelayVisitor {
    type Value = SnoozeDelay;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a duration such as PT10M, or an object with \"days\" and \"at\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SnoozeDelay, E> {
        CalendarOffset::parse(text).map(SnoozeDelay::For).map_err(E::custom)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<SnoozeDelay, A::Error> {
        let DayFields { days, at } = object(de::value::MapAccessDeserializer::new(map))?;
        if i64::from(days) > limits::OFFSET_MAX_DAYS {
            let max = limits::OFFSET_MAX_DAYS;
            return Err(de::Error::custom(format!("must be at most {max} days")));
        }
        Ok(SnoozeDelay::Day { days, at })
    }
}

impl Serialize for SnoozeDelay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct DayRef {
            days: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            at: Option<TimeOfDay>,
        }
        match *self {
            Self::For(offset) => offset.serialize(serializer),
            Self::Day { days, at } => DayRef { days, at }.serialize(serializer),
        }
    }
}

/// The preferences that a task knows, which ones those are, and whether the user is paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownPreferences {
    /// Counts the changes of what the user said; 0: the user never said anything.
    pub version: u64,
    /// What they are.
    pub preferences: Preferences,
    /// Since when everything of the user is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// The last pauses that ended with nothing to fire, oldest first. A task acts on them when it
    /// learns of them, and keeps no copy.
    #[serde(skip)]
    pub skipped: Vec<SkippedPause>,
}

impl KnownPreferences {
    /// A task's copy brought up to date. Its default reminders stay those of the time when it was
    /// made: a change of them is for new tasks.
    #[must_use]
    pub(crate) fn followed_by(&self, newer: &Self) -> Self {
        let default_reminders = self.preferences.default_reminders.clone();
        let preferences = Preferences { default_reminders, ..newer.preferences.clone() };
        Self { preferences, ..newer.clone() }
    }

    /// What a task keeps of them.
    #[must_use]
    pub(crate) fn copied(&self) -> Self {
        Self { skipped: Vec::new(), ..self.clone() }
    }

    /// Whether the user never said anything.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Preferences, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_has_a_default() {
        assert_eq!(parse("{}"), Ok(Preferences::default()));
    }

    #[test]
    fn survives_json() {
        let json = r#"{"zone":"Europe/Berlin","defaultTime":"08:00","defaultReminders":[{"id":"r","before":"PT15M"}],"quietHours":{"from":"22:00","to":"07:00"},"snoozePresets":{"nap":"PT20M","next-day":{"days":1,"at":"07:30"}}}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }

    #[test]
    fn a_snooze_ends_where_the_user_is() {
        let berlin = parse(r#"{"zone":"Europe/Berlin"}"#).unwrap().clock();
        // The clocks go forward in the night that follows.
        let now = Timestamp::parse("2026-03-28T11:00:00Z").unwrap();
        let until = |json| {
            let delay: SnoozeDelay = serde_json::from_str(json).unwrap();
            delay.until(now, berlin).unwrap().to_string()
        };
        assert_eq!(until(r#""PT24H""#), "2026-03-29T11:00:00.000Z");
        assert_eq!(until(r#""P1D""#), "2026-03-29T10:00:00.000Z");
        assert_eq!(until(r#"{"days":1}"#), "2026-03-29T07:00:00.000Z");
        assert_eq!(until(r#"{"days":0,"at":"18:00"}"#), "2026-03-28T17:00:00.000Z");
    }
}
