//! Live pages of a user's tasks and reminders.
//!
//! - [`feed`]: what one user's page is told, and how a page that comes back goes on; pure
//! - [`hub`]: who is connected, and whose feeds are in memory

pub mod feed;
pub mod hub;
