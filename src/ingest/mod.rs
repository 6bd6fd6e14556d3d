//! Ingestion: what others publish on `task-events` becomes commands to the actors.
//!
//! A batch comes in, each of its records gets a verdict, and the broker goes on. [`batch`] sorts the
//! records by task, [`follow`] has each task follow its own in their order, tasks beside one another, and
//! [`letters`] puts away what cannot be understood, so that it blocks nobody. What fails in passing is
//! tried again here, and after that by the sidecar.

pub mod batch;
pub mod follow;
pub mod letters;
pub mod ports;
pub mod settings;
#[cfg(test)]
mod tests;

pub use batch::{Record, Verdict};
pub use follow::Ingest;
