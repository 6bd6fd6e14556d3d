//! What a page sees, whatever happens to its connection.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod changes;
mod hub;
mod merge;
mod resume;
