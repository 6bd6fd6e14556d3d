//! What a call asks beside its body: the path, the query, the headers that every command may have.

use super::answer::Refusal;
use super::params::Params;
use super::precondition::Expected;
use crate::tokens::Caller;
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

/// What the headers say of a command.
#[derive(Clone, Debug)]
pub(super) struct Meta {
    /// On whose behalf it is sent; `None`: the caller may do everything. The headers do not say it: it was
    /// verified before.
    pub(super) as_user: Option<Person>,
    pub(super) command_id: Option<CorrelationId>,
    pub(super) correlation_id: Option<CorrelationId>,
    pub(super) traceparent: Option<Traceparent>,
}

impl Meta {
    /// Of what the edge itself asks on behalf of a user.
    pub(super) fn on_behalf_of(user: &Person) -> Self {
        let (command_id, correlation_id, traceparent) = (None, None, None);
        Self { as_user: Some(user.clone()), command_id, correlation_id, traceparent }
    }

    fn of(headers: &HeaderMap, caller: &Caller) -> Result<Self, Problem> {
        // A trace context that cannot be read is as good as none (W3C Trace Context §3.4).
        let traceparent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            as_user: caller.as_user().cloned(),
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
        // Every route of the edge has one; one that was forgotten answers nobody.
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Problem::new(ProblemKind::Forbidden, "nobody calls"))?;
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|_| Problem::invalid("path", "must be UTF-8 text"))?;
        Ok(Self {
            path: path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            params: Params::of(parts.uri.query()),
            meta: Meta::of(&parts.headers, &caller)?,
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

    /// The user of a path, whom the caller may be, and what the path is about. Whatever else it says is part
    /// of the user: a sidecar hands `%2F` on as `/`.
    pub(super) fn of_user(&self) -> Result<(Person, OfUser), Problem> {
        let path = self.part("userPath");
        let known = |(end, what): &(&str, OfUser)| Some((path.strip_suffix(end)?, *what));
        let (user, what) = OfUser::PARTS.iter().find_map(known).unwrap_or((path, OfUser::All));
        let user = Person::parse(user);
        let user = user.map_err(|error| Problem::invalid("userId", &error.to_string()))?;
        self.may_be(&user, "userId").map(|()| (user, what))
    }

    /// Whose rows are asked for: those of the user in the query, whom the caller may be; without one, those of
    /// the caller. `None`: everybody's.
    pub(super) fn listed_user(&mut self) -> Result<Option<Person>, Problem> {
        let Some(user) = self.params.user("user")? else { return Ok(self.meta.as_user.clone()) };
        self.may_be(&user, "user").map(|()| Some(user))
    }

    /// Refuses another user than the one on whose behalf everything is asked. That says nothing of whether there
    /// is such a user: everybody has preferences.
    fn may_be(&self, user: &Person, field: &str) -> Result<(), Problem> {
        match &self.meta.as_user {
            Some(caller) if caller != user => Err(Problem::not_yours(field)),
            _ => Ok(()),
        }
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

/// What a path is about that begins with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfUser {
    Preferences,
    Pause,
    Resume,
    Export,
    Erasure,
    /// Everything: the path says nothing more.
    All,
}

impl OfUser {
    /// How the path ends.
    const PARTS: &[(&str, Self)] = &[
        ("/preferences", Self::Preferences),
        ("/pause", Self::Pause),
        ("/resume", Self::Resume),
        ("/export", Self::Export),
        ("/erasure", Self::Erasure),
    ];

    /// The refusal of a method that it does not understand: to the router, all of a user is one route.
    pub(super) fn not_here(self) -> Response {
        let methods = match self {
            Self::Preferences => "GET,HEAD,PUT",
            Self::Pause | Self::Resume => "POST",
            Self::Export | Self::Erasure => "GET,HEAD",
            Self::All => "DELETE",
        };
        let detail = format!("of a user this understands {methods} only");
        let mut response =
            Refusal(Problem::new(ProblemKind::MethodNotAllowed, detail)).into_response();
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
        response
    }
}

/// Largest body of a command about one task.
pub(in crate::http) const COMMAND_MAX_BYTES: usize = limits::PAYLOAD_MAX_BYTES;
