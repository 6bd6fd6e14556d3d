//! What a member asks of its Dapr sidecar, by its HTTP API. Each call has a deadline.

mod invoke;
pub mod metadata;
mod publish;
mod scheduler;
mod state;

pub use invoke::Reply;
pub use publish::{PARTITION_KEY, RAW_PAYLOAD};
pub use state::{ETag, Operation, Precondition};

use crate::config::SidecarConfig;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reminder_contract::Problem;
use reminder_contract::size::TooLarge;
use reqwest::Url;
use std::fmt::Write as _;
use std::time::Duration;

/// How long a call may take in all. Longer than the sidecar's own limit for a state operation, so
/// that what became of a write is usually told.
const CALL_DEADLINE: Duration = Duration::from_secs(12);

/// How long connecting may take; the sidecar is on loopback.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);

/// How long the sidecar may take to say that it is there.
const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

/// The header in which sidecar and application show each other their token.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("dapr-api-token");

/// How much of an unexpected answer an error tells, in characters.
const DETAIL_MAX_CHARS: usize = 300;

/// The sidecar. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Sidecar {
    client: reqwest::Client,
    /// The scheduler behind it.
    scheduler: reminder_client::Client,
    base: Url,
    pubsub: String,
    state_store: String,
}

/// Why the sidecar did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// Somebody else has written meanwhile.
    #[error("somebody else has written meanwhile")]
    Conflict,
    /// It does not answer, or what it needs does not; whether it was done may be unknown. Trying
    /// again makes sense.
    #[error("the sidecar cannot {what}: {why}")]
    Unavailable {
        /// What was asked.
        what: &'static str,
        /// What came back.
        why: String,
    },
    /// It was refused, and trying again would be as well.
    #[error("refused: {0}")]
    Refused(Problem),
    /// The broker would refuse it, and so it is not sent.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The sidecar does not take what it is asked: a fault of ours or of its components.
    #[error("the sidecar does not {what}, status {status}: {why}")]
    Rejected {
        /// What was asked.
        what: &'static str,
        /// The sidecar's answer.
        status: StatusCode,
        /// In words.
        why: String,
    },
    /// What is stored or was answered is not what was expected.
    #[error("cannot read what was told by `{what}`: {why}")]
    Unreadable {
        /// What was asked.
        what: &'static str,
        /// Why not.
        why: serde_json::Error,
    },
}

impl SidecarError {
    /// Whether trying again, with the same, can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Conflict | Self::Unavailable { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 408 | 429 | 500..),
            Self::TooLarge(_) | Self::Rejected { .. } | Self::Unreadable { .. } => false,
        }
    }
}

impl Sidecar {
    /// A sidecar on loopback.
    ///
    /// # Errors
    /// When there is no HTTP client to be had, or the token cannot stand in a header.
    pub fn new(config: &SidecarConfig) -> Result<Self, InvalidSidecar> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &config.token {
            let mut value =
                HeaderValue::from_str(token.expose()).map_err(|_| InvalidSidecar::Token)?;
            value.set_sensitive(true);
            headers.insert(TOKEN_HEADER, value);
        }
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .timeout(CALL_DEADLINE)
            .connect_timeout(CONNECT_DEADLINE)
            // Loopback: nothing of the environment's proxies must come in between.
            .no_proxy()
            .build()?;
        let base = format!("http://127.0.0.1:{}/", config.http_port);
        let scheduler = scheduler::client(client.clone(), &base, config.scheduler_token.as_ref())?;
        Ok(Self {
            client,
            scheduler,
            base: base.parse().map_err(|_| InvalidSidecar::Address)?,
            pubsub: config.pubsub.clone(),
            state_store: config.state_store.clone(),
        })
    }

    /// The broker's component.
    pub fn pubsub(&self) -> &str {
        &self.pubsub
    }

    /// Whether the sidecar and its components answer; that of the application does not count.
    pub async fn is_healthy(&self) -> bool {
        let url = self.url(&["v1.0", "healthz", "outbound"]);
        let answer = self.client.get(url).timeout(HEALTH_DEADLINE).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// An address of the API, its parts written as a path wants them.
    fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(parts);
        }
        url
    }
}

/// Why a sidecar cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSidecar {
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// A token with characters that no header has.
    #[error("DAPR_API_TOKEN cannot stand in a header")]
    Token,
    /// The same of the scheduler's.
    #[error("SCHEDULER_TOKEN cannot stand in a header")]
    SchedulerToken,
    /// Its address cannot be written.
    #[error("the sidecar's address cannot be used")]
    Address,
}

fn unreachable(what: &'static str, error: &reqwest::Error) -> SidecarError {
    // The client's own words leave out the cause, which is what one wants to know.
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        // Writing to a string does not fail.
        let _ = write!(why, ": {cause}");
        source = cause.source();
    }
    SidecarError::Unavailable { what, why }
}

/// An answer that is no success: `5xx` may pass, others not.
fn failed(what: &'static str, status: StatusCode, body: &str) -> SidecarError {
    let why: String = body.chars().take(DETAIL_MAX_CHARS).collect();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let why = format!("status {status}: {why}");
        SidecarError::Unavailable { what, why }
    } else {
        SidecarError::Rejected { what, status, why }
    }
}
