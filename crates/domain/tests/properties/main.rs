//! Properties of the core: random commands and wakes against a reference model, the promises that
//! hold whatever happens, and time against brute force.
//!
//! | File | Holds |
//! |---|---|
//! | `generate` | random scenarios; what they should lead to, the crate `reminder-reference` says |
//! | `bench`, `turns` | the core beside its model |
//! | `promises` | preview, snooze, acknowledge, dismiss, replays, changes of zone |
//! | `ingest` | events of the owner of a task, in any order |
//! | `clocks` | recurring tasks over changes of the clocks, in every zone |
//! | `bounds` | how much work a wake may be |
//! | `time` | local times, offsets and timestamps |
//!
//! A failing case prints its inputs, and its seed is added to `regressions.txt` beside this file:
//! commit it, so that the case is tried first from then on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bench;
mod bounds;
mod clocks;
mod generate;
mod ingest;
mod promises;
mod time;
mod turns;

use proptest::test_runner::{Config, FileFailurePersistence};
use reminder_domain::command::{IfPast, Put};
use reminder_domain::{Command, CommandKind, Origin, Task};

/// The usual number of cases, or `PROPTEST_CASES`.
pub(crate) fn config() -> Config {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/properties/regressions.txt");
    let persistence = FileFailurePersistence::Direct(regressions);
    Config { failure_persistence: Some(Box::new(persistence)), ..Config::default() }
}

/// Fewer cases, for what goes through days minute by minute.
pub(crate) fn config_of_slow_ones() -> Config {
    let config = config();
    Config { cases: config.cases / 4, ..config }
}

/// A put of a task, of nobody in particular.
pub(crate) fn put_command(task: Task, if_past: IfPast) -> Command {
    let put = Put { task, if_past, restored: Vec::new() };
    Command {
        kind: CommandKind::Put(Box::new(put)),
        id: None,
        fingerprint: 0,
        if_version: None,
        as_user: None,
        origin: Origin::default(),
    }
}
