//! Calling other applications, and the scheduler's actors.

use super::{Sidecar, SidecarError, failed, unreachable};
use crate::flow::Flow;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode};
use reminder_contract::Problem;
use reminder_contract::problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is asked.
const INVOKE: &str = "call another service";
const ACTOR: &str = "call an actor";

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

    /// Calls an actor of the scheduler within a flow; `correlationId` and `traceparent` are put into
    /// the command. A refusal comes back as [`SidecarError::Refused`].
    pub async fn call_actor<T: DeserializeOwned>(
        &self,
        actor_type: &str,
        id: &str,
        method: &str,
        command: &impl Serialize,
        flow: &Flow,
    ) -> Result<T, SidecarError> {
        let unreadable = |why| SidecarError::Unreadable { what: ACTOR, why };
        let mut command = serde_json::to_value(command).map_err(unreadable)?;
        if let Value::Object(fields) = &mut command {
            fields.insert("correlationId".into(), flow.correlation_id().into());
            fields.insert("traceparent".into(), flow.traceparent().into());
        }
        let url = self.url(&["v1.0", "actors", actor_type, id, "method", method]);
        let request = self.client.post(url).headers(flow.headers());
        let request = request.header(CONTENT_TYPE, "application/json").body(command.to_string());
        let answer = request.send().await.map_err(|error| unreachable(ACTOR, &error))?;
        let status = answer.status();
        let is_problem = answer.headers().contains_key(problem::ERROR_HEADER)
            || answer.headers().get(CONTENT_TYPE).is_some_and(|t| t == problem::CONTENT_TYPE);
        let body = answer.bytes().await.map_err(|error| unreachable(ACTOR, &error))?;
        if is_problem {
            return Err(SidecarError::Refused(serde_json::from_slice(&body).map_err(unreadable)?));
        }
        if !status.is_success() {
            return Err(failed(ACTOR, status, &String::from_utf8_lossy(&body)));
        }
        serde_json::from_slice(&body).map_err(unreadable)
    }
}
