//! The kinds of metrics beyond those of the library: ages, and histograms that lead to traces.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// One label with its value.
pub(super) type One = [(&'static str, &'static str); 1];
/// Two of them.
pub(super) type Two = [(&'static str, &'static str); 2];
/// Three of them.
pub(super) type Three = [(&'static str, &'static str); 3];
/// Durations by the name of what took them.
pub(super) type Durations = Family<One, Histogram, fn() -> Histogram>;

/// What leads from a bucket to the trace of one that fell into it.
pub(crate) type Exemplar = [(&'static str, String); 1];
/// Durations, some of them with their traces.
pub(super) type Traced = HistogramWithExemplars<Exemplar>;
/// The same by labels.
pub(super) type TracedBy<L> = Family<L, Traced, fn() -> Traced>;

/// The exemplar of a trace, if there is one.
pub(crate) fn exemplar(trace: Option<String>) -> Option<Exemplar> {
    trace.map(|id| [("trace_id", id)])
}

/// How long ago something began, in seconds, as of the scrape: it grows though nothing happens. 0 while
/// there is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Age(Arc<Mutex<Option<Instant>>>);

impl Age {
    /// Notes since when, or that there is nothing.
    pub(crate) fn since(&self, began: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = began;
    }

    fn seconds(&self) -> f64 {
        let began = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        began.map_or(0.0, |began| began.elapsed().as_secs_f64())
    }
}

impl TypedMetric for Age {
    const TYPE: MetricType = MetricType::Gauge;
}

impl EncodeMetric for Age {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&self.seconds())
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn an_age_grows_though_nothing_happens() {
        let age = Age::default();
        let is = |seconds: f64| (age.seconds() - seconds).abs() < 0.001;
        assert!(is(0.0));
        age.since(Some(Instant::now()));
        tokio::time::advance(Duration::from_secs(90)).await;
        assert!(is(90.0), "{}", age.seconds());
        age.since(None);
        assert!(is(0.0));
    }
}
