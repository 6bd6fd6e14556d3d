//! The outbox: committed events on their way to the broker, in order per task and topic.
//!
//! [`lanes`] is the policy, without I/O: which event goes out next, what is retried when, and how
//! far this process's commits are published ([`watermark`](lanes::Outbox::watermark)). [`backoff`]
//! decides how long to wait after failures. [`publisher`] is the loop that talks to the broker; [`shared`] is
//! what turns see of it.

pub mod backoff;
pub mod lanes;
mod measure;
pub mod publisher;
pub mod shared;
