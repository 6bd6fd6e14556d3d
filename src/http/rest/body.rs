//! Bodies of calls: their type, size and depth; and the bodies of actor methods made of them.

use super::asked::Meta;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reminder_contract::rest::JSON_DEPTH_MAX;
use reminder_contract::{Problem, ProblemKind};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// How long a body may take to come.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Reads a body of that type.
pub(in crate::http) async fn read(
    headers: &HeaderMap,
    body: Body,
    media_type: &str,
    max: usize,
) -> Result<Bytes, Problem> {
    let bytes = read_any(headers, body, max).await?;
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(media_type) || (bytes.is_empty() && essence.is_empty()) {
        return Ok(bytes);
    }
    let detail = format!("the body must be {media_type}, but is {essence:?}");
    Err(Problem::new(ProblemKind::UnsupportedMediaType, detail))
}

async fn read_any(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Problem> {
    let told = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if let Some(told) = told.filter(|told| *told > max) {
        return Err(Problem::too_large(told, max));
    }
    match tokio::time::timeout(BODY_DEADLINE, axum::body::to_bytes(body, max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // A caller who hung up reads no answer, so it can only have been too much.
        Ok(Err(_)) => {
            let detail = format!("the body must be at most {max} bytes");
            Err(Problem::new(ProblemKind::PayloadTooLarge, detail))
        }
        Err(_) => {
            let detail = format!("the body must come within {BODY_DEADLINE:?}");
            Err(Problem::new(ProblemKind::RequestTimeout, detail))
        }
    }
}

/// Checks that a body is JSON, and not nested beyond measure.
pub(in crate::http) fn json(body: &[u8]) -> Result<&RawValue, Problem> {
    let malformed = |detail: String| Problem::new(ProblemKind::MalformedJson, detail);
    if depth(body) > JSON_DEPTH_MAX {
        let detail = format!("the body must be nested at most {JSON_DEPTH_MAX} levels deep");
        return Err(malformed(detail));
    }
    serde_json::from_slice(body)
        .map_err(|error| malformed(format!("the body is not JSON: {error}")))
}

/// The fields of an object, as they stand in its text; nothing at all counts as an empty one.
pub(super) fn fields(body: &[u8]) -> Result<&str, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok("");
    }
    let text = json(body)?.get();
    let fields = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    fields
        .map(str::trim)
        .ok_or_else(|| Problem::new(ProblemKind::InvalidInput, "the body must be an object"))
}

/// How deep brackets are nested, those in strings aside.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The body of an actor method, written field by field.
pub(super) struct MethodBody(String);

impl MethodBody {
    /// One of a command to a task: on whose behalf, and what the headers say.
    pub(super) fn command(meta: &Meta, if_version: Option<u64>) -> Self {
        Self::question(meta).said(meta, if_version)
    }

    /// One of a question about a task: on whose behalf.
    pub(super) fn question(meta: &Meta) -> Self {
        let mut body = Self::empty();
        body.optional("asUser", meta.as_user.as_ref());
        body
    }

    /// One of a command to a user, who is who the caller may be.
    pub(super) fn to_user(meta: &Meta, if_version: Option<u64>) -> Self {
        Self::empty().said(meta, if_version)
    }

    /// Adds what the headers say.
    fn said(self, meta: &Meta, if_version: Option<u64>) -> Self {
        let mut body = self;
        body.optional("commandId", meta.command_id.as_ref());
        body.optional("ifVersion", if_version.as_ref());
        body.optional("correlationId", meta.correlation_id.as_ref());
        body.optional("traceparent", meta.traceparent.as_ref());
        body
    }

    /// One that says nothing.
    pub(super) fn empty() -> Self {
        Self(String::from("{"))
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        self.optional(name, Some(value));
        self
    }

    /// Adds a field if there is one.
    pub(super) fn optional(&mut self, name: &str, value: Option<&(impl Serialize + ?Sized)>) {
        let Some(value) = value else { return };
        let value = serde_json::to_string(value).expect("texts, numbers and JSON always serialise");
        self.push(&format!("\"{name}\":{value}"));
    }

    /// Adds the fields of an object as the caller wrote them.
    pub(super) fn with_fields(mut self, fields: &str) -> Self {
        if !fields.is_empty() {
            self.push(fields);
        }
        self
    }

    fn push(&mut self, text: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(text);
    }

    /// The body.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_the_brackets() {
        assert_eq!(depth(br#"{"a":[{"b":"[[[\"[["}]}"#), 3);
        assert_eq!(depth(b"7"), 0);
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(json(deep(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(json(deep(JSON_DEPTH_MAX + 1).as_bytes()).is_err());
        // Far beyond what a recursive reader would survive.
        assert!(json("[".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn fields_are_what_stands_between_the_braces() {
        assert_eq!(fields(b" ").unwrap(), "");
        assert_eq!(fields(b" { } ").unwrap(), "");
        assert_eq!(fields(br#"{"a":{"b":1}, "c":2 }"#).unwrap(), r#""a":{"b":1}, "c":2"#);
        for other in [&b"[]"[..], b"7", b"null", br#"{"a":1}}"#, b"{\"a\":1},{\"b\":2}"] {
            assert!(fields(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_method_body_is_one_object() {
        let body = MethodBody::empty().with("count", &7).with_fields("\"a\":1,\"b\":[2]");
        assert_eq!(body.into_bytes(), br#"{"count":7,"a":1,"b":[2]}"#);
        assert_eq!(MethodBody::empty().with_fields("").into_bytes(), b"{}");
    }
}
