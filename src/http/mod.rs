//! The outer HTTP server: probes, metrics, and the routes of the parts as they become ready.

pub mod health;
pub mod server;
pub mod watch;
