//! An actor that does nothing but one state transaction: what bare Dapr does, on the same sidecar.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use chrono::Utc;
use reminder_contract::names::APP_HEALTH_PATH;
use reminder_stack::{Part, Stack, probe};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::sidecar::Grpc;

const ACTOR_TYPE: &str = "ProbeActor";

/// What a sidecar asks at its start.
const CONFIG: &str = r#"{"entities":["ProbeActor"]}"#;

/// As large as the state of a usual task.
const STATE_BYTES: usize = 1_500;
/// As large as a usual event.
const CALL_BYTES: usize = 700;

/// Until the sidecar has found the actor.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Calls before the measured ones.
const WARM_UP: usize = 500;

/// How many calls a second are answered, so many at once, each to an actor of its own as with new
/// tasks. The application of the stack must be down: the probe takes its port.
pub(super) async fn rate(stack: &Stack, calls: usize, concurrency: usize) -> Result<f64> {
    let manifest = stack.manifest()?;
    let grpc = Grpc::of(&manifest)?;
    let listener = TcpListener::bind(("127.0.0.1", manifest.replica(1)?.app_port)).await?;
    let server = tokio::spawn(axum::serve(listener, app(grpc.clone())).into_future());
    // A sidecar asks once which actors there are.
    stack.stop(Part::Sidecar(1)).await?;
    stack.start(Part::Sidecar(1)).await?;
    let answers = || async { grpc.call(ACTOR_TYPE, "ready".into(), Vec::new()).await.ok() };
    probe::until(READY_DEADLINE, answers).await.context("the probe actor does not answer")?;
    let run = format!("probe-{:x}", Utc::now().timestamp_millis());
    burst(&grpc, &format!("{run}-warm"), WARM_UP, concurrency).await?;
    let took = burst(&grpc, &run, calls, concurrency).await?;
    server.abort();
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
    Ok(calls as f64 / took.as_secs_f64())
}

fn app(grpc: Grpc) -> Router {
    Router::new()
        .route("/dapr/config", get(|| async { ([("content-type", "application/json")], CONFIG) }))
        .route("/dapr/subscribe", get(|| async { ([("content-type", "application/json")], "[]") }))
        .route(APP_HEALTH_PATH, get(|| async {}))
        .route("/actors/{actor_type}/{id}", axum::routing::delete(|| async {}))
        .route("/actors/{actor_type}/{id}/method/{method}", put(touched))
        .with_state(grpc)
}

async fn touched(
    State(grpc): State<Grpc>,
    Path((actor_type, id, _)): Path<(String, String, String)>,
) -> StatusCode {
    match grpc.save(&actor_type, id, vec![b'x'; STATE_BYTES]).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn burst(grpc: &Grpc, run: &str, calls: usize, concurrency: usize) -> Result<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..concurrency {
        let (grpc, next, run) = (grpc.clone(), Arc::clone(&next), run.to_owned());
        callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return Ok::<_, anyhow::Error>(());
                }
                grpc.call(ACTOR_TYPE, format!("{run}-{number}"), vec![b'x'; CALL_BYTES]).await?;
            }
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}
