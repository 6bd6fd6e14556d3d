//! The pure core: what a task is, when it must wake, and what a command makes of it.
//!
//! Nothing in this crate performs I/O, reads a clock or draws a random number: `now` is always an
//! argument. [`decide`] is the only way a state changes, [`next_wake`] the only way a time for the
//! actor's reminder is chosen; both are total functions of their arguments, so a turn can be
//! replayed, simulated and property-tested without a runtime.
//!
//! | Module | Holds |
//! |---|---|
//! | [`time`] | instants, local times in a zone, dates, calendar offsets, quiet hours |
//! | [`recurrence`] | rules of RFC 5545 and the occurrences of a series |
//! | [`task`], [`reminder`], [`preferences`] | what callers asked for, parsed once |
//! | [`schedule`] | from these to the moments of the reminders |
//! | [`alarm`], [`history`] | what became of each reminder |
//! | [`pause`] | that nothing fires for now |
//! | [`state`], [`restored`] | everything one actor stores, and how it goes on after a restore |
//! | [`ingested`] | what the owner of a task says of it |
//! | [`command`], [`event`], [`rejection`] | what goes in and what comes out of a turn |
//! | [`decide`] | the decision itself |
//! | [`retention`], [`erasure`] | what is over goes for good; everything of one user goes |
//! | [`preview`], [`explain`] | what will fire, what fired, and why |
//! | [`object`] | a helper for strict deserialisation |

pub mod alarm;
pub mod command;
pub mod decide;
pub mod erasure;
pub mod event;
pub mod explain;
pub mod history;
pub mod ids;
pub mod ingested;
pub mod limits;
pub mod next_wake;
pub mod object;
pub mod pause;
pub mod preferences;
pub mod preview;
pub mod recurrence;
pub mod rejection;
pub mod reminder;
pub mod restored;
pub mod retention;
pub mod schedule;
pub mod state;
pub mod task;
pub mod time;
pub mod user;

pub use command::{Command, CommandKind, Origin};
pub use decide::{Answer, Change, Turn, decide};
pub use event::{Event, Fact, Topic};
pub use ids::{ReminderId, TaskId};
pub use next_wake::next_wake;
pub use rejection::Rejection;
pub use retention::Retention;
pub use state::TaskState;
pub use task::Task;
pub use time::Timestamp;
