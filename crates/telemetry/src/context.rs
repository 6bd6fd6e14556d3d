//! W3C trace contexts as texts, as they stand in events, headers and commands, and the spans that they
//! belong to. Where nothing is exported, spans have no context, and texts are handed on as they came.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The version of the format that is read and written.
const VERSION: &str = "00";

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
        format!(
            "{VERSION}-{}-{}-{:02x}",
            context.trace_id(),
            context.span_id(),
            context.trace_flags().to_u8()
        )
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
pub fn trace_id(traceparent: &str) -> Option<&str> {
    parse(traceparent)?;
    traceparent.split('-').nth(1)
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let well_formed =
        version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    // Later versions may add parts, this one has none.
    if !well_formed || version == "ff" || (version == VERSION && parts.next().is_some()) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_known_by_its_id() {
        assert_eq!(trace_id(GOOD), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(
            trace_id(&GOOD.replacen("00", "cc", 1)),
            Some("4bf92f3577b34da6a3ce929d0e0e4736")
        );
    }

    #[test]
    fn what_is_no_trace_context_is_ignored() {
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_span_that_nobody_exports_has_no_context() {
        let span = tracing::info_span!("turn");
        continue_from(&span, GOOD);
        link_to(&span, GOOD);
        assert_eq!((traceparent_of(&span), trace_of(&span)), (None, None));
    }
}
