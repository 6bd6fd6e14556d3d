//! The real turn machine, core and outbox against a simulated world, with a fault at every step.
//!
//! One actor, one process at a time, virtual time: every effect of every turn of a script is made to
//! fail in every way in turn (and then every pair of them), and the same promises must hold.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test binary")]

mod calls;
mod faults;
mod scripts;
mod store;
mod world;
