//! Settings of what the service is reached by, and of what it reaches.

use super::ConsoleMode;
use crate::read_model::StateTable;
use crate::tokens::settings::Settings as TokenSettings;
use reminder_telemetry::secret::Secret;
use std::net::SocketAddr;
use std::num::NonZeroU32;
/// Where we listen.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// What a caller must show, if anything.
    pub token: Option<Secret>,
    /// What a direct caller of the REST edge must show, if anything.
    pub rest_token: Option<Secret>,
    /// Which tokens of an identity provider it may show instead, if any.
    pub tokens: Option<TokenSettings>,
    /// Under which names besides those of this host callers without a token are answered.
    pub rest_hosts: Vec<String>,
    /// Calls of the REST edge that each caller may make a second, if that is bounded.
    pub rest_rate: Option<NonZeroU32>,
    /// What the console offers.
    pub console: ConsoleMode,
}

/// How the sidecar is reached and what its components are called.
#[derive(Clone, Debug)]
pub struct SidecarConfig {
    /// Its gRPC port on loopback.
    pub grpc_port: u16,
    /// What we show it, if anything.
    pub token: Option<Secret>,
    /// The actor state store.
    pub state_store: String,
    /// The broker.
    pub pubsub: String,
}

/// The database behind the actor state store.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Its URL.
    pub url: Secret,
    /// The state store's table.
    pub state_table: StateTable,
}
