//! Quiet hours: a part of each day, in the user's zone, in which reminders wait.

use super::text::TimeOfDay;
use super::timestamp::{InvalidTime, Timestamp};
use super::zone;
use crate::object::object;
use chrono::Days;
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, de};

/// From one time of day to another, past midnight when the second is the earlier one. The first
/// minute is quiet, the last is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QuietHours {
    from: TimeOfDay,
    to: TimeOfDay,
}

/// The JSON form.
#[derive(Deserialize)]
struct Fields {
    from: TimeOfDay,
    to: TimeOfDay,
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { from, to } = object(deserializer)?;
        Self::new(from, to).map_err(de::Error::custom)
    }
}

impl QuietHours {
    /// Quiet hours; they must not be empty, and cannot be all day.
    pub fn new(from: TimeOfDay, to: TimeOfDay) -> Result<Self, InvalidTime> {
        if from == to {
            return Err(InvalidTime(
                "must begin and end at different times; leave the field out for no quiet hours"
                    .into(),
            ));
        }
        Ok(Self { from, to })
    }

    /// When the quiet hours end that hold at this instant; `None` when it is not quiet.
    ///
    /// The end is a wall time and follows the rules for gaps and overlaps; it is never before `at`.
    pub fn end(self, at: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = at.to_datetime().with_timezone(&zone).naive_local();
        let (time, (from, to)) = (local.time(), (self.from.0, self.to.0));
        let today = local.date();
        let last_day = match from < to {
            true if from <= time && time < to => today,
            false if time < to => today,
            false if from <= time => today.checked_add_days(Days::new(1))?,
            _ => return None,
        };
        let end = zone::resolve(last_day.and_time(to), zone)?.at;
        // In an overlap the wall time of the end comes twice; the quiet hours may have begun anew.
        (end > at).then_some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(from: &str, to: &str, at: &str) -> Option<String> {
        let quiet = QuietHours::new(TimeOfDay::parse(from).unwrap(), TimeOfDay::parse(to).unwrap())
            .unwrap();
        quiet.end(Timestamp::parse(at).unwrap(), Tz::Europe__Berlin).map(|end| end.to_string())
    }

    #[test]
    fn they_reach_past_midnight() {
        let morning = Some("2027-01-02T06:00:00.000Z".to_owned());
        assert_eq!(end("22:00", "07:00", "2027-01-01T21:00:00Z"), morning);
        assert_eq!(end("22:00", "07:00", "2027-01-02T05:59:59Z"), morning);
        assert_eq!(end("22:00", "07:00", "2027-01-02T06:00:00Z"), None);
        assert_eq!(end("22:00", "07:00", "2027-01-01T20:59:59Z"), None);
    }

    #[test]
    fn or_lie_within_a_day() {
        assert_eq!(
            end("12:00", "14:00", "2027-01-01T11:30:00Z").unwrap(),
            "2027-01-01T13:00:00.000Z"
        );
        assert_eq!(end("12:00", "14:00", "2027-01-01T13:00:00Z"), None);
    }

    #[test]
    fn their_end_follows_the_zone() {
        // The clocks go forward in this night, from 02:00 to 03:00: an end at 02:30 is read as 03:30.
        assert_eq!(
            end("22:00", "07:00", "2026-03-28T23:00:00Z").unwrap(),
            "2026-03-29T05:00:00.000Z"
        );
        assert_eq!(
            end("22:00", "02:30", "2026-03-28T23:00:00Z").unwrap(),
            "2026-03-29T01:30:00.000Z"
        );
    }

    #[test]
    fn never_all_day() {
        assert!(serde_json::from_str::<QuietHours>(r#"{"from":"22:00","to":"22:00"}"#).is_err());
    }
}
