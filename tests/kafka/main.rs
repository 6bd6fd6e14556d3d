//! Kafka end to end, over TLS and with a password: sizes, order, consumer groups, dead letters, security
//! and latency.
//!
//! `KAFKA_INSTANCE` names a running stack, as `cargo xtask test` sets it. By hand:
//!
//! ```text
//! cargo xtask up --instance broker --kafka-security sasl-tls --replicas 2
//! KAFKA_INSTANCE=broker cargo test --features e2e --test kafka
//! ```
//!
//! Consumers are sidecars of the tests' own ([`sidecar`]) with a small application in front
//! ([`subscriber`]), or read the broker without Dapr. No test disturbs another: each has tasks, groups
//! and app ids of its own, and none hurts a part of the stack.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod sidecar;
mod subscriber;
mod suite;

mod dead_letters;
mod groups;
mod latency;
mod order;
mod security;
mod sizes;
