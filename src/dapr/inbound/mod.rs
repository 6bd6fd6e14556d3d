//! What the sidecar calls: the actor host.
//!
//! [`actor`] is the `TaskActor` as the SDK sees it, [`user_actor`] the `UserActor`; [`registry`] keeps actors alive as long as the
//! SDK may still use them, [`reply`] writes answers so that they reach the caller untouched, and
//! [`routes`] puts it all behind a router of our own; [`subscriptions`] is what it delivers of the broker,
//! [`dead_letters`] what lies on the dead-letter topics. [`near`] has tasks that live here follow events
//! without a call. `flow` is what headers say of the flow that a command belongs to, `behalf`
//! what a user is told of a task whose state cannot be used.

pub mod actor;
mod argument;
mod behalf;
pub mod dead_letters;
pub(crate) mod flow;
pub mod internal;
pub mod job;
pub mod near;
pub mod registry;
pub mod reply;
pub mod routes;
pub mod subscriptions;
pub mod user_actor;
