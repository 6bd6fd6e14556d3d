//! Refusals as RFC 9457 problem details.
//!
//! An actor method answers 200 always, or Dapr wraps the body: so each problem has its status in its body.

mod refusals;

use reminder_domain::TaskId;
use reminder_domain::ids::Person;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Tells the caller of an actor method that the answer is a problem, although Dapr says 200.
/// In lower case, as HTTP libraries want header names; Dapr does not mind.
pub const ERROR_HEADER: &str = "x-daprerrorresponseheader";

/// How long a caller shall wait when a task's events wait for the broker, in seconds.
pub const RETRY_AFTER_PENDING_SECONDS: u32 = 5;

/// How long a caller shall wait when the service lacks one of its parts, in seconds.
pub const RETRY_AFTER_UNAVAILABLE_SECONDS: u32 = 2;

/// How long a caller shall wait while versions of the service are mixed, in seconds.
pub const RETRY_AFTER_NEWER_SECONDS: u32 = 30;

/// Longest piece of the caller's own text in a problem, in characters; it may be 64 KiB otherwise.
const ECHO_MAX_CHARS: usize = 300;

/// Declares the kinds of problem as one table.
macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $slug:literal, $title:literal;)*) => {
        /// The kinds of problem; the table of their type URIs, statuses and titles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemKind {
            $($(#[$doc])* $name,)*
        }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its `type`: an identifier to compare, not an address to open.
            pub const fn type_uri(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("https://reminder-scheduler.dev/problems/", $slug),)*
                }
            }

            /// Its HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Its title, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

problem_kinds! {
    /// The body is not JSON.
    MalformedJson = 422, "malformed-json", "The body is not valid JSON";
    /// A field is unknown, missing, of the wrong type or cannot be used; `field` says which.
    InvalidInput = 422, "invalid-input", "A field cannot be used";
    /// The command id was used for another command. 422 as the Idempotency-Key draft asks for a
    /// key reused with another payload (draft-ietf-httpapi-idempotency-key-header, §2.7): trying
    /// again cannot help, which a 409 would suggest.
    CommandIdReused = 422, "command-id-reused", "The commandId was used for another command";
    /// The body is larger than `limits::PAYLOAD_MAX_BYTES`.
    PayloadTooLarge = 413, "payload-too-large", "The body is too large";
    /// There is no such task.
    UnknownTask = 404, "unknown-task", "There is no such task";
    /// The task or user is not at the version that the caller expected.
    VersionConflict = 409, "version-conflict", "Another version was expected";
    /// The task is not in a state in which the command makes sense.
    Inapplicable = 409, "inapplicable", "The task is not in a state for this";
    /// The user has as many as allowed: completing or deleting some helps, waiting does not.
    TooManyOpenTasks = 409, "too-many-open-tasks", "The user has too many open tasks";
    /// The user has sent as many in the last minute as allowed.
    TooManyCommands = 429, "too-many-commands", "The user has sent too many commands";
    /// Too much waits already; nothing was done, trying again later helps.
    Overloaded = 503, "overloaded", "Too much is waiting";
    /// A part that the service needs does not answer; trying again with the same `commandId` is
    /// safe, and necessary: whether the command was applied may be unknown.
    Unavailable = 503, "unavailable", "The service cannot do this now";
    /// What is stored cannot be read; nothing was done, and only an operator's repair helps.
    DamagedState = 500, "damaged-state", "The stored state cannot be read";
    /// Nothing was done: a newer version of the service wrote what is stored, and can do it.
    NewerState = 503, "newer-state", "The stored state is of a newer version";
    /// What `If-Match` or `If-None-Match` asks for does not hold.
    PreconditionFailed = 412, "precondition-failed", "The task or user is at another version";
    /// There is nothing at this path.
    UnknownPath = 404, "unknown-path", "There is nothing here";
    /// What is here does not understand this HTTP method; `Allow` names those it does.
    MethodNotAllowed = 405, "method-not-allowed", "This is not done here";
    /// The body did not come in time.
    RequestTimeout = 408, "request-timeout", "The body did not come in time";
    /// The body is of another media type than what is asked for.
    UnsupportedMediaType = 415, "unsupported-media-type", "The body is of another media type";
    /// The caller did not show who it is.
    Unauthorized = 401, "unauthorized", "A token is missing or wrong";
    /// Nobody may call here this way, or not on behalf of this user.
    Forbidden = 403, "forbidden", "Calls of this kind are not accepted";
    /// The caller asks for more than its share.
    TooManyRequests = 429, "too-many-requests", "The caller asks too often";
}

