//! The spans that trace contexts in events, headers and commands belong to. Where nothing is exported,
//! spans have no context, and texts are handed on as they came.

use crate::traceparent::Traceparent;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes a span a child of the one that a `traceparent` names; a text that is none is ignored.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        let parent = opentelemetry::Context::new().with_remote_span_context(parent);
        // It fails for spans that nobody exports, and there it does not matter.
        let _ = span.set_parent(parent);
    }
}

/// Links a span to the one that a `traceparent` names: it came to be because of it, but long after.
pub fn link_to(span: &Span, traceparent: &str) {
    if let Some(cause) = parse(traceparent) {
        span.add_link(cause);
    }
}

/// The `traceparent` by which others continue a span; `None` where it is not exported.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        Traceparent {
            trace_id: context.trace_id().to_string(),
            span_id: context.span_id().to_string(),
            flags: format!("{:02x}", context.trace_flags().to_u8()),
        }
        .to_string()
    })
}

/// The trace of a span that is exported and was chosen to be kept, for exemplars.
pub fn trace_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_sampled().then(|| context.trace_id().to_string())
}

/// The trace that a `traceparent` belongs to, for logs.
pub fn trace_id(traceparent: &str) -> Option<String> {
    Traceparent::parse(traceparent).map(|traceparent| traceparent.trace_id)
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let Traceparent { trace_id, span_id, flags } = Traceparent::parse(traceparent)?;
    Some(SpanContext::new(
        TraceId::from_hex(&trace_id).ok()?,
        SpanId::from_hex(&span_id).ok()?,
        TraceFlags::new(u8::from_str_radix(&flags, 16).ok()?),
        true,
        TraceState::NONE,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_span_that_nobody_exports_has_no_context() {
        let span = tracing::info_span!("turn");
        continue_from(&span, GOOD);
        link_to(&span, GOOD);
        assert_eq!((traceparent_of(&span), trace_of(&span)), (None, None));
    }
}
