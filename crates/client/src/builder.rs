//! Where the service is, what is shown to it, and how long a call may take.

use reminder_contract::rest::{CORRELATION_ID, TRACEPARENT};
use reminder_domain::ids::{CorrelationId, Traceparent};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// How long a call may take in all, its retries included.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How often a call is tried again.
const RETRIES: usize = 8;

/// In which a sidecar is shown its token.
const SIDECAR_TOKEN: HeaderName =
    HeaderName::from_static(reminder_contract::names::SIDECAR_TOKEN_HEADER);

/// A client. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    /// What goes with every call: tokens, and the flow that it is made in.
    pub(crate) headers: HeaderMap,
    pub(crate) deadline: Duration,
    pub(crate) retries: usize,
}

/// A client to be.
#[derive(Debug)]
pub struct ClientBuilder {
    base: Url,
    headers: HeaderMap,
    invalid: Option<&'static str>,
    deadline: Duration,
    retries: usize,
    http: Option<reqwest::Client>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address is none.
    #[error("{0:?} is not an http:// or https:// address")]
    Address(String),
    /// A token with characters that no header may hold.
    #[error("the {0} has characters that no header may hold")]
    Token(&'static str),
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

impl Client {
    /// One that calls the service itself, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When that is no address.
    pub fn direct(address: &str) -> Result<ClientBuilder, BuildError> {
        ClientBuilder::new(address, &[])
    }

    /// One that calls the application of that id through a Dapr sidecar, such as `http://127.0.0.1:3500`.
    ///
    /// # Errors
    /// When that is no address.
    pub fn through_sidecar(sidecar: &str, app_id: &str) -> Result<ClientBuilder, BuildError> {
        ClientBuilder::new(sidecar, &["v1.0", "invoke", app_id, "method"])
    }

    /// Where its calls go, without what the address tells of who calls: not all may see a password in it.
    pub fn address(&self) -> String {
        let mut address = self.base.clone();
        // It has a host, so it may have both, and lose them.
        let _ = address.set_username("").and_then(|()| address.set_password(None));
        address.set_query(None);
        address.into()
    }

    /// The same client for the calls of one flow: its correlation id and its trace go with all of them, with
    /// questions as well. What [`CallOptions`](crate::CallOptions) say of a command counts more.
    #[must_use]
    pub fn in_flow(
        &self,
        correlation_id: Option<&CorrelationId>,
        traceparent: Option<&Traceparent>,
    ) -> Self {
        let mut client = self.clone();
        let told = [
            (CORRELATION_ID, correlation_id.map(CorrelationId::as_str)),
            (TRACEPARENT, traceparent.map(Traceparent::as_str)),
        ];
        for (name, text) in told {
            // Both are visible ASCII, or they would not have been parsed.
            if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
                client.headers.insert(HeaderName::from_static(name), value);
            }
        }
        client
    }
}

impl ClientBuilder {
    fn new(address: &str, prefix: &[&str]) -> Result<Self, BuildError> {
        let invalid = || BuildError::Address(address.to_owned());
        let mut base: Url = address.parse().map_err(|_| invalid())?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid());
        }
        base.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().extend(prefix);
        let (headers, invalid) = (HeaderMap::new(), None);
        Ok(Self { base, headers, invalid, deadline: DEADLINE, retries: RETRIES, http: None })
    }

    /// Shows the service this token: its `REST_TOKEN`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION, &format!("Bearer {token}"), "bearer token")
    }

    /// Shows the sidecar this token: its `DAPR_API_TOKEN`.
    #[must_use]
    pub fn sidecar_token(self, token: &str) -> Self {
        self.header(SIDECAR_TOKEN, token, "token of the sidecar")
    }

    fn header(mut self, name: HeaderName, value: &str, what: &'static str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(_) => self.invalid = Some(what),
        }
        self
    }

    /// How long a call may take in all, its retries included; a minute unless said otherwise.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How often a call is tried again; eight times unless said otherwise.
    #[must_use]
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// Takes this HTTP client, which then brings TLS, proxies and default headers of its own.
    #[must_use]
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// When a token cannot be sent, or there is no HTTP client to be had.
    pub fn build(self) -> Result<Client, BuildError> {
        if let Some(what) = self.invalid {
            return Err(BuildError::Token(what));
        }
        let http = match self.http {
            Some(http) => http,
            None => reqwest::Client::builder().connect_timeout(CONNECT_DEADLINE).build()?,
        };
        let Self { base, headers, deadline, retries, .. } = self;
        Ok(Client { http, base, headers, deadline, retries })
    }
}
