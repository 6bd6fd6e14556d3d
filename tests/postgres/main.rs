//! The fence, the read model and their migration, on a real Postgres.
//!
//! `TEST_POSTGRES_URL` names a server and a superuser, as `cargo xtask test` sets it. Each test makes
//! a database of its own, and in it the table as Dapr's state.postgresql v2 makes it; values are
//! written by Dapr's own statement.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

#[path = "../scale/mod.rs"]
#[expect(dead_code, reason = "the benchmark needs more of it")]
mod many;

mod audit;
mod console;
mod dead_letters;
mod erasure;
mod fence;
mod firing;
mod guides;
mod index;
mod migration;
mod parked;
mod pause;
mod polling;
mod rearm;
mod restore;
mod retention;
mod scale;
mod stored;
mod support;
mod users;
mod watched;
