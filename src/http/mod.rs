//! The outer HTTP server: probes, metrics, the REST edge, the console, and the routes of the parts as they become ready.

pub mod console;
mod guard;
pub mod health;
pub mod rest;
pub mod server;
pub mod watch;

use crate::config::ServerConfig;
use crate::tokens::Tokens;
use axum::Router;
use std::sync::Arc;

/// What people and services call: the REST edge and the console, by the same rules of who may.
pub fn edge(
    rest: rest::Rest,
    console: console::Console,
    server: &ServerConfig,
    tokens: Option<Arc<Tokens>>,
) -> Router {
    let access = Arc::new(rest::access::Access::new(server, tokens));
    let hosts = guard::Hosts::of(server);
    let console = console::routes(console, &access, hosts.clone());
    rest::observe::observed(rest::routes(rest, &access, hosts, server.rest_rate).merge(console))
}
