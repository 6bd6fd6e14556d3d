//! A collector of spans, for whoever wants to see what the services of a stack export: OTLP over gRPC,
//! on loopback, kept in memory.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Spans kept at most; further ones are dropped.
const SPANS_MAX: usize = 200_000;

/// One span, as far as it is of interest.
#[derive(Clone, Debug)]
pub struct Span {
    /// The service that it belongs to.
    pub service: String,
    /// What was done.
    pub name: String,
    /// The trace, in hexadecimal.
    pub trace: String,
    /// The span, in hexadecimal.
    pub id: String,
    /// The span that it is part of; empty: none.
    pub parent: String,
    /// The traces and spans that led to it.
    pub links: Vec<(String, String)>,
    /// Its attributes, as text.
    pub attributes: Vec<(String, String)>,
    /// When it began, in nanoseconds since 1970.
    pub began_ns: u64,
    /// When it ended, in nanoseconds since 1970.
    pub ended_ns: u64,
}

impl Span {
    /// One of its attributes.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// What was collected so far. It stops listening when it is dropped.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    spans: Kept,
    server: JoinHandle<Result<(), tonic::transport::Error>>,
}

type Kept = Arc<Mutex<Vec<Span>>>;

impl Collector {
    /// Listens on a free port.
    pub async fn start() -> Result<Self> {
        Self::at(0).await
    }

    /// Listens on the port that services were told before.
    pub async fn at(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let spans = Kept::default();
        let service = TraceServiceServer::new(Sink(Arc::clone(&spans)));
        let serving = Server::builder().add_service(service);
        let incoming = TcpIncoming::from(listener);
        let server = tokio::spawn(serving.serve_with_incoming(incoming));
        Ok(Self { port, spans, server })
    }

    /// What services are told as `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The spans that came until now.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Sink(Kept);

#[tonic::async_trait]
impl TraceService for Sink {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|resource| texts(resource.attributes));
            let name = attributes.and_then(|all| {
                all.into_iter().find(|(key, _)| key == "service.name").map(|(_, value)| value)
            });
            let service = name.unwrap_or_default();
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                if kept.len() >= SPANS_MAX {
                    break;
                }
                let links = span.links.iter();
                kept.push(Span {
                    service: service.clone(),
                    name: span.name,
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    links: links.map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
                    attributes: texts(span.attributes),
                    began_ns: span.start_time_unix_nano,
                    ended_ns: span.end_time_unix_nano,
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn texts(attributes: Vec<KeyValue>) -> Vec<(String, String)> {
    attributes.into_iter().map(|one| (one.key, one.value.map(text).unwrap_or_default())).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |text, byte| {
        let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        text + &digits.into_iter().flatten().collect::<String>()
    })
}
