//! Kafka end to end: a stack whose broker speaks TLS and asks for a password, and the tests on it.

use std::time::Duration;

use anyhow::Result;
use reminder_stack::{KafkaSecurity, Options};

use super::binaries::{outcome, run, together};
use super::parse::Binary;
use super::process::Log;
use super::work::Outcome;

/// Names the stack for the tests.
const INSTANCE_VARIABLE: &str = "KAFKA_INSTANCE";

/// Publishers on both of them, so that order is no matter of chance.
const REPLICAS: u32 = 2;

/// Half of them wait for the broker to notice that a consumer is gone.
const THREADS: &str = "4";

/// A limit that only something stuck reaches, on a slow machine.
const DEADLINE: Duration = Duration::from_secs(10 * 60);

/// The stack for it, beside the one of those options.
pub(super) fn options(of: Options) -> Options {
    let instance = format!("{}-kafka", of.instance);
    Options { instance, kafka_security: KafkaSecurity::SaslTls, replicas: REPLICAS, ..of }
}

/// Runs the tests on the stack of that name.
pub(super) async fn run_on(binary: &Binary, instance: &str, log: &Log) -> Result<Outcome> {
    let mut command = run(binary);
    command.env(INSTANCE_VARIABLE, instance).env("RUST_TEST_THREADS", THREADS);
    let (counts, failure) = outcome("kafka", command, log, DEADLINE).await?;
    Ok(together(counts, failure.as_slice()))
}
