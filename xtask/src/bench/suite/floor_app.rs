//! The floor: an actor that does the least that a durable reminder on Dapr can do. It runs as a process
//! of its own beside a sidecar of its own, as the service does.
//!
//! `noop` does nothing, `far` makes one state transaction, `near` registers a reminder and makes one
//! transaction, `arm` registers one whose firing does nothing. The name of a reminder tells what its
//! firing does and when it is due, so that nothing has to be looked up.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use clap::Args;
use reminder_contract::names::APP_HEALTH_PATH;
use rustix::process::{Signal, set_parent_process_death_signal};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::bench::sidecar::Grpc;

/// The type of the actor.
pub(in crate::bench) const ACTOR_TYPE: &str = "FloorActor";

const CONFIG: &str = r#"{"entities":["FloorActor"]}"#;
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// As much as the issue asks for: the state of a usual task.
const STATE_BYTES: usize = 1_024;

/// What a firing does, as the first part of a reminder's name.
const SAVE: &str = "save";
const NOOP: &str = "noop";

/// Where it tells what has fired, and where it forgets it.
pub(super) const FIRED_PATH: &str = "/fired";
pub(super) const FORGET_PATH: &str = "/forget";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the sidecar finds it
    #[arg(long, value_name = "PORT")]
    port: u16,

    /// The sidecar's gRPC port
    #[arg(long, value_name = "PORT")]
    grpc_port: u16,
}

/// What has fired since it was last forgotten.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fired {
    /// Of each firing, how late it began, in ms; each actor counts once.
    pub(super) late_ms: Vec<i64>,
    /// When the last one had done its work, by the clock.
    pub(super) last_done: Option<DateTime<Utc>>,
    pub(super) repeats: usize,
    #[serde(skip)]
    known: HashSet<String>,
}

impl Fired {
    fn note(&mut self, id: String, late_ms: i64, done: DateTime<Utc>) {
        if self.known.insert(id) {
            self.late_ms.push(late_ms);
            self.last_done = self.last_done.max(Some(done));
        } else {
            self.repeats += 1;
        }
    }
}

#[derive(Clone)]
struct Floor {
    sidecar: Grpc,
    fired: Arc<Mutex<Fired>>,
}

/// Serves until it is stopped, and ends with whoever has started it.
pub(crate) async fn serve(options: &Options) -> Result<bool> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let sidecar = Grpc::at(options.grpc_port)?;
    axum::serve(listener, app(Floor { sidecar, fired: Arc::default() })).await?;
    Ok(true)
}

fn app(floor: Floor) -> Router {
    Router::new()
        .route("/dapr/config", get(|| async { (JSON, CONFIG) }))
        .route("/dapr/subscribe", get(|| async { (JSON, "[]") }))
        .route(APP_HEALTH_PATH, get(|| async {}))
        .route("/actors/{actor_type}/{id}", delete(|| async {}))
        .route("/actors/{actor_type}/{id}/method/{method}", put(call))
        .route("/actors/{actor_type}/{id}/method/remind/{name}", put(fire))
        .route(FIRED_PATH, get(fired))
        .route(FORGET_PATH, get(forget))
        .with_state(floor)
}

/// As much of a command as registering needs.
#[derive(Deserialize)]
struct Put {
    task: Task,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    due_date: DateTime<Utc>,
}

async fn call(
    State(floor): State<Floor>,
    Path((_, id, method)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let done = match method.as_str() {
        "noop" => Ok(()),
        "far" => floor.save(&id).await,
        "near" => match floor.register(&id, SAVE, &body).await {
            Ok(()) => floor.save(&id).await,
            Err(error) => Err(error),
        },
        "arm" => floor.register(&id, NOOP, &body).await,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match done {
        Ok(()) => (JSON, "{}").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

async fn fire(
    State(floor): State<Floor>,
    Path((_, id, name)): Path<(String, String, String)>,
    _: Bytes,
) -> StatusCode {
    let began = Utc::now();
    let Some((work, due)) = read(&name) else { return StatusCode::NOT_FOUND };
    if work == SAVE && floor.save(&id).await.is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let late = began.timestamp_millis() - due;
    floor.fired.lock().unwrap_or_else(PoisonError::into_inner).note(id, late, Utc::now());
    StatusCode::OK
}

fn name(work: &str, due: DateTime<Utc>) -> String {
    format!("{work}-{}", due.timestamp_millis())
}

fn read(name: &str) -> Option<(&str, i64)> {
    let (work, due) = name.split_once('-')?;
    Some((work, due.parse().ok()?))
}

impl Floor {
    async fn save(&self, id: &str) -> Result<()> {
        self.sidecar.save(ACTOR_TYPE, id.to_owned(), vec![b'x'; STATE_BYTES]).await
    }

    async fn register(&self, id: &str, work: &str, body: &[u8]) -> Result<()> {
        let due = serde_json::from_slice::<Put>(body)?.task.due_date;
        self.sidecar.register(ACTOR_TYPE, id, name(work, due), due).await
    }
}

async fn fired(State(floor): State<Floor>) -> Response {
    let fired = floor.fired.lock().unwrap_or_else(PoisonError::into_inner);
    Json(&*fired).into_response()
}

async fn forget(State(floor): State<Floor>) {
    *floor.fired.lock().unwrap_or_else(PoisonError::into_inner) = Fired::default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_known_by_its_name() {
        let due = "2027-01-01T00:00:00.250Z".parse().unwrap();
        assert_eq!(read(&name(SAVE, due)), Some((SAVE, 1_798_761_600_250)));
        assert_eq!(read("save"), None);
    }

    #[test]
    fn each_actor_counts_once_and_the_last_one_ends_it() {
        let (mut fired, at) = (Fired::default(), Utc::now());
        fired.note("a".into(), 3, at);
        fired.note("b".into(), 2, at - chrono::Duration::seconds(1));
        fired.note("a".into(), 9, at + chrono::Duration::seconds(1));
        assert_eq!((fired.late_ms, fired.repeats, fired.last_done), (vec![3, 2], 1, Some(at)));
    }
}
