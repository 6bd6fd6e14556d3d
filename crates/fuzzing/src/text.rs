//! Short texts: times, offsets.

use chrono_tz::Tz;
use reminder_domain::preferences::SnoozeDelay;
use reminder_domain::time::{CalendarOffset, DueTime, QuietHours, Shift, TimeOfDay, UserClock};
use reminder_domain::{TaskState, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A user whose clocks change at odd times.
const CLOCK: UserClock =
    UserClock { zone: Tz::Australia__Lord_Howe, default_time: TimeOfDay::NINE };

/// Due times, instants, times of day, quiet hours: as JSON, and as the text of it.
pub fn time(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(at) = Timestamp::parse(text) {
            assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
        if let Ok(time) = TimeOfDay::parse(text) {
            assert_eq!(TimeOfDay::parse(&time.to_string()), Ok(time));
        }
        let _ = DueTime::parse_zoned(text, "Europe/Berlin");
        let _ = DueTime::parse_instant(text);
    }
    survives::<Timestamp>(data);
    survives::<TimeOfDay>(data);
    survives::<SnoozeDelay>(data);
    if let Some(quiet) = survives::<QuietHours>(data) {
        let _ = quiet.end(super::now(), CLOCK.zone);
    }
    if let Some(due) = survives::<DueTime>(data) {
        assert_eq!(due.at_nominal(due.nominal()).as_ref(), Some(&due));
        let _ = due.resolve(CLOCK, Shift::NONE);
    }
}

/// Calendar offsets, and times moved by them.
pub fn offset(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(offset) = CalendarOffset::parse(text) else { return };
    assert_eq!(CalendarOffset::parse(&offset.to_string()), Ok(offset));
    assert!(offset.exact_seconds() >= 0);
    for due in [DueTime::Instant(super::now()), DueTime::Instant(Timestamp::MAX)] {
        let before = due.resolve(CLOCK, offset.before());
        let after = due.resolve(CLOCK, offset.after());
        let at = due.resolve(CLOCK, Shift::NONE).map(|resolved| resolved.at);
        assert!(before.is_none_or(|before| Some(before.at) <= at), "before {offset}");
        assert!(after.is_none_or(|after| Some(after.at) >= at), "after {offset}");
    }
    let _ = SnoozeDelay::For(offset).until(super::now(), CLOCK);
}

/// Reads JSON; what it is, written, must be read as the same.
pub(crate) fn survives<T>(data: &[u8]) -> Option<T>
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    let value: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_string(&value).unwrap_or_default();
    let again: Result<T, String> =
        serde_json::from_str(&written).map_err(|error| format!("{error}: {written}"));
    assert_eq!(again.as_ref(), Ok(&value));
    Some(value)
}

/// What was decided must be read again as it was, or the task could never be told anything any more.
pub(crate) fn stored(state: &TaskState) {
    let written = serde_json::to_string(state).unwrap_or_default();
    let again: Result<TaskState, String> =
        serde_json::from_str(&written).map_err(|error| format!("{error}: {written}"));
    assert_eq!(again.as_ref(), Ok(state));
}
