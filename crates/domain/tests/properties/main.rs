//! Properties of the core: random commands and wakes against a reference model, and time against
//! brute force.
//!
//! A failing case prints its inputs, and its seed is added to `regressions.txt` beside this file:
//! commit it, so that the case is tried first from then on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod generate;
mod model;
mod time;
mod turns;

use proptest::test_runner::{Config, FileFailurePersistence};

/// The usual number of cases, or `PROPTEST_CASES`.
pub(crate) fn config() -> Config {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties/regressions.txt");
    let persistence = FileFailurePersistence::Direct(regressions);
    Config { failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}
