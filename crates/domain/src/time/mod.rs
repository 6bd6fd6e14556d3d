//! Time as callers mean it: instants, local times in a zone, calendar offsets.
//!
//! The rules (overlaps, gaps, nominal days) are those of RFC 5545 §3.3.5 and §3.3.6; each lives in
//! one function here.

mod due;
mod offset;
mod timestamp;
mod zone;

pub use due::DueTime;
pub use offset::{CalendarOffset, InvalidOffset};
pub use timestamp::{InvalidTime, Timestamp};
pub use zone::{Adjustment, Resolved, resolve};

/// The version of the IANA zone database compiled in, stored with every resolved time.
pub fn zone_database() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}
