//! The outer HTTP server: probes, metrics, the REST edge, and the routes of the parts as they become ready.

pub mod health;
pub mod rest;
pub mod server;
