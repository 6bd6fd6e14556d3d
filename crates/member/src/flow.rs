//! The flow that a call, an event and a log line belong to: a correlation id and a W3C trace.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use reminder_contract::CloudEvent;
use reminder_contract::cloud_event;
use reminder_telemetry::context;
use reminder_telemetry::traceparent::Traceparent;
use std::borrow::Cow;
use tracing::Span;
use uuid::Uuid;

/// The header that carries the correlation id, in and out.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("correlation-id");

/// The header that carries the trace, <https://www.w3.org/TR/trace-context/>.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Longest correlation id taken over from a caller, as the contract's commands have it.
const CORRELATION_ID_MAX_CHARS: usize = reminder_domain::limits::CORRELATION_MAX_CHARS;

/// The flag of a trace that is kept.
const SAMPLED: &str = "01";

/// What belongs together, across services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    correlation_id: String,
    trace: Traceparent,
}

impl Flow {
    /// A flow that begins here.
    pub fn fresh() -> Self {
        Self { correlation_id: Uuid::now_v7().to_string(), trace: fresh_trace() }
    }

    /// The flow of a call: what its headers lack, or say wrongly, begins here.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        Self::of(text(&CORRELATION_ID), text(&TRACEPARENT))
    }

    /// The flow that an event belongs to.
    pub fn of_event<D>(event: &CloudEvent<'_, D>) -> Self {
        Self::of(event.correlationid.as_deref(), event.traceparent.as_deref())
    }

    fn of(correlation_id: Option<&str>, traceparent: Option<&str>) -> Self {
        let usable = |id: &&str| {
            !id.is_empty()
                && id.chars().count() <= CORRELATION_ID_MAX_CHARS
                && id.chars().all(|c| c.is_ascii_graphic())
        };
        let correlation_id = correlation_id.filter(usable).map(str::to_owned);
        Self {
            correlation_id: correlation_id.unwrap_or_else(|| Uuid::now_v7().to_string()),
            trace: traceparent.and_then(Traceparent::parse).unwrap_or_else(fresh_trace),
        }
    }

    /// The same flow, one step further: what is done now is a child of what was done before.
    #[must_use]
    pub fn child(&self) -> Self {
        let Traceparent { trace_id, flags, .. } = self.trace.clone();
        let trace = Traceparent { trace_id, span_id: span_id(), flags };
        Self { correlation_id: self.correlation_id.clone(), trace }
    }

    /// One step further, with a span of its own around it. Where spans are exported, what is done
    /// now is a child of that span.
    pub fn begin(&self, name: &str) -> (Self, Span) {
        let span = self.span();
        span.record("otel.name", name);
        let own = context::traceparent_of(&span).and_then(|own| Traceparent::parse(&own));
        let child = match own {
            Some(trace) => Self { correlation_id: self.correlation_id.clone(), trace },
            None => self.child(),
        };
        (child, span)
    }

    /// Its correlation id.
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// The id of its trace.
    pub fn trace_id(&self) -> &str {
        &self.trace.trace_id
    }

    /// Its trace, as headers and events carry it.
    pub fn traceparent(&self) -> String {
        self.trace.to_string()
    }

    /// The headers of a call within the flow.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let pairs =
            [(CORRELATION_ID, self.correlation_id.clone()), (TRACEPARENT, self.traceparent())];
        for (name, text) in pairs {
            // Both are plain ASCII, or they would not have been taken over.
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// What an event of the flow says of it.
    pub fn event<'a>(&self, user_id: Option<&'a str>) -> cloud_event::Flow<'a> {
        cloud_event::Flow {
            correlation_id: Some(Cow::Owned(self.correlation_id.clone())),
            user_id: user_id.map(Cow::Borrowed),
            traceparent: Some(Cow::Owned(self.traceparent())),
        }
    }

    /// The span in which the flow's lines are logged; part of its trace.
    pub fn span(&self) -> Span {
        let span = tracing::info_span!(
            "flow",
            "otel.name" = tracing::field::Empty,
            "correlation.id" = %self.correlation_id,
            "trace.id" = %self.trace.trace_id,
            "event.id" = tracing::field::Empty,
            "event.type" = tracing::field::Empty,
            "task.id" = tracing::field::Empty,
            "link.trace.id" = tracing::field::Empty,
        );
        context::continue_from(&span, &self.traceparent());
        span
    }
}

fn fresh_trace() -> Traceparent {
    let trace_id = Uuid::new_v4().simple().to_string();
    Traceparent { trace_id, span_id: span_id(), flags: SAMPLED.to_owned() }
}

/// Half of a random id; its version bits keep it from being all zero.
fn span_id() -> String {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    format!("{high:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(correlation_id: &str, traceparent: &str) -> HeaderMap {
        let pairs = [(CORRELATION_ID, correlation_id), (TRACEPARENT, traceparent)];
        pairs.into_iter().map(|(name, text)| (name, HeaderValue::from_str(text).unwrap())).collect()
    }

    #[test]
    fn what_a_caller_says_goes_on_through_headers_and_events() {
        let flow = Flow::from_headers(&headers("order-7", PARENT));
        assert_eq!((flow.correlation_id(), flow.traceparent().as_str()), ("order-7", PARENT));
        assert_eq!(Flow::from_headers(&flow.headers()), flow);
        let told = flow.event(Some("ada"));
        assert_eq!(told.correlation_id.as_deref(), Some("order-7"));
        assert_eq!(told.traceparent.as_deref(), Some(PARENT));
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let flow = Flow::from_headers(&headers("order-7", PARENT));
        let child = flow.child();
        assert_eq!(child.trace_id(), flow.trace_id());
        assert_eq!(child.correlation_id(), "order-7");
        assert_ne!(child.traceparent(), flow.traceparent());
    }

    #[test]
    fn what_is_missing_or_wrong_begins_here() {
        let long = "x".repeat(CORRELATION_ID_MAX_CHARS + 1);
        let zero = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        for (id, parent) in [("", ""), (long.as_str(), zero), ("a b", "00-1-2-3"), ("", "ff-x")] {
            let flow = Flow::from_headers(&headers(id, parent));
            assert_ne!(flow.correlation_id(), id);
            assert!(Traceparent::parse(&flow.traceparent()).is_some());
            assert_ne!(flow.traceparent(), parent);
        }
        assert_ne!(Flow::fresh(), Flow::fresh());
    }
}
