//! The local runtime as a library: it starts, stops, kills and watches the processes the service
//! lives among.
//!
//! ```text
//! xtask up | demo | test | bench, end-to-end tests
//!        │
//!      Stack ── up ─→ tools   finds, builds or installs what the parts run on
//!        │        └─→ parts   how each part is prepared, launched and known to be ready
//!        └─ manifest          .stack/<instance>/stack.json: ports, processes, paths
//! ```
//!
//! Three rules hold everywhere:
//! - the manifest on disk is the only state, re-read under a lock for each change, so that two
//!   processes (a test that kills a part, `xtask status`) see the same stack;
//! - a process is known by its pid, start time and boot, so a reused pid is never signalled;
//! - every wait polls a condition with a deadline, and gives up at once when the process is gone.

pub mod error;
pub mod events;
pub mod files;
mod guard;
pub mod layout;
pub mod logs;
pub mod manifest;
pub mod member;
pub mod options;
pub mod part;
mod parts;
pub mod ports;
pub mod probe;
pub mod process;
pub mod progress;
mod stack;
mod status;
mod stop;
mod tools;
mod up;

pub use error::PartFailed;
pub use manifest::Manifest;
pub use member::{Member, MemberOptions};
pub use options::{ApiTokens, AppSource, Options, PubSub};
pub use part::{Part, Signal};
pub use progress::{Progress, Update, silent};
pub use stack::Stack;
pub use status::PartStatus;
