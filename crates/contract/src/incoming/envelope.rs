//! From the bytes of a record to the innermost envelope and its data.

use super::{Incoming, Unreadable, task};
use crate::canary::CANARY_SOURCE;
use crate::cloud_event::{EventType, SOURCE};
use crate::dead_letter::Reason;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reminder_domain::Origin;
use reminder_domain::ids::{CorrelationId, Traceparent};
use serde_json::{Map, Value};

/// The type that the sidecar gives to what is no event yet.
const WRAPPED_BY_DAPR: &str = "com.dapr.event.sent";

/// How many envelopes may lie in one another: the publisher's own, one by its SDK, one by the sidecar.
const NESTED_MAX: usize = 3;

/// Longest id and type that are kept, in characters; they are told in headers and logs.
const NAME_MAX_CHARS: usize = 256;

/// The innermost envelope, or none around a bare task.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) id: Option<String>,
    pub(super) correlation_id: Option<String>,
    source: Option<String>,
    event_type: Option<String>,
    traceparent: Option<String>,
    data: Option<Value>,
}

impl Envelope {
    /// Opens the bytes of a record.
    pub(super) fn open(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut outer = Self::default();
        let mut object = object(bytes, "the event")?;
        for _ in 0..NESTED_MAX {
            if !is_envelope(&object) {
                outer.data = Some(Value::Object(object));
                return Ok(outer);
            }
            outer = Self::take(&mut object, outer);
            match content(&mut object).map_err(|unreadable| unreadable.about(&outer))? {
                Some(Value::Object(inner)) if is_envelope(&inner) => object = inner,
                data => {
                    outer.data = data;
                    return Ok(outer);
                }
            }
        }
        let detail = format!("the event lies in more than {NESTED_MAX} envelopes");
        Err(Unreadable::new(Reason::Malformed, detail).about(&outer))
    }

    /// The attributes of an envelope; what it does not say, the one around it may.
    fn take(object: &mut Map<String, Value>, outer: Self) -> Self {
        let mut text = |name: &str| match object.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Self {
            id: text("id").or(outer.id),
            correlation_id: text("correlationid").or(outer.correlation_id),
            source: text("source").or(outer.source),
            event_type: text("type").or(outer.event_type),
            traceparent: text("traceparent").or_else(|| text("traceid")).or(outer.traceparent),
            data: None,
        }
    }

    /// What it comes to.
    pub(super) fn incoming(&self) -> Result<Incoming, Unreadable> {
        if matches!(self.source.as_deref(), Some(SOURCE | CANARY_SOURCE)) {
            return Ok(Incoming::Own);
        }
        let told = match self.event_type.as_deref() {
            None | Some(WRAPPED_BY_DAPR) => task::Told::Snapshot,
            Some(name) => match EventType::parse(name) {
                Some(EventType::TaskDeleted) => task::Told::Deleted,
                Some(EventType::TaskCompleted) => task::Told::Completed,
                Some(
                    EventType::TaskCreated
                    | EventType::TaskUpdated
                    | EventType::TaskStatusChanged
                    | EventType::TaskDueDateChanged,
                ) => task::Told::Snapshot,
                _ => return Ok(Incoming::Unknown { event_type: clipped(name) }),
            },
        };
        let data = self.data.as_ref().filter(|data| !data.is_null());
        let data = data.ok_or_else(|| Unreadable::invalid("data", "is missing"))?;
        let news = task::read(told, data, self.source.as_deref(), self.id.as_deref())?;
        let news = task::TaskNews { command: news.command.in_flow(self.origin()), ..news };
        Ok(Incoming::Task(Box::new(news)))
    }

    /// The flow as far as it can be used: an event is not refused for a trace that is none.
    fn origin(&self) -> Origin {
        let correlation_id = self.correlation_id.as_ref();
        let traceparent = self.traceparent.as_ref();
        Origin {
            correlation_id: correlation_id.and_then(|id| CorrelationId::parse(id.as_str()).ok()),
            traceparent: traceparent.and_then(|text| Traceparent::parse(text.as_str()).ok()),
        }
    }
}

/// An envelope says what specification it follows; a task never does.
fn is_envelope(object: &Map<String, Value>) -> bool {
    object.contains_key("specversion")
        || (object.contains_key("source") && object.contains_key("type"))
}

/// The data of an envelope, decoded until it is JSON.
fn content(object: &mut Map<String, Value>) -> Result<Option<Value>, Unreadable> {
    if let Some(encoded) = object.remove("data_base64") {
        let Value::String(encoded) = encoded else {
            return Err(Unreadable::invalid("data_base64", "must be a string"));
        };
        let bytes = STANDARD.decode(encoded).map_err(|error| {
            Unreadable::invalid("data_base64", &format!("is not base64: {error}"))
        })?;
        return self::object(&bytes, "data_base64").map(Value::Object).map(Some);
    }
    match object.remove("data") {
        Some(Value::String(text)) => {
            self::object(text.as_bytes(), "data").map(Value::Object).map(Some)
        }
        data => Ok(data),
    }
}

fn object(bytes: &[u8], what: &str) -> Result<Map<String, Value>, Unreadable> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Unreadable::new(Reason::Malformed, format!("{what} must be a JSON object"))),
        Err(error) => {
            Err(Unreadable::new(Reason::Malformed, format!("{what} is not JSON: {error}")))
        }
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(NAME_MAX_CHARS).collect()
}
