//! Where the keys come from: a URL, or a file.

use super::keys::KeySet;
use super::settings::KeysAt;
use axum::body::Bytes;
use axum::http::header::{ACCEPT, USER_AGENT};
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::error::Error;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;

/// How long the provider may take, all in all.
const FETCH_DEADLINE: Duration = Duration::from_secs(5);
/// How long connecting may take, within that.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// Largest key set. One key with its certificates has some kilobytes.
const KEYS_MAX_BYTES: usize = 256 * 1024;

/// Who we are to the provider.
const AGENT: &str = concat!("reminder-scheduler/", env!("CARGO_PKG_VERSION"));

type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Reads key sets. It follows no redirect and knows no proxy: the keys are trusted for where they come from.
#[derive(Debug)]
pub(super) enum Source {
    Web { url: String, client: Box<HttpClient> },
    File(PathBuf),
}

impl Source {
    pub(super) fn new(keys: &KeysAt) -> io::Result<Self> {
        let url = match keys {
            KeysAt::File(path) => return Ok(Self::File(path.clone())),
            KeysAt::Web(url) => url.to_string(),
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_DEADLINE));
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()
            .map_err(io::Error::other)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        // A connection a quarter of an hour apart need not be kept.
        let client =
            Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self::Web { url, client: Box::new(client) })
    }

    /// The keys as they are there now.
    pub(super) async fn fetch(&self) -> Result<KeySet, String> {
        let document = match self {
            Self::File(path) => read(path)?,
            Self::Web { url, client } => {
                let fetched = timeout(FETCH_DEADLINE, get(url, client)).await;
                fetched.map_err(|_| format!("no answer within {FETCH_DEADLINE:?}"))??
            }
        };
        KeySet::read(&document)
    }
}

/// Reads a file of a bounded size, which takes no time worth a thread.
fn read(path: &Path) -> Result<Bytes, String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let max = u64::try_from(KEYS_MAX_BYTES).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(told)?;
    file.take(max + 1).read_to_end(&mut text).map_err(told)?;
    if text.len() > KEYS_MAX_BYTES { Err(too_large()) } else { Ok(text.into()) }
}

async fn get(url: &str, client: &HttpClient) -> Result<Bytes, String> {
    let request = Request::get(url).header(USER_AGENT, AGENT).header(ACCEPT, "application/json");
    let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
    let answer = client.request(request).await.map_err(|error| chain(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answers {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), KEYS_MAX_BYTES).collect().await;
    Ok(body
        .map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                too_large()
            } else {
                error.to_string()
            }
        })?
        .to_bytes())
}

fn too_large() -> String {
    format!("the key set has more than {KEYS_MAX_BYTES} bytes")
}

/// An error with its causes: the client's own words say only that it failed.
fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
