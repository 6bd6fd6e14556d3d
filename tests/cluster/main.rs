//! Kubernetes and Prometheus without either: overlays as kustomize renders them, judged by the schemas of
//! Kubernetes, Dapr, Strimzi and the Prometheus operator; every name in them; the `kubectl` lines of the pages, by
//! kubectl; and alerts and the dashboard, judged by Prometheus' own tools against the scrape of a running service.
//!
//! `CLUSTER_INSTANCE` names a running stack, as `cargo xtask test` sets it. By hand:
//!
//! ```text
//! cargo xtask up --instance cluster
//! CLUSTER_INSTANCE=cluster cargo test --features e2e --test cluster
//! ```
//!
//! The tools come from the registries of their languages, with pinned versions, once ([`tools`]).

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "../manifests/command.rs"]
mod command;
#[path = "../manifests/documents.rs"]
#[expect(dead_code, reason = "what only tests/manifests needs")]
mod documents;
#[path = "../docs/lines.rs"]
mod lines;
#[path = "../docs/pages.rs"]
#[expect(dead_code, reason = "what only tests/docs needs")]
mod pages;
#[path = "../manifests/python.rs"]
mod python;

mod alerts;
mod dapr;
mod kubectl;
mod promql;
mod references;
mod render;
mod runbook;
mod schemas;
mod scrape;
mod tools;
