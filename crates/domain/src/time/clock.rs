//! What a user's clock shows: the zone, and the time of day that dates mean.

use super::text::TimeOfDay;
use chrono_tz::Tz;

/// The part of a user's preferences that turns floating times and dates into instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserClock {
    /// Where the user is.
    pub zone: Tz,
    /// When something is due that is due on a date.
    pub default_time: TimeOfDay,
}
