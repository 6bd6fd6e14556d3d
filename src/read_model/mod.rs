//! The fence and the read model: what the database itself does with every commit of a task.
//!
//! A trigger on Dapr's table accepts a task's state only when its version is the stored one plus
//! one, and keeps the narrow row of `task_index` in the same transaction; see
//! `migrations/0001_fence_and_task_index.sql`. This module only installs them.

mod connect;
mod error;
mod migrate;
mod state_table;
mod store;
mod waiting;

pub use error::MigrateError;
pub use migrate::{Migrated, migrate, migrate_within};
pub use state_table::{InvalidStateTable, StateTable};
pub use store::{QueryError, ReadModel, Waking};

/// What the trigger refuses a commit with that is out of turn: load, decide and commit again.
pub const FENCED_SQLSTATE: &str = "RS001";
/// What it refuses a value with that does not begin with an index line, or one that would overwrite
/// such a value: committing again does not help.
pub const UNREADABLE_SQLSTATE: &str = "RS002";
