//! Dapr: the only module that names the SDK.
//!
//! [`inbound`] is what the sidecar calls (the actor host), [`outbound`] what we call.

pub mod inbound;
pub mod outbound;
