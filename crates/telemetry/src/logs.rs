//! Logs to standard error: JSON for machines, or for people.

use std::io::IsTerminal;
use std::str::FromStr;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Pretty,
    /// One JSON object a line. The fields of the line are on top, those of the spans around it (such as
    /// `correlation.id`) under `span` and `spans`.
    Json,
}

/// A word that names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be pretty or json")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "pretty" => Ok(Self::Pretty),
            "json" => Ok(Self::Json),
            _ => Err(UnknownFormat),
        }
    }
}

/// Writes what `RUST_LOG` lets through, or else the given filter.
pub(crate) fn layer<S>(format: Format, default_filter: &str) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        Format::Pretty => {
            lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed()
        }
        Format::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    }
}
