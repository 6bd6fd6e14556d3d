//! The mesh: the scheduler and the services around it on the real runtime, seen only through their
//! APIs, their events and their logs.
//!
//! `MESH_INSTANCE` names a running stack with all members, as `cargo xtask test` sets it. By hand:
//!
//! ```text
//! cargo xtask up --all --instance mesh
//! MESH_INSTANCE=mesh cargo test --features e2e --test mesh
//! ```

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod suite;

mod flow;
mod front;
mod notify;
mod todo;
