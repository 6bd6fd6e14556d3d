//! Spans, exported by OTLP over gRPC.

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// How long one batch of spans may take. They are dropped then: a collector must not hold up anything.
const EXPORT_DEADLINE: Duration = Duration::from_secs(3);

/// The endpoint for spans cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent to {endpoint}: {source}")]
pub struct ExportError {
    endpoint: String,
    source: ExporterBuildError,
}

/// Where spans go. Dropping it sends the last ones.
#[derive(Debug, Default)]
pub struct Export {
    provider: Option<SdkTracerProvider>,
}

impl Export {
    /// Sends spans to an endpoint, in batches, from a thread of its own. Must be called within a tokio
    /// runtime.
    pub(crate) fn to(endpoint: &str, service: &'static str) -> Result<Self, ExportError> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_DEADLINE)
            .build()
            .map_err(|source| ExportError { endpoint: endpoint.to_owned(), source })?;
        let name = KeyValue::new("service.name", service);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_attribute(name).build())
            .build();
        Ok(Self { provider: Some(provider) })
    }

    /// What turns spans of `tracing` into exported ones; nothing, where nothing is exported.
    pub(crate) fn layer<S>(&self) -> Option<impl Layer<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.provider.as_ref()?.tracer("reminder-scheduler");
        Some(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(LevelFilter::INFO))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take()
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}
