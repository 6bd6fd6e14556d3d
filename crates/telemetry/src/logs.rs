//! Logs to standard error: JSON for machines, or for people; and what is logged, which may change.

use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::Arc;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;

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

/// Why another filter does not hold.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// It is none.
    #[error("the filter {filter:?} cannot be used: {source}")]
    Invalid {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Nothing is logged any more.
    #[error("the logs have ended")]
    Ended,
}

/// What is logged, by module and level. It can be changed while the process runs.
#[derive(Clone)]
pub struct LogFilter {
    /// As it was at the start.
    original: String,
    set: Arc<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>,
}

impl LogFilter {
    /// Lets through what `filter` says from now on, such as `info,reminder_scheduler::turn=debug`.
    ///
    /// # Errors
    /// When it is no filter; then what held before goes on.
    pub fn set(&self, filter: &str) -> Result<(), FilterError> {
        let invalid = |source| FilterError::Invalid { filter: filter.to_owned(), source };
        let filter = EnvFilter::builder().parse(filter).map_err(invalid)?;
        (self.set)(filter).map_err(|_| FilterError::Ended)
    }

    /// What held at the start: `RUST_LOG`, or the default.
    pub fn original(&self) -> &str {
        &self.original
    }
}

impl std::fmt::Debug for LogFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFilter").field("original", &self.original).finish_non_exhaustive()
    }
}

/// Writes what `RUST_LOG` lets through, or else the given filter; until that is changed.
pub(crate) fn layer<S>(format: Format, default_filter: &str) -> (impl Layer<S>, LogFilter)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let given = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let parsed = (!given.is_empty()).then(|| EnvFilter::try_new(&given).ok()).flatten();
    let (filter, original) = match parsed {
        Some(filter) => (filter, given),
        None => (EnvFilter::new(default_filter), default_filter.to_owned()),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let set = Arc::new(move |filter| handle.reload(filter));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        Format::Pretty => {
            lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter).boxed()
        }
        Format::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    (layer, LogFilter { original, set })
}
