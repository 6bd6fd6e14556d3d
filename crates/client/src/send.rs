//! One call: sent, answered, and sent again while that can help.

use crate::{CallOptions, Client, Error, IfVersion};
use backon::{BackoffBuilder, ExponentialBuilder};
use reminder_contract::Problem;
use reminder_contract::problem::CONTENT_TYPE as PROBLEM_JSON;
use reminder_contract::rest::{CORRELATION_ID, IDEMPOTENCY_KEY, JSON, TRACEPARENT};
use reqwest::header::{CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The first pause before a call is tried again, and the longest one.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long one attempt may take. A turn waits up to 20 s for its place.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(30);

/// How much of an unexpected answer an error tells, in characters.
const DETAIL_MAX_CHARS: usize = 300;

/// A call to be made.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// A question.
    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: None }
    }

    /// A command. Its key is made here, so it holds for every attempt.
    pub(crate) fn command(method: Method, mut url: Url, options: &CallOptions) -> Self {
        if let Some(if_past) = options.if_past {
            let word = serde_json::to_value(if_past).unwrap_or_default();
            url.query_pairs_mut().append_pair("ifPast", word.as_str().unwrap_or_default());
        }
        let key = options.idempotency_key.as_ref().map(ToString::to_string);
        let key = key.unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut headers = vec![(HeaderName::from_static(IDEMPOTENCY_KEY), key)];
        headers.extend(options.if_version.map(|expected| match expected {
            IfVersion::At(version) => (IF_MATCH, format!("\"{version}\"")),
            IfVersion::Existing => (IF_MATCH, "*".to_owned()),
            IfVersion::Absent => (IF_NONE_MATCH, "*".to_owned()),
        }));
        let correlation_id = options.correlation_id.as_ref().map(ToString::to_string);
        headers.extend(correlation_id.map(|id| (HeaderName::from_static(CORRELATION_ID), id)));
        let traceparent = options.traceparent.as_ref().map(ToString::to_string);
        headers.extend(traceparent.map(|own| (HeaderName::from_static(TRACEPARENT), own)));
        Self { method, url, headers, body: None }
    }

    /// With this body.
    pub(crate) fn json(self, body: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(Error::Unwritable)?;
        Ok(self.with(JSON, body))
    }

    /// With a body of that type.
    pub(crate) fn with(mut self, media_type: &'static str, body: Vec<u8>) -> Self {
        self.headers.push((CONTENT_TYPE, media_type.to_owned()));
        self.body = Some(body);
        self
    }
}

impl Client {
    /// An address of the edge, its parts written as a path wants them.
    pub(crate) fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("v1").extend(parts);
        }
        url
    }

    /// Makes a call and reads what it is answered with.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let answer = self.send(&call).await?;
        serde_json::from_slice(&answer.body).map_err(Error::Unreadable)
    }

    /// Makes a call; tries again as long as that can help, there are tries left, and the deadline allows it.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let began = Instant::now();
        let pauses = ExponentialBuilder::default()
            .with_min_delay(PAUSE_FIRST)
            .with_max_delay(PAUSE_MAX)
            .with_max_times(self.retries)
            .with_jitter();
        let mut pauses = pauses.build();
        loop {
            let left = self.deadline.saturating_sub(began.elapsed());
            let error = match self.attempt(call, left).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(pause) = pauses.next().filter(|_| error.is_transient()) else {
                return Err(error);
            };
            // Jitter on top: all those who were told the same time must not come back together.
            let pause = error.retry_after().map_or(pause, |asked| asked + pause);
            if began.elapsed() + pause >= self.deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, call: &Call, left: Duration) -> Result<Answer, Error> {
        let response = self.begin(call, Some(left.min(ATTEMPT_DEADLINE))).await?;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            let body = response.bytes().await.map_err(Error::Unanswered)?;
            return Ok(Answer { status, body: body.into() });
        }
        Err(refused(response).await)
    }

    /// Makes a call whose answer is read as it comes. It is not made again: what was read may differ.
    pub(crate) async fn open(&self, call: &Call) -> Result<Response, Error> {
        let begun =
            tokio::time::timeout(self.deadline.min(ATTEMPT_DEADLINE), self.begin(call, None));
        let response = begun.await.map_err(|_| Error::BrokenOff)??;
        if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
    }

    async fn begin(&self, call: &Call, deadline: Option<Duration>) -> Result<Response, Error> {
        let mut request = self.http.request(call.method.clone(), call.url.clone());
        if let Some(deadline) = deadline {
            request = request.timeout(deadline);
        }
        let mut headers = self.headers.clone();
        for (name, _) in &call.headers {
            headers.remove(name);
        }
        request = request.headers(headers);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(Error::Unanswered)
    }
}

/// What an answer that is no success says.
async fn refused(response: Response) -> Error {
    let status = response.status().as_u16();
    let media_type = response.headers().get(CONTENT_TYPE).cloned();
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return Error::Unanswered(error),
    };
    if media_type.is_some_and(|found| found.as_bytes() == PROBLEM_JSON.as_bytes())
        && let Ok(problem) = serde_json::from_slice::<Problem>(&body)
    {
        return Error::Refused(problem);
    }
    let detail = String::from_utf8_lossy(&body).chars().take(DETAIL_MAX_CHARS).collect();
    Error::Unexpected { status, detail }
}
