//! End to end: the service on the real runtime, seen only through its actor API and Kafka.
//!
//! `E2E_INSTANCE` names a running stack, as `cargo xtask test` sets it. By hand:
//!
//! ```text
//! cargo xtask up --instance e2e --env ARM_HORIZON=40s
//! E2E_INSTANCE=e2e RUST_TEST_THREADS=16 cargo test --features e2e --test e2e
//! ```
//!
//! Most of the time goes by waiting for due times, so more threads than cores pay off.
//! Tests that only use the stack share it; one that kills a part has it for itself, and whatever
//! it left broken is mended before the next one begins ([`suite`]). A consumer of its own reads
//! every event of the run and checks what must hold of each ([`journal`]).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod api;
mod erasure;
mod event;
mod guide;
mod journal;
#[path = "../docs/pages.rs"]
#[expect(dead_code, reason = "what only tests/docs needs")]
mod pages;
mod process;
mod proxy;
mod reader;
mod suite;

mod audit;
mod backup;
mod broker;
mod commands;
mod configuration;
mod control_plane;
mod database;
mod dead_letters;
mod doctor;
mod export;
mod firing;
mod health;
mod identity;
mod ingest;
mod ingest_failures;
mod logs;
mod migrate;
mod operations;
mod overload;
mod pause;
mod pause_command;
mod preferences;
mod quotas;
mod recurring;
mod refusals;
mod replicas;
mod rest;
mod rest_lists;
mod rest_observed;
mod rest_refusals;
mod restarts;
mod retention;
mod ringing;
mod runtime_facts;
mod secrets;
mod shutdown;
mod startup;
mod stops;
mod subscriptions;
mod tail;
mod task_command;
mod traces;
mod tutorial;
mod versions;
