//! The actor API through the sidecar's HTTP port, as any client would call it, with the time each
//! call took.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use reminder_contract::{Problem, names};
use reminder_stack::{Manifest, Member};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For one call; the service gives up much earlier.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// What Dapr wants to see when it was given a token.
const TOKEN_HEADER: &str = "dapr-api-token";

/// Names the flow that a call belongs to.
const CORRELATION_HEADER: &str = "correlation-id";

/// Where the actor API is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    port: u16,
    token: Option<String>,
}

impl Address {
    /// The sidecar of the first replica.
    pub(crate) fn of(manifest: &Manifest) -> Result<Self> {
        Self::of_replica(manifest, 1)
    }

    /// A sidecar on that port, without a token.
    pub(crate) const fn at(port: u16) -> Self {
        Self { port, token: None }
    }

    /// The sidecar of that replica.
    pub(crate) fn of_replica(manifest: &Manifest, replica: u32) -> Result<Self> {
        let port = manifest.replica(replica)?.http_port;
        let token = manifest.options.api_tokens.as_ref().and_then(|tokens| tokens.dapr.clone());
        Ok(Self { port, token })
    }

    /// A service around the scheduler, itself.
    pub(crate) fn of_member(manifest: &Manifest, member: Member) -> Result<Self> {
        Ok(Self { port: manifest.member(member)?.app_port, token: None })
    }

    /// Opens a connection that all calls of one caller share, as a real client's do.
    pub(crate) async fn connect(&self) -> Result<Caller> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))
            .await
            .with_context(|| format!("the sidecar does not listen on port {}", self.port))?;
        // Or the kernel may hold back the body until the header is acknowledged.
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Caller { address: self.clone(), sender })
    }
}

/// One caller: its calls run one after the other.
pub(crate) struct Caller {
    address: Address,
    sender: SendRequest<Full<Bytes>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// From the first byte sent to the last one received.
    pub(crate) took: Duration,
    /// The answer, or why there is none.
    pub(crate) outcome: Result<Value, Problem>,
}

impl Caller {
    /// Asks for an answer that goes on and on; it has the connection for itself.
    pub(crate) async fn stream(mut self, path: &str) -> Result<Stream> {
        let host = format!("127.0.0.1:{}", self.address.port);
        let request = Request::builder().uri(path).header(HOST, host);
        let request = request.body(Full::new(Bytes::new()))?;
        let response = timeout(CALL_DEADLINE, self.sender.send_request(request)).await??;
        let status = response.status();
        if !status.is_success() {
            bail!("{path}: HTTP {status}");
        }
        Ok(Stream(response.into_body()))
    }

    /// Calls a method of a task's actor. A refusal is a reply; an error is anything else.
    pub(crate) async fn call(&mut self, task: &str, method: &str, body: &Value) -> Result<Reply> {
        self.invoke(names::ACTOR_TYPE, task, method, body).await
    }

    /// Calls a method of any actor.
    pub(crate) async fn invoke(
        &mut self,
        actor_type: &str,
        id: &str,
        method: &str,
        body: &Value,
    ) -> Result<Reply> {
        let path = format!("/v1.0/actors/{actor_type}/{id}/method/{method}");
        self.request(Method::PUT, &path, None, body)
            .await
            .with_context(|| format!("`{method}` of {id} has no proper answer"))
    }

    /// Calls any path, within a flow if one is given.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        correlation_id: Option<&str>,
        body: &Value,
    ) -> Result<Reply> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        if self.sender.is_closed() {
            *self = self.address.connect().await?;
        }
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("127.0.0.1:{}", self.address.port))
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.address.token {
            request = request.header(TOKEN_HEADER, token);
        }
        if let Some(id) = correlation_id {
            request = request.header(CORRELATION_HEADER, id);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let began = Instant::now();
        let (status, is_problem, body) = timeout(CALL_DEADLINE, async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            let content_type = response.headers().get(CONTENT_TYPE);
            let is_problem = content_type.is_some_and(|t| t.as_bytes().ends_with(b"problem+json"));
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>((status, is_problem, body))
        })
        .await
        .with_context(|| format!("none within {} s", CALL_DEADLINE.as_secs()))??;
        let took = began.elapsed();
        Ok(Reply { took, outcome: read(status, is_problem, &body)? })
    }
}

/// An answer that goes on and on.
pub(crate) struct Stream(Incoming);

impl Stream {
    /// The next bytes; `None` when it has ended.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            let frame = self.0.frame().await?.ok()?;
            if let Ok(bytes) = frame.into_data() {
                return Some(bytes);
            }
        }
    }
}

fn read(status: StatusCode, is_problem: bool, body: &[u8]) -> Result<Result<Value, Problem>> {
    if is_problem {
        return Ok(Err(serde_json::from_slice(body).context("a problem that cannot be read")?));
    }
    if !status.is_success() {
        bail!("HTTP {status}: {}", String::from_utf8_lossy(body));
    }
    Ok(Ok(serde_json::from_slice(body).context("an answer that is not JSON")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_problems_and_errors_are_told_apart() {
        let answer = read(StatusCode::OK, false, br#"{"version":1}"#).unwrap().unwrap();
        assert_eq!(answer["version"], 1);
        let problem = br#"{"type":"x","title":"t","status":422,"detail":"d","field":"task.title"}"#;
        let problem = read(StatusCode::OK, true, problem).unwrap().unwrap_err();
        assert_eq!((problem.status, problem.field.as_deref()), (422, Some("task.title")));
        let error = read(StatusCode::INTERNAL_SERVER_ERROR, false, b"boom").unwrap_err();
        assert!(error.to_string().contains("boom"));
        assert!(read(StatusCode::OK, false, b"<html>").is_err());
    }
}
