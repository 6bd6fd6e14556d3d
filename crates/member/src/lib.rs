//! What the example services around the scheduler share, and nothing of what they are about.
//!
//! | Module | Holds |
//! |---|---|
//! | [`config`], [`secrets`] | the settings that every member has; secrets as they are given |
//! | [`telemetry`] | logs with stable fields |
//! | [`flow`] | the correlation id and the trace that a call, an event and a log line belong to |
//! | [`sidecar`] | what a member asks of its Dapr sidecar, and through it of the scheduler |
//! | [`subscribe`] | what the sidecar delivers: events, typed, with the answers that Dapr knows |
//! | [`server`] | the HTTP server: probes, the sidecar's token, a graceful end |
//! | [`clock`] | the time, as the contract writes it |

pub mod clock;
pub mod config;
pub mod flow;
pub mod secrets;
pub mod server;
pub mod sidecar;
pub mod subscribe;
pub mod telemetry;

pub use config::{MemberArgs, MemberConfig, Secret};
pub use flow::Flow;
pub use sidecar::{Sidecar, SidecarError};
pub use subscribe::{Delivered, Outcome, Subscriptions};
