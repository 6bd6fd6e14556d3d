//! The outer HTTP server: probes, metrics, the REST edge, the console, and the routes of the parts as they become ready.

pub mod console;
pub mod health;
pub mod rest;
pub mod server;
pub mod watch;
