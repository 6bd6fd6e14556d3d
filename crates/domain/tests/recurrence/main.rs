//! Recurrence: known answers, a model, properties, hostile rules, and the work an old rule makes.
//!
//! A failing property prints its inputs, and its seed is added to `regressions.txt` beside this
//! file: commit it, so that the case is tried first from then on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod generate;
mod model;
mod properties;
mod refusals;
mod rfc5545;
mod rrule_crate;
mod work;

use proptest::test_runner::{Config, FileFailurePersistence};

/// The usual number of cases, or `PROPTEST_CASES`.
pub(crate) fn config() -> Config {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recurrence/regressions.txt");
    let persistence = FileFailurePersistence::Direct(regressions);
    // Most random combinations of parts are not allowed.
    let max_global_rejects = 100_000;
    let failure_persistence = Some(Box::new(persistence) as _);
    Config {
        failure_persistence,
        max_global_rejects,
        max_local_rejects: 1_000_000,
        ..Config::default()
    }
}
