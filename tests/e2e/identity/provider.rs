//! An identity provider: a key set on a port of its own, and tokens; and a service that takes them.

use super::signer::Signer;
use crate::process::{Service, environment};
use crate::suite::Suite;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "reminders";
pub(crate) const ADMIN_SCOPE: &str = "reminders.admin";
/// The service's `REST_TOKEN`.
pub(crate) const REST_TOKEN: &str = "a-rest-secret";

/// The keys that are told; `None`: the provider fails.
type Keys = Arc<Mutex<Option<Value>>>;

/// A provider; it ends with the test's runtime.
pub(crate) struct Provider {
    keys: Keys,
    pub(crate) signer: Signer,
    pub(crate) url: String,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let signer = Signer::p256();
        let keys: Keys = Arc::new(Mutex::new(Some(json!({ "keys": [signer.jwk("one")] }))));
        let app = Router::new().route("/keys", get(told)).with_state(Arc::clone(&keys));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { keys, signer, url }
    }

    /// Tells these keys from now on, or fails.
    pub(crate) fn tells(&self, keys: Option<Vec<Value>>) {
        *self.keys.lock().unwrap() = keys.map(|keys| json!({ "keys": keys }));
    }

    /// A good token of a user.
    pub(crate) fn token(&self, user: &str) -> String {
        self.sign(&claims(user))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.signer.sign(&json!({ "alg": "ES256", "kid": "one" }), claims)
    }

    /// A service beside the stack's own, with the same sidecar and database, that takes these tokens.
    pub(crate) fn service(&self, suite: &Suite, extra: &[(&str, &str)]) -> Service {
        Service::start(suite, &self.settings(suite, extra))
    }

    /// Its settings; those that are given twice are as they are given last.
    pub(crate) fn settings(
        &self,
        suite: &Suite,
        extra: &[(&str, &str)],
    ) -> BTreeMap<String, String> {
        let manifest = suite.manifest();
        let grpc_port = manifest.replica(1).unwrap().grpc_port.to_string();
        let url = manifest.database_url();
        let needed = [("DAPR_GRPC_PORT", &*grpc_port), ("DATABASE_URL", &*url)];
        let mut settings = environment(&needed);
        settings.extend(self.takes_tokens());
        settings.extend(extra.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        settings
    }

    /// What a service needs to take this provider's tokens.
    pub(crate) fn takes_tokens(&self) -> BTreeMap<String, String> {
        [
            ("REST_TOKEN", REST_TOKEN),
            ("JWT_JWKS", &*self.url),
            ("JWT_ISSUER", ISSUER),
            ("JWT_AUDIENCE", AUDIENCE),
            ("JWT_ADMIN_SCOPE", ADMIN_SCOPE),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

async fn told(State(keys): State<Keys>) -> Response {
    match keys.lock().unwrap().clone() {
        Some(keys) => Json(keys).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What a good token claims.
pub(crate) fn claims(user: &str) -> Value {
    json!({ "sub": user, "iss": ISSUER, "aud": AUDIENCE, "exp": now() + 600 })
}

/// A call, and who makes it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<(&'static str, String)>,
}

impl Call {
    pub(crate) fn new(method: &str, path: impl Into<String>) -> Self {
        let method = method.to_uppercase().parse().unwrap();
        Self { method, path: path.into(), headers: Vec::new(), body: None }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.typed("application/json", body.to_string())
    }

    pub(crate) fn typed(self, media_type: &'static str, body: String) -> Self {
        Self { body: Some((media_type, body)), ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) async fn by(&self, service: &Service, token: &str) -> Answered {
        self.at(&format!("http://127.0.0.1:{}", service.port), token).await
    }

    /// The same to whom is reached below that URL.
    pub(crate) async fn at(&self, base: &str, token: &str) -> Answered {
        let url = format!("{base}{}", self.path);
        let mut request = reqwest::Client::new().request(self.method.clone(), url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some((media_type, body)) = &self.body {
            request = request.header("content-type", *media_type).body(body.clone());
        }
        let response = request.send().await.unwrap();
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        let status = response.status().as_u16();
        Answered { status, headers, body: response.text().await.unwrap() }
    }
}

/// An answer, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same answer about another task, at any time.
    pub(crate) fn about(mut self, task: &str, other: &str) -> Self {
        self.headers.remove("date");
        self.headers.remove("content-length");
        self.body = self.body.replace(task, other);
        self
    }
}
