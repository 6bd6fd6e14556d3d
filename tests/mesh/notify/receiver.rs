//! A receiver of webhooks that remembers what it got and answers as it is told.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

impl Hook {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The identity of the message.
    pub(super) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(super) fn body(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(super) fn link(&self, name: &str) -> String {
        self.body()["data"]["links"][name].as_str().unwrap().to_owned()
    }
}

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// With this status.
    Status(u16),
    /// That it has no time for so many seconds.
    Later(u32),
    /// Not at all, until it is told otherwise.
    Silent,
}

#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    got: Arc<Mutex<Vec<Hook>>>,
    count: watch::Sender<usize>,
    manner: watch::Sender<Manner>,
}

impl Receiver {
    pub(super) async fn listen(manner: Manner) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            got: Arc::default(),
            count: watch::Sender::new(0),
            manner: watch::Sender::new(manner),
        };
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        receiver
    }

    pub(super) fn answer_with(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    pub(super) fn got(&self) -> Vec<Hook> {
        self.got.lock().unwrap().clone()
    }

    /// All that came with that identity.
    pub(super) fn with_id(&self, id: &str) -> Vec<Hook> {
        self.got().into_iter().filter(|hook| hook.id() == id).collect()
    }

    /// The first one that is wanted, however long ago it came.
    pub(super) async fn find(&self, limit: Duration, wanted: impl Fn(&Hook) -> bool) -> Hook {
        self.until(limit, |hooks| hooks.iter().any(&wanted)).await;
        self.got().into_iter().find(wanted).unwrap()
    }

    /// Waits until what came is enough.
    pub(super) async fn until(&self, limit: Duration, enough: impl Fn(&[Hook]) -> bool) {
        let mut count = self.count.subscribe();
        let wait = count.wait_for(|_| enough(&self.got()));
        let came = tokio::time::timeout(limit, wait).await.is_ok();
        assert!(came, "not among what came: {:#?}", self.got());
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, bytes: Bytes) -> Response {
    receiver.got.lock().unwrap().push(Hook { headers, bytes });
    receiver.count.send_modify(|count| *count += 1);
    let mut manner = receiver.manner.subscribe();
    let answer = manner.wait_for(|manner| *manner != Manner::Silent).await.map(|manner| *manner);
    match answer {
        Ok(Manner::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Ok(Manner::Later(seconds)) => {
            let headers = [(RETRY_AFTER, seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
