//! The wall clock: the only module of a member that reads it.

use reminder_domain::Timestamp;

/// What it shows, to the millisecond, as the contract writes times.
pub fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}
