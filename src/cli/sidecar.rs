//! What a command is told of the sidecar that it works through.

use super::CliError;
use crate::config::{Secret, SidecarConfig};
use crate::dapr::outbound::Sidecar;
use clap::Args;
use reminder_contract::names;

/// How a sidecar of the service is reached.
#[derive(Args, Clone, Debug)]
pub(super) struct SidecarArgs {
    /// gRPC port of a Dapr sidecar of the service, on loopback
    #[arg(long, env = "DAPR_GRPC_PORT", default_value_t = names::DEFAULT_DAPR_GRPC_PORT)]
    dapr_grpc_port: u16,
    /// Token that the sidecar asks of us
    #[arg(long, env = "DAPR_API_TOKEN", hide_env_values = true, default_value = "")]
    dapr_api_token: String,
}

impl SidecarArgs {
    /// The sidecar, which need not answer yet; `pubsub` is the component of the broker.
    pub(super) fn connect(self, pubsub: String) -> Result<Sidecar, CliError> {
        Ok(Sidecar::new(&SidecarConfig {
            grpc_port: self.dapr_grpc_port,
            token: Secret::non_empty(self.dapr_api_token),
            state_store: names::STATE_STORE.into(),
            pubsub,
        })?)
    }
}
