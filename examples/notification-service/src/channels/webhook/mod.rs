//! Webhooks: a signed request per firing, after the Standard Webhooks.

mod guard;
mod signature;

pub(crate) use guard::{UrlRefused, parse as parse_url};
pub(crate) use signature::Secret;

use super::Failure;
use crate::message::{Firing, Message};
use chrono::SecondsFormat;
use guard::Resolver;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reminder_domain::Timestamp;
use reminder_member::Flow;
use serde_json::{Map, Value, json};
use signature::signatures;
use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

/// The identity of a message: the id of the event, the same with every attempt.
const WEBHOOK_ID: &str = "webhook-id";
/// When this attempt was made, in seconds since 1970.
const WEBHOOK_TIMESTAMP: &str = "webhook-timestamp";
/// The signatures over both and the body.
const WEBHOOK_SIGNATURE: &str = "webhook-signature";

/// How long connecting may take, within the deadline of the attempt.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept for the next message to the same receiver.
const IDLE: Duration = Duration::from_secs(30);

/// Who we are to receivers.
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("notification-service/", env!("CARGO_PKG_VERSION")));

/// Calls webhooks.
///
/// The client follows no redirect and knows no proxy: either would lead past the guard.
pub(crate) struct Webhooks {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    secrets: Vec<Secret>,
    allow_private: bool,
    deadline: Duration,
}

impl Webhooks {
    /// `deadline` is that of one attempt, all in all.
    pub(crate) fn new(
        secrets: Vec<Secret>,
        allow_private: bool,
        deadline: Duration,
    ) -> io::Result<Self> {
        let mut connector = HttpConnector::new_with_resolver(Resolver { allow_private });
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_DEADLINE.min(deadline)));
        let connector = HttpsConnectorBuilder::new()
            .try_with_platform_verifier()
            .map_err(io::Error::other)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, secrets, allow_private, deadline })
    }

    /// What messages are signed with, before each user's own is made of it.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// One attempt.
    pub(crate) async fn deliver(
        &self,
        url: &str,
        user: &str,
        firing: &Firing,
        message: &Message,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let request = self.request(url, user, firing, message, flow, now)?;
        match tokio::time::timeout(self.deadline, self.client.request(request)).await {
            // The body of the answer is nobody's business, and may be endless.
            Ok(Ok(answer)) => judge(answer.status(), answer.headers(), now.to_datetime().into()),
            Ok(Err(error)) => Err(broken(&error)),
            Err(_) => Err(Failure::temporary("the receiver did not answer in time")),
        }
    }

    fn request(
        &self,
        url: &str,
        user: &str,
        firing: &Firing,
        message: &Message,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let url = parse_url(url, self.allow_private)
            .map_err(|error| Failure::Permanent(format!("the URL {error}")))?;
        let body = body(firing, message);
        let secrets: Vec<_> = self.secrets.iter().map(|secret| secret.of_user(user)).collect();
        let timestamp = now.as_millis().div_euclid(1_000);
        let mut request = Request::post(url.as_str())
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .header(WEBHOOK_ID, &*firing.id)
            .header(WEBHOOK_TIMESTAMP, timestamp)
            .header(WEBHOOK_SIGNATURE, signatures(&secrets, &firing.id, timestamp, &body));
        if let Some(headers) = request.headers_mut() {
            headers.extend(flow.headers());
        }
        request
            .body(Full::from(body))
            .map_err(|error| Failure::Permanent(format!("the request: {error}")))
    }
}

/// What is sent: the type, the time and the data of the event, and the links.
fn body(firing: &Firing, message: &Message) -> Vec<u8> {
    let links: Map<String, Value> =
        message.links.iter().map(|link| (link.action.as_str().into(), json!(link.url))).collect();
    let fired_at = firing.data.fired_at.to_datetime();
    let mut data = json!(firing.data);
    data["correlationId"] = json!(firing.correlationid);
    data["links"] = Value::Object(links);
    let body = json!({
        "type": firing.event_type,
        "timestamp": fired_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": data,
    });
    body.to_string().into_bytes()
}

/// By the specification, any answer but a success is tried again; only `410 Gone` says that nobody
/// will ever take it.
fn judge(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let reason = format!("the receiver answered {status}");
    if status == StatusCode::GONE {
        return Err(Failure::Permanent(reason));
    }
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Err(Failure::Temporary { reason, retry_after: retry_after.and_then(|text| wish(text, now)) })
}

/// What `Retry-After` asks for: seconds, or a date.
fn wish(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// The words leave out the URL, which may hold a secret of the user.
fn broken(error: &hyper_util::client::legacy::Error) -> Failure {
    let (mut root, mut guarded) = (None, false);
    let mut cause = error.source();
    while let Some(this) = cause {
        let io = this.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        guarded |=
            io.is_some_and(<dyn Error + Send + Sync>::is::<UrlRefused>) || this.is::<UrlRefused>();
        root = Some(this.to_string());
        cause = this.source();
    }
    let root = root.unwrap_or_default();
    if guarded {
        Failure::Permanent(format!("the URL {}", UrlRefused::Private))
    } else if error.is_connect() {
        Failure::temporary(format!("the receiver cannot be reached: {root}"))
    } else {
        Failure::temporary(format!("the receiver broke off: {root}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{firing, message};

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn judged(status: u16, retry_after: Option<&str>) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().unwrap());
        }
        judge(StatusCode::from_u16(status).unwrap(), &headers, SystemTime::UNIX_EPOCH + NOW)
    }

    fn asked(status: u16, retry_after: &str) -> Option<Duration> {
        match judged(status, Some(retry_after)) {
            Err(Failure::Temporary { retry_after, .. }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_success_is_one_and_only_gone_is_final() {
        assert!(judged(200, None).is_ok() && judged(204, None).is_ok());
        for status in [301, 400, 401, 404, 429, 500, 503] {
            assert!(matches!(judged(status, None), Err(Failure::Temporary { .. })), "{status}");
        }
        assert!(matches!(judged(410, Some("5")), Err(Failure::Permanent(_))));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(asked(503, "120"), seconds(120));
        let later = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + NOW + Duration::from_secs(90));
        assert_eq!(asked(429, &later), seconds(90));
        assert_eq!(asked(503, "Fri, 31 Dec 1999 23:59:59 GMT"), seconds(0));
        assert_eq!(asked(503, "soon"), None);
        assert_eq!(asked(503, "-1"), None);
    }

    #[test]
    fn the_body_is_the_data_of_the_event_with_links() {
        let body: Value = serde_json::from_slice(&body(&firing(), &message())).unwrap();
        assert_eq!(body["type"], "reminder.triggered");
        assert_eq!(body["timestamp"], "2027-01-15T17:00:00.004Z");
        assert_eq!(body["data"]["taskId"], "milk");
        assert_eq!(body["data"]["correlationId"], "flow-1");
        assert!(body["data"]["links"]["acknowledge"].is_string());
    }
}
