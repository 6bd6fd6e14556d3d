//! The state store: single keys, and several in one transaction.

use super::{Sidecar, SidecarError, failed, unreachable};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// What is asked.
const READ: &str = "read state";
const SAVE: &str = "save state";
const DELETE: &str = "delete state";
const TRANSACT: &str = "save state in a transaction";

/// How the Postgres store says that a key that should be new is there; the sidecar hands it on as
/// an error like any other.
const NOT_NEW: &str = "no item was updated";

/// How an outdated `ETag` is told.
const ETAG_MISMATCH: &str = "etag mismatch";

/// How many keys of a bulk read the sidecar asks for at a time, where its store cannot do so itself.
const BULK_PARALLELISM: u32 = 8;

/// One key of a bulk read, as the sidecar answers.
#[derive(Deserialize)]
struct BulkItem {
    key: String,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// The version of a stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(pub String);

/// What must be so for a write to take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing: the last one wins.
    None,
    /// There is no such key.
    Absent,
    /// The key is still at this version.
    Match(ETag),
}

/// One write of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Stores a value.
    Save {
        /// Where.
        key: String,
        /// What.
        value: Value,
        /// When.
        precondition: Precondition,
        /// For how long; without it, for ever.
        ttl: Option<Duration>,
    },
    /// Takes a key away.
    Delete {
        /// Which.
        key: String,
        /// When.
        precondition: Precondition,
    },
}

impl Operation {
    /// The same for a while only; says nothing of a deletion.
    #[must_use]
    pub fn expiring(mut self, after: Option<Duration>) -> Self {
        if let Self::Save { ttl, .. } = &mut self {
            *ttl = after;
        }
        self
    }

    /// Stores a value for ever.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn save<T: Serialize>(
        key: impl Into<String>,
        value: &T,
        precondition: Precondition,
    ) -> Result<Self, SidecarError> {
        let value = serde_json::to_value(value)
            .map_err(|why| SidecarError::Unreadable { what: SAVE, why })?;
        Ok(Self::Save { key: key.into(), value, precondition, ttl: None })
    }

    /// What the sidecar is asked for.
    fn request(&self) -> Value {
        match self {
            Self::Save { key, value, precondition, ttl } => {
                let mut request = json!({ "key": key, "value": value });
                conditions(&mut request, precondition);
                if let Some(ttl) = ttl {
                    // A TTL of nothing would mean for ever.
                    let seconds = ttl.as_secs().max(1).to_string();
                    request["metadata"] = json!({ "ttlInSeconds": seconds });
                }
                request
            }
            Self::Delete { key, precondition } => {
                let mut request = json!({ "key": key });
                conditions(&mut request, precondition);
                request
            }
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Save { .. } => "upsert",
            Self::Delete { .. } => "delete",
        }
    }
}

fn conditions(request: &mut Value, precondition: &Precondition) {
    match precondition {
        Precondition::None => {}
        Precondition::Absent => request["options"] = json!({ "concurrency": "first-write" }),
        Precondition::Match(ETag(etag)) => {
            request["etag"] = json!(etag);
            request["options"] = json!({ "concurrency": "first-write" });
        }
    }
}

impl Sidecar {
    /// The value of a key and its version, if there is one.
    pub async fn get_state<T: DeserializeOwned>(
        &self,
        key: &str,
    ) -> Result<Option<(T, ETag)>, SidecarError> {
        let url = self.url(&["v1.0", "state", &self.state_store, key]);
        let answer = self.client.get(url).send().await.map_err(|e| unreachable(READ, &e))?;
        let status = answer.status();
        if status == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let etag = answer.headers().get(ETAG).and_then(|value| value.to_str().ok());
        let etag = ETag(etag.unwrap_or_default().to_owned());
        let body = answer.bytes().await.map_err(|error| unreachable(READ, &error))?;
        if !status.is_success() {
            return Err(failed(READ, status, &String::from_utf8_lossy(&body)));
        }
        let value = serde_json::from_slice(&body)
            .map_err(|why| SidecarError::Unreadable { what: READ, why })?;
        Ok(Some((value, etag)))
    }

    /// The values of several keys and their versions, at once; those that are not there are left out.
    pub async fn get_bulk<T: DeserializeOwned>(
        &self,
        keys: &[String],
    ) -> Result<HashMap<String, (T, ETag)>, SidecarError> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let url = self.url(&["v1.0", "state", &self.state_store, "bulk"]);
        let body = json!({ "keys": keys, "parallelism": BULK_PARALLELISM });
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let answer = request.body(body.to_string()).send().await;
        let answer = answer.map_err(|error| unreachable(READ, &error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| unreachable(READ, &error))?;
        if !status.is_success() {
            return Err(failed(READ, status, &String::from_utf8_lossy(&body)));
        }
        let unreadable = |why| SidecarError::Unreadable { what: READ, why };
        let items: Vec<BulkItem> = serde_json::from_slice(&body).map_err(unreadable)?;
        let mut found = HashMap::with_capacity(items.len());
        for item in items {
            if let Some(why) = item.error {
                return Err(SidecarError::Unavailable { what: READ, why });
            }
            let Some(data) = item.data.filter(|data| !data.is_null()) else { continue };
            let value = serde_json::from_value(data).map_err(unreadable)?;
            found.insert(item.key, (value, ETag(item.etag.unwrap_or_default())));
        }
        Ok(found)
    }

    /// Stores a value, for as long as `ttl` says or for ever.
    pub async fn save_state<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        precondition: Precondition,
        ttl: Option<Duration>,
    ) -> Result<(), SidecarError> {
        let operation = Operation::save(key, value, precondition)?.expiring(ttl);
        let url = self.url(&["v1.0", "state", &self.state_store]);
        self.write(SAVE, self.client.post(url), &json!([operation.request()])).await
    }

    /// Takes a key away; that there is none is no error.
    pub async fn delete_state(
        &self,
        key: &str,
        precondition: Precondition,
    ) -> Result<(), SidecarError> {
        let url = self.url(&["v1.0", "state", &self.state_store, key]);
        let mut request = self.client.delete(url);
        if let Precondition::Match(ETag(etag)) = precondition {
            request = request.header(IF_MATCH, etag);
        }
        written(DELETE, request).await
    }

    /// Does all of it, or nothing.
    pub async fn transact(&self, operations: &[Operation]) -> Result<(), SidecarError> {
        let url = self.url(&["v1.0", "state", &self.state_store, "transaction"]);
        let operations: Vec<Value> = operations
            .iter()
            .map(|one| json!({ "operation": one.name(), "request": one.request() }))
            .collect();
        self.write(TRANSACT, self.client.post(url), &json!({ "operations": operations })).await
    }

    async fn write(
        &self,
        what: &'static str,
        request: reqwest::RequestBuilder,
        body: &Value,
    ) -> Result<(), SidecarError> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        written(what, request).await
    }
}

async fn written(what: &'static str, request: reqwest::RequestBuilder) -> Result<(), SidecarError> {
    let answer = request.send().await.map_err(|error| unreachable(what, &error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await.unwrap_or_default();
    let refused = status == StatusCode::CONFLICT
        || body.contains(NOT_NEW)
        || body.to_ascii_lowercase().contains(ETAG_MISMATCH);
    Err(if refused { SidecarError::Conflict } else { failed(what, status, &body) })
}
