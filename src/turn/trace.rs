//! The span of a turn: a child of the command that asked for it, or the start of a trace of its own,
//! with a link to the command that scheduled what fires.

use super::effect::{Handover, Request};
use reminder_domain::TaskId;
use reminder_domain::ids::Traceparent;
use reminder_telemetry::context;
use tracing::Span;
use tracing::field::Empty;

/// The span of one turn. A command goes on in it: its events name the turn as their parent.
pub(super) fn begin(id: &TaskId, request: &mut Request) -> Span {
    let span = tracing::info_span!(
        "turn",
        otel.name = name(request),
        task.id = %id,
        correlation.id = Empty,
        trace.id = Empty,
    );
    if let Request::Command(command) = request {
        let origin = &mut command.origin;
        if let Some(correlation) = &origin.correlation_id {
            span.record("correlation.id", correlation.as_str());
        }
        if let Some(parent) = &origin.traceparent {
            context::continue_from(&span, parent.as_str());
        }
        if let Some(own) = own(&span) {
            origin.traceparent = Some(own);
        }
        let trace = origin.traceparent.as_ref().and_then(|own| context::trace_id(own.as_str()));
        if let Some(trace) = trace {
            span.record("trace.id", trace);
        }
    }
    span
}

/// The trace context of a span that is exported.
pub(super) fn own(span: &Span) -> Option<Traceparent> {
    let own = context::traceparent_of(span)?;
    Traceparent::parse(own).ok()
}

/// Notes in the present span what was committed, and which flow it belongs to.
pub(super) fn committed(handovers: &[Handover]) {
    let span = Span::current();
    let new = handovers.iter().filter(|one| one.commit().at == one.state().updated_at);
    for commit in new.map(Handover::commit) {
        let origin = &commit.origin;
        if let Some(correlation) = &origin.correlation_id {
            span.record("correlation.id", correlation.as_str());
        }
        if let (Some(own), Some(cause)) = (&commit.trace, &origin.traceparent) {
            context::link_to(&span, cause.as_str());
            span.record("trace.id", context::trace_id(own.as_str()));
        }
        tracing::debug!(events = commit.events.len(), "committed");
    }
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Get => "get",
        Request::Command(command) => command.kind.name(),
        Request::Refresh => "refresh",
        Request::Purge(_) => "purge",
        Request::Erase(_) => "erase",
        Request::Wake => "wake",
        Request::Settle { .. } => "settle",
    }
}