impl ProblemKind {
    /// Whether only the REST edge has it: it is about HTTP, of which an actor method knows nothing.
    pub const fn is_of_http(self) -> bool {
        matches!(
            self,
            Self::PreconditionFailed
                | Self::UnknownPath
                | Self::MethodNotAllowed
                | Self::RequestTimeout
                | Self::UnsupportedMediaType
                | Self::Unauthorized
                | Self::TooManyRequests
        )
    }
}

/// One refusal. Boxed, since it is the error of functions whose results are small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Problem(Box<ProblemDetails>);

/// The fields of a [`Problem`], readable through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub struct ProblemDetails {
    /// Identifies the kind of problem.
    #[serde(rename = "type")]
    pub type_uri: Cow<'static, str>,
    /// The kind in words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// Identifies the occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The field at fault, as a path into the body, or `taskId` or `userId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub task_id: Option<TaskId>,
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub user_id: Option<Person>,
    /// When trying again makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
    /// The version the task is at; 0 when it does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_version: Option<u64>,
}

impl Problem {
    /// A problem of a kind, with nothing else said.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let retry_after_seconds = match kind {
            ProblemKind::Overloaded => Some(RETRY_AFTER_PENDING_SECONDS),
            ProblemKind::Unavailable => Some(RETRY_AFTER_UNAVAILABLE_SECONDS),
            ProblemKind::NewerState => Some(RETRY_AFTER_NEWER_SECONDS),
            _ => None,
        };
        Self(Box::new(ProblemDetails {
            type_uri: Cow::Borrowed(kind.type_uri()),
            title: Cow::Borrowed(kind.title()),
            status: kind.status(),
            detail: clipped(detail.into()),
            instance: None,
            field: None,
            task_id: None,
            user_id: None,
            retry_after_seconds,
            actual_version: None,
        }))
    }

    /// A field that cannot be used; the reason reads on from the field's name.
    pub fn invalid(field: impl Into<String>, reason: &str) -> Self {
        let field = clipped(field.into());
        Self::new(ProblemKind::InvalidInput, format!("{field} {reason}")).at(field)
    }

    /// A body of that many bytes, which is more than `max`.
    pub fn too_large(bytes: usize, max: usize) -> Self {
        let detail = format!("the body must be at most {max} bytes, but has {bytes}");
        Self::new(ProblemKind::PayloadTooLarge, detail)
    }

    /// A field that names another user than the one on whose behalf it is sent.
    pub fn not_yours(field: &str) -> Self {
        Self::new(ProblemKind::Forbidden, format!("{field} is not who sends this")).at(field)
    }

    /// A part that does not answer.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Unavailable, detail)
    }

    /// Nothing more can be taken on.
    pub fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Overloaded, detail)
    }

    fn at(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Says which task it is about.
    #[must_use]
    pub fn with_task_id(mut self, id: &TaskId) -> Self {
        self.0.task_id.get_or_insert_with(|| id.clone());
        self
    }

    /// Says which user it is about.
    #[must_use]
    pub fn with_user_id(mut self, id: &Person) -> Self {
        self.0.user_id.get_or_insert_with(|| id.clone());
        self
    }

    /// Says which version it is at.
    #[must_use]
    pub fn at_version(mut self, actual: u64) -> Self {
        self.0.actual_version = Some(actual);
        self
    }

    /// The same conflict, told to a caller who asked for the version by a precondition of HTTP.
    #[must_use]
    pub fn as_failed_precondition(mut self) -> Self {
        let kind = ProblemKind::PreconditionFailed;
        self.0.type_uri = Cow::Borrowed(kind.type_uri());
        self.0.title = Cow::Borrowed(kind.title());
        self.0.status = kind.status();
        self.0.field = None;
        self
    }

    /// The same problem, told to a caller whose body was but the field `name` of the one at fault.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        let told = |path: &str| Some(path.strip_prefix(name)?.strip_prefix('.')?.to_owned());
        match self.0.field.as_deref() {
            Some(field) if field == name => {
                self.0.field = None;
                if let Some(rest) = self.0.detail.strip_prefix(name) {
                    self.0.detail = format!("the body{rest}");
                }
            }
            Some(field) => {
                if let Some(inner) = told(field) {
                    self.0.detail =
                        told(&self.0.detail).unwrap_or(std::mem::take(&mut self.0.detail));
                    self.0.field = Some(inner);
                }
            }
            None => {}
        }
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Its kind, when it is one of ours.
    pub fn kind(&self) -> Option<ProblemKind> {
        ProblemKind::ALL.iter().copied().find(|kind| kind.type_uri() == self.type_uri)
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        super::wire::to_json(self)
    }
}

impl std::ops::Deref for Problem {
    type Target = ProblemDetails;
    fn deref(&self) -> &ProblemDetails {
        &self.0
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.title, self.status, self.detail)
    }
}

impl std::error::Error for Problem {}

/// Cuts a text that holds the caller's own words to a bearable length.
fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(ECHO_MAX_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}
