//! What a call asks beside its body: the path, the query, the headers that every command may have.

use super::answer::Refusal;
use super::params::Params;
use super::precondition::Expected;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{ALLOW, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use reminder_contract::wire::parse_task_id;
use reminder_contract::{Problem, ProblemKind, rest};
use reminder_domain::ids::{CorrelationId, Person, ReminderId, Traceparent};
use reminder_domain::{TaskId, limits};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(rest::IDEMPOTENCY_KEY);
const CORRELATION_ID: HeaderName = HeaderName::from_static(rest::CORRELATION_ID);
const TRACEPARENT: HeaderName = HeaderName::from_static(rest::TRACEPARENT);

/// A call without its body.
#[derive(Debug)]
pub(in crate::http) struct Asked {
    path: Vec<(String, String)>,
    /// The query.
    pub(in crate::http) params: Params,
    /// What the headers say of a command.
    pub(super) meta: Meta,
    /// All of them.
    pub(in crate::http) headers: HeaderMap,
}

/// What a path means of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfUser {
    /// Everything.
    All,
    /// What the user prefers.
    Preferences,
    /// How the erasure stands.
    Erasure,
}

impl OfUser {
    /// The refusal of a method that it does not understand.
    pub(super) fn not_here(self) -> Response {
        let methods = match self {
            Self::All => "DELETE",
            Self::Preferences => "GET,HEAD,PUT",
            Self::Erasure => "GET,HEAD",
        };
        let detail = format!("of a user this understands {methods} only");
        let mut response =
            Refusal(Problem::new(ProblemKind::MethodNotAllowed, detail)).into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        response
    }
}

/// What the headers say of a command.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    pub(super) command_id: Option<CorrelationId>,
    pub(super) correlation_id: Option<CorrelationId>,
    pub(super) traceparent: Option<Traceparent>,
}

impl Meta {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        // A trace context that cannot be read is as good as none (W3C Trace Context §3.4).
        let traceparent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            command_id: name(headers, &IDEMPOTENCY_KEY)?,
            correlation_id: name(headers, &CORRELATION_ID)?,
            traceparent: traceparent.and_then(|text| Traceparent::parse(text).ok()),
        })
    }
}

fn name(headers: &HeaderMap, header: &HeaderName) -> Result<Option<CorrelationId>, Problem> {
    let parse = |text: &str| CorrelationId::parse(text).map_err(|error| error.to_string());
    let read = |value: &axum::http::HeaderValue| {
        value.to_str().map_err(|_| "must be visible ASCII characters".to_owned()).and_then(parse)
    };
    let found = headers.get(header).map(read).transpose();
    found.map_err(|reason| Problem::invalid(header.as_str(), &reason))
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|_| Problem::invalid("path", "must be UTF-8 text"))?;
        Ok(Self {
            path: path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            params: Params::of(parts.uri.query()),
            meta: Meta::of(&parts.headers)?,
            headers: std::mem::take(&mut parts.headers),
        })
    }
}

impl Asked {
    /// The task of the path.
    pub(in crate::http) fn task(&self) -> Result<TaskId, Problem> {
        parse_task_id(self.part("taskId"))
    }

    /// The reminder of the path.
    pub(super) fn reminder(&self) -> Result<ReminderId, Problem> {
        ReminderId::parse(self.part("reminderId"))
            .map_err(|error| Problem::invalid("reminderId", &error.to_string()))
    }

    /// The user of a path, and what of the user is meant; nothing: all. Whatever else the path says is
    /// part of the user: a sidecar hands `%2F` on as `/`.
    pub(super) fn of_user(&self) -> Result<(Person, OfUser), Problem> {
        let path = self.part("userPath");
        let (user, what) = match path.rsplit_once('/') {
            Some((user, "preferences")) => (user, OfUser::Preferences),
            Some((user, "erasure")) => (user, OfUser::Erasure),
            _ => (path, OfUser::All),
        };
        let user =
            Person::parse(user).map_err(|error| Problem::invalid("userId", &error.to_string()))?;
        Ok((user, what))
    }

    fn part(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// What the caller expects of the version.
    pub(super) fn expected(&self) -> Result<Expected, Problem> {
        Expected::of(&self.headers)
    }

    /// Takes the query whole: it has nothing to say.
    pub(in crate::http) fn without_query(&mut self) -> Result<(), Problem> {
        std::mem::take(&mut self.params).nothing_else()
    }

    /// Takes the query whole: it may say `ifPast`.
    pub(super) fn if_past(&mut self) -> Result<Option<String>, Problem> {
        let mut params = std::mem::take(&mut self.params);
        let if_past = params.take("ifPast")?;
        params.nothing_else().map(|()| if_past)
    }
}

/// Largest body of a command about one task.
pub(in crate::http) const COMMAND_MAX_BYTES: usize = limits::PAYLOAD_MAX_BYTES;
