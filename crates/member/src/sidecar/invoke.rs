//! Calling other applications.

use super::{Sidecar, SidecarError, failed, unreachable};
use crate::flow::Flow;
use axum::http::{HeaderMap, Method, StatusCode};
use reminder_contract::Problem;
use serde::de::DeserializeOwned;

/// What is asked.
const INVOKE: &str = "call another service";

/// What another application answered, whatever it was.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body of a success; a problem that came instead as the error it is.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, SidecarError> {
        if !self.status.is_success() {
            return Err(self.error());
        }
        serde_json::from_slice(&self.body)
            .map_err(|why| SidecarError::Unreadable { what: INVOKE, why })
    }

    fn error(&self) -> SidecarError {
        match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => SidecarError::Refused(problem),
            Err(_) => failed(INVOKE, self.status, &String::from_utf8_lossy(&self.body)),
        }
    }
}

impl Sidecar {
    /// Calls another application within a flow. `path` may have a query.
    pub async fn invoke(
        &self,
        app_id: &str,
        verb: Method,
        path: &str,
        flow: &Flow,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, SidecarError> {
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        let mut parts = vec!["v1.0", "invoke", app_id, "method"];
        parts.extend(path.trim_start_matches('/').split('/'));
        let mut url = self.url(&parts);
        url.set_query(query);
        let request = self.client.request(verb, url).headers(headers).headers(flow.headers());
        let answer = request.body(body).send().await.map_err(|e| unreachable(INVOKE, &e))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|error| unreachable(INVOKE, &error))?;
        Ok(Reply { status, headers, body: body.into() })
    }
}
