//! The flow that a command belongs to: what its headers say of it.

use axum::http::HeaderMap;
use reminder_domain::Origin;
use reminder_domain::ids::{CorrelationId, Traceparent};

/// Adds what the headers say of a command's flow, and names it where nobody did.
pub(super) fn complete(origin: &mut Origin, headers: &HeaderMap) {
    if origin.traceparent.is_none() {
        origin.traceparent = traceparent(headers);
    }
    origin.correlation_id.get_or_insert_with(new_correlation_id);
}

fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    Traceparent::parse(text).ok()
}

/// A name for a flow that nobody named.
pub(crate) fn new_correlation_id() -> CorrelationId {
    let id = uuid::Uuid::now_v7().to_string();
    CorrelationId::parse(id).expect("a UUID is visible ASCII")
}
