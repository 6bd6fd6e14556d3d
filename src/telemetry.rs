//! Logs: JSON or for people, with stable fields.

use crate::config::LogFormat;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "info";

/// What is logged when a person waits for the end of a command, and reads its output.
const FILTER_FOR_PEOPLE: &str = "warn";

/// Starts logging to standard error.
pub fn init(format: LogFormat) {
    start(format, DEFAULT_FILTER);
}

/// Starts logging to standard error, problems only.
pub fn init_for_people() {
    start(LogFormat::Pretty, FILTER_FOR_PEOPLE);
}

fn start(format: LogFormat, default_filter: &str) {
    // The `#[actor]` macro logs every call through `log` at info; what matters is logged by the
    // turn. (`log` is bridged to `tracing` by the subscriber.)
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Pretty => {
            let colours = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).init();
        }
        LogFormat::Json => registry
            .with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr))
            .init(),
    }
    log::set_max_level(log::LevelFilter::Warn);
}
