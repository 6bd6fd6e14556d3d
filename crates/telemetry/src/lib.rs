//! Logs and traces, the same for every service of the mesh.
//!
//! | Module | Holds |
//! |---|---|
//! | [`logs`] | JSON or for people, to standard error |
//! | [`traces`] | export by OTLP, where an endpoint is given |
//! | [`traceparent`] | W3C trace contexts as texts: in events, headers and commands |
//! | [`context`] | the spans that they belong to |
//! | [`secret`] | what must not show up in logs |
//! | [`panics`] | panics as lines of the log, without what was at hand |

pub mod context;
pub mod logs;
pub mod panics;
pub mod secret;
pub mod traceparent;
pub mod traces;

use crate::logs::{Format, LogFilter};
use crate::traces::{Export, ExportError};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How a process tells of itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name in traces.
    pub service: &'static str,
    /// How logs are written.
    pub format: Format,
    /// What is logged unless `RUST_LOG` says otherwise.
    pub default_filter: &'static str,
    /// Where spans go, an OTLP/gRPC endpoint such as `http://127.0.0.1:4317`; `None`: nowhere.
    pub otlp_endpoint: Option<String>,
}

/// Logs and traces that were started.
#[derive(Debug)]
pub struct Telemetry {
    /// Sends the last spans when it is dropped.
    pub spans: Export,
    /// What is logged.
    pub filter: LogFilter,
}

/// Starts logging, of panics as well, and tracing where it is asked for.
///
/// # Errors
/// When the endpoint for spans cannot be used. Nothing is logged yet then.
pub fn init(settings: &Settings) -> Result<Telemetry, ExportError> {
    panics::install();
    let spans = match &settings.otlp_endpoint {
        Some(endpoint) => Export::to(endpoint, settings.service)?,
        None => Export::default(),
    };
    let (lines, filter) = logs::layer(settings.format, settings.default_filter);
    tracing_subscriber::registry().with(lines).with(spans.layer()).init();
    // The `#[actor]` macro of Dapr's SDK logs every call through `log` at info, which says nothing
    // that our own lines do not say. (`log` is bridged to `tracing` by the subscriber.)
    log::set_max_level(log::LevelFilter::Warn);
    Ok(Telemetry { spans, filter })
}
