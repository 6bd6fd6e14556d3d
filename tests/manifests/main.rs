//! Checks of everything that is packaged, without a cluster and without Docker: that the files
//! parse, that they use only what Dapr and Kubernetes know, and that every name, port, path, topic
//! and grace period agrees with the code and with the other files.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod broker;
mod command;
mod compose;
mod dapr;
mod deployment;
mod documents;
mod image;
mod kubernetes;
mod members;
mod monitoring;
mod parse;
mod python;
mod scripts;
mod secrets;
mod sidecar;
mod subscription;
mod topics;
