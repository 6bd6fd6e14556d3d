//! An application that subscribes through a sidecar of its own, and notes what it is given.

use crate::sidecar::{Settings, Sidecar};
use crate::suite::Suite;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use reminder_contract::names::PUBSUB;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// What it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Success,
    /// It is of no use to try again.
    Drop,
    /// It could not be done.
    Fail,
    /// Nothing, ever.
    Silence,
}

/// One event that somebody was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Which of the subscribers.
    pub(crate) to: &'static str,
    pub(crate) task: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) sequence: u64,
}

/// What all subscribers of a test were given, in order.
#[derive(Clone)]
pub(crate) struct Heard(Arc<(Mutex<Vec<Delivery>>, watch::Sender<usize>)>);

impl Heard {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Mutex::default(), watch::Sender::new(0))))
    }

    fn note(&self, delivery: Delivery) {
        let mut all = self.0.0.lock().unwrap();
        all.push(delivery);
        self.0.1.send_replace(all.len());
    }

    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits until what was heard is enough.
    pub(crate) async fn until(
        &self,
        what: &str,
        limit: Duration,
        enough: impl Fn(&[Delivery]) -> bool,
    ) {
        let deadline = Instant::now() + limit;
        let mut news = self.0.1.subscribe();
        while !enough(&self.all()) {
            let news = timeout_at(deadline, news.changed()).await;
            assert!(news.is_ok(), "not within {limit:?}: {what}; {} were heard", self.all().len());
        }
    }
}

/// How one listens.
pub(crate) struct Interest {
    pub(crate) name: &'static str,
    pub(crate) group: String,
    pub(crate) topic: &'static str,
    pub(crate) dead_letters: Option<&'static str>,
}

/// How it answers.
type Judge = fn(&Delivery) -> Verdict;

/// A running one. Its application and its sidecar end with it.
pub(crate) struct Subscriber {
    sidecar: Sidecar,
    server: JoinHandle<()>,
}

struct App {
    run: String,
    interest: Interest,
    heard: Heard,
    judge: Judge,
}

impl Subscriber {
    /// Starts one and waits until its sidecar is ready.
    pub(crate) async fn start(
        suite: &Suite,
        interest: Interest,
        heard: &Heard,
        judge: Judge,
    ) -> Self {
        let app_id = suite.unique(interest.name);
        let group = interest.group.clone();
        let app = App { run: suite.run.clone(), interest, heard: heard.clone(), judge };
        let router = Router::new()
            .route("/dapr/subscribe", get(subscriptions))
            .route("/events", post(deliver))
            .with_state(Arc::new(app));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let app_port = Some(listener.local_addr().unwrap().port());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let settings =
            Settings { app_id: &app_id, group: &group, app_port, secrets: std::convert::identity };
        let sidecar = Sidecar::start(suite, &settings);
        sidecar.is_ready().await;
        Self { sidecar, server }
    }

    /// Both are gone at once, whatever they were at.
    pub(crate) async fn crash(mut self) {
        self.sidecar.crash().await;
        self.server.abort();
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn subscriptions(State(app): State<Arc<App>>) -> Json<Value> {
    let Interest { topic, dead_letters, .. } = &app.interest;
    let mut subscription = json!({ "pubsubname": PUBSUB, "topic": topic, "route": "/events" });
    if let Some(dead_letters) = dead_letters {
        subscription["deadLetterTopic"] = (*dead_letters).into();
    }
    Json(json!([subscription]))
}

async fn deliver(State(app): State<Arc<App>>, Json(event): Json<Value>) -> (StatusCode, String) {
    let status = |word: &str| (StatusCode::OK, json!({ "status": word }).to_string());
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let delivery = Delivery {
        to: app.interest.name,
        task: text("subject").trim_start_matches("task:").to_owned(),
        id: text("id"),
        kind: text("type"),
        sequence: text("sequence").parse().unwrap_or(0),
    };
    // A new group begins with everything that others have published before.
    if !delivery.task.contains(&app.run) {
        return status("SUCCESS");
    }
    let verdict = (app.judge)(&delivery);
    app.heard.note(delivery);
    match verdict {
        Verdict::Success => status("SUCCESS"),
        Verdict::Drop => status("DROP"),
        Verdict::Fail => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        Verdict::Silence => std::future::pending().await,
    }
}
