//! The fence, the read model and their migration, on a real Postgres.
//!
//! `TEST_POSTGRES_URL` names a server and a superuser, as `cargo xtask test` sets it. Each test makes
//! a database of its own, and in it the table as Dapr's state.postgresql v2 makes it; values are
//! written by Dapr's own statement.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod audit;
mod fence;
mod firing;
mod index;
mod migration;
mod parked;
mod rearm;
mod support;
mod users;
