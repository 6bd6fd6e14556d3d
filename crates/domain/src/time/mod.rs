//! Time as callers mean it: instants, local times in a zone, floating times, dates, calendar
//! offsets, quiet hours.
//!
//! The rules (overlaps, gaps, nominal days) are those of RFC 5545 §3.3.5 and §3.3.6; each lives in
//! one function here.

mod clock;
mod due;
mod offset;
mod quiet;
mod text;
mod timestamp;
mod zone;

pub use clock::UserClock;
pub use due::DueTime;
pub use offset::{CalendarOffset, InvalidOffset, Shift};
pub use quiet::QuietHours;
pub use text::TimeOfDay;
pub(crate) use text::{LOCAL_FORMAT, LocalText, ZoneText, date, local_time};
pub use timestamp::{InvalidTime, Timestamp};
pub use zone::{Adjustment, Resolved, resolve};

/// The version of the IANA zone database compiled in, stored with every resolved time.
pub fn zone_database() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}
