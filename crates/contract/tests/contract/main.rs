//! The contract, checked from the outside: what comes in, what goes out, what is committed of it.
//!
//! Schemas and golden files are written anew by `UPDATE_SCHEMAS=1 cargo test -p reminder-contract`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod commands;
mod events;
mod fixtures;
mod golden;
mod incoming;
mod neighbours;
mod schemas;
