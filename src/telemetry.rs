//! Logs and traces of this service.

mod follow;

use reminder_contract::names::APP_ID;
use reminder_telemetry::logs::Format;
use reminder_telemetry::traces::{Export, ExportError};
use reminder_telemetry::{Settings, init};
use std::path::PathBuf;

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "info";

/// What is logged when a person waits for the end of a command, and reads its output.
const FILTER_FOR_PEOPLE: &str = "warn";

/// How the service tells of itself.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// How logs are written.
    pub log_format: Format,
    /// Where spans go, an OTLP/gRPC endpoint; `None`: nowhere.
    pub otlp_endpoint: Option<String>,
    /// What is logged, while the process runs: a file that is read again and again.
    pub log_filter_file: Option<PathBuf>,
}

/// Starts logs and traces of the service. What is returned sends the last spans when it is dropped. Must
/// be called within a tokio runtime.
///
/// # Errors
/// When the endpoint for spans cannot be used.
pub fn start(config: &TelemetryConfig) -> Result<Export, ExportError> {
    let telemetry = init(&Settings {
        service: APP_ID,
        format: config.log_format,
        default_filter: DEFAULT_FILTER,
        otlp_endpoint: config.otlp_endpoint.clone(),
    })?;
    if let Some(file) = config.log_filter_file.clone() {
        tokio::spawn(follow::follow(file, telemetry.filter));
    }
    Ok(telemetry.spans)
}

/// Starts logging problems only, for a person.
pub fn init_for_people() {
    let (service, format) = (APP_ID, Format::Pretty);
    let settings =
        Settings { service, format, default_filter: FILTER_FOR_PEOPLE, otlp_endpoint: None };
    // Without an endpoint there is nothing that could be wrong with it.
    drop(init(&settings));
}
