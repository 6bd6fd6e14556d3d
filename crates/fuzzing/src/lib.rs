//! What the fuzzers run: each parser of texts that come from outside, and what is done with what it
//! reads.
//!
//! A target gets any bytes at all. It must not panic, its answer must not take long, and what it
//! reads must survive being written. `fuzz/` calls the targets from libFuzzer, which takes a nightly
//! compiler; `tests/bounded.rs` calls them with the seed corpus and mutations of it, on any.

mod calendar;
mod event;
mod rule;
mod task;
mod text;

/// A target.
pub type Target = fn(&[u8]);

/// All targets, by the names of their corpora.
pub const TARGETS: [(&str, Target); 6] = [
    ("time", text::time),
    ("offset", text::offset),
    ("rule", rule::rule),
    ("icalendar", calendar::icalendar),
    ("task", task::task),
    ("event", event::event),
];

pub use calendar::icalendar;
pub use event::event;
pub use rule::rule;
pub use task::task;
pub use text::{offset, time};

use reminder_domain::Timestamp;

/// When everything happens: the night before Berlin's clocks go back.
fn now() -> Timestamp {
    Timestamp::from_millis(1_792_879_200_000)
}
