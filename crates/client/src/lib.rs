//! A typed client of the reminder scheduler's REST edge.
//!
//! It reaches the service directly, or through Dapr's service invocation. Every command has an
//! `Idempotency-Key`, so that what is not answered is sent again without being applied twice; refusals are
//! [`Error::Refused`] with the problem as the service told it.
//!
//! ```no_run
//! use reminder_client::{CallOptions, Client, IfVersion, TaskId};
//! use serde_json::json;
//!
//! # async fn remind() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::direct("http://127.0.0.1:8080")?.bearer("secret").build()?;
//! let milk = TaskId::parse("milk")?;
//!
//! let task = json!({ "title": "Buy milk", "dueDate": "2027-03-01T18:00:00Z" });
//! let put = client.put(&milk, &task, &CallOptions::default()).await?;
//!
//! // Only if nobody has changed it since.
//! let unchanged = CallOptions { if_version: Some(IfVersion::At(put.version)), ..CallOptions::default() };
//! client.complete(&milk, &unchanged).await?;
//! # Ok(()) }
//! ```
//!
//! Lists come by the page, or as a stream over all pages:
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use reminder_client::{Client, RemindersQuery};
//!
//! # async fn list() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::through_sidecar("http://127.0.0.1:3500", "reminder-scheduler")?.build()?;
//! let query = RemindersQuery { user: Some("ada@example.org".into()), ..RemindersQuery::default() };
//! let mut reminders = std::pin::pin!(client.reminders(query));
//! while let Some(reminder) = reminders.try_next().await? {
//!     println!("{} fires at {}", reminder.task_id, reminder.scheduled_for);
//! }
//! # Ok(()) }
//! ```

mod builder;
mod error;
mod export;
mod lists;
mod options;
mod send;
mod tasks;
#[cfg(test)]
mod tests;
mod users;

pub use builder::{BuildError, Client, ClientBuilder};
pub use error::Error;
pub use export::Export;
pub use lists::{RemindersQuery, TasksQuery};
pub use options::{CallOptions, IfVersion, Ring, Snooze};
pub use reminder_contract::{Problem, ProblemKind, rest, wire};
pub use reminder_domain::command::{Delay, IfPast};
pub use reminder_domain::ids::{CorrelationId, Person, PresetName, ReminderId, Traceparent};
pub use reminder_domain::pause::IfMissed;
pub use reminder_domain::preferences::SnoozeDelay;
pub use reminder_domain::{TaskId, Timestamp};
