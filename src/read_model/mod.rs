//! The fence and the read model: what the database itself does with every commit of a task.
//!
//! A trigger on Dapr's table accepts a task's state only when its version is the stored one plus
//! one, and keeps the narrow row of `task_index` in the same transaction; see
//! `migrations/0001_fence_and_task_index.sql`. Users are kept in `user_index` likewise. This module
//! only installs the triggers, and reads what they keep.

mod connect;
mod console;
mod dead_letters;
mod erasure;
mod error;
mod findings;
mod firing;
mod index;
mod inspect;
mod listing;
mod lookup;
mod migrate;
mod parked;
mod pending;
mod rearm;
mod repair;
mod restored;
mod retention;
mod state_table;
mod store;
mod waiting;
mod watched;

pub(crate) use console::epoch_name;
pub use console::{Bucket, ConsoleModel, Entry, Holder, Totals};
pub use dead_letters::{Change, KeptLetter, LetterFilter};
pub use erasure::{
    ErasureProgress, ErasureRequest, ErasureTable, Erasures, Naming, Search, UnderWay,
};
pub use error::MigrateError;
pub use findings::{FINDINGS_KEPT, Finding, FindingKind, KeptFinding};
pub use firing::{STOPPED_USERS_MAX, Stop, Stopped};
pub use index::{Changed, Cursor, FiringSwitch, QueryError, Swept, TaskIndex, Waking};
pub use inspect::{AuditFacts, DatabaseFacts, InspectError, OVERDUE_MAX, Overdue, inspect};
pub use listing::{Listed, ListedPage, Listing};
pub use lookup::UserLookup;
pub use migrate::{Migrated, migrate, migrate_within};
pub use parked::{ParkedTable, ParkedTask};
pub use rearm::RearmPlace;
pub use repair::{IndexRow, Stored};
pub use restored::{Checked, RestoreError, Restored, Unreadable};
pub use retention::{Ended, Purges, RemovalTable};
pub use state_table::{InvalidStateTable, StateTable};
pub use store::ReadModel;
pub use watched::{Asked, Watched};

/// What the trigger refuses a commit with that is out of turn: load, decide and commit again.
pub const FENCED_SQLSTATE: &str = "RS001";
/// What it refuses a value with that does not begin with an index line, or one that would overwrite
/// such a value: committing again does not help.
pub const UNREADABLE_SQLSTATE: &str = "RS002";
