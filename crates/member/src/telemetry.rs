//! Logs and traces, as the scheduler has them.
//!
//! What happens within a [`crate::Flow`] is logged in its span, so that each line tells the flow's
//! `correlation.id` and `trace.id`, and the span is part of the trace.

use crate::config::MemberConfig;
use reminder_telemetry::traces::{Export, ExportError};
use reminder_telemetry::{Settings, init};

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "info";

/// Starts logs and traces of a member. What is returned sends the last spans when it is dropped.
///
/// # Errors
/// When the endpoint for spans cannot be used.
pub fn start(service: &'static str, config: &MemberConfig) -> Result<Export, ExportError> {
    let format = config.log_format;
    let otlp_endpoint = config.otlp_endpoint.clone();
    let settings = Settings { service, format, default_filter: DEFAULT_FILTER, otlp_endpoint };
    init(&settings).map(|telemetry| telemetry.spans)
}
