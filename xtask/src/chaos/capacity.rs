//! How much the stack can do while all is well, so that the load stays far below it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::body;
use super::client::Client;
use super::consumer::Board;
use super::history::{Ms, now};
use super::random::Random;

/// Clients that send commands as fast as they are answered.
const CLIENTS: u64 = 24;

/// For how long, and when all of their reminders are due.
const SENDING: Duration = Duration::from_secs(4);
const DUE_AFTER_MS: Ms = 7_000;

/// Until all of them have fired and were read.
const DEADLINE: Duration = Duration::from_secs(120);

/// What was measured, per second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capacity {
    /// Commands that schedule a reminder.
    pub(super) commands: f64,
    /// Reminders that fire and are read from Kafka.
    pub(super) firings: f64,
}

impl Capacity {
    /// Commands a second, when each has a firing to go with it.
    pub(super) fn both(self) -> f64 {
        1.0 / (1.0 / self.commands + 1.0 / self.firings)
    }
}

/// Sends commands for some seconds and waits until their reminders, all due at once, have fired.
pub(super) async fn measure(run: &str, client: Arc<Client>, board: &Board) -> Result<Capacity> {
    let began = Instant::now();
    let due = now() + DUE_AFTER_MS;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (client, run) = (Arc::clone(&client), run.to_owned());
        clients.spawn(async move {
            let mut random = Random::of(0, "capacity", number);
            let mut tasks = Vec::new();
            while began.elapsed() < SENDING {
                let task = format!("{run}-{number}-{}", tasks.len());
                let body = json!({ "task": { "title": &task, "dueDate": body::rfc3339(due) } });
                let deadline = began + DEADLINE;
                let called = client.call(&task, "put", &body, &mut random, deadline).await;
                if called.is_some_and(|called| called.answer.is_ok()) {
                    tasks.push(task);
                }
            }
            tasks
        });
    }
    let tasks: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    let sending = began.elapsed();
    ensure!(!tasks.is_empty(), "no command was answered");
    let mut missing = tasks.len();
    for task in &tasks {
        let mut seen = board.watch(task);
        // It may have fired before we looked.
        let fired = || board.journal().told.get(task).is_some_and(|told| !told.triggers.is_empty());
        if fired() || timeout_at(began + DEADLINE, seen.recv()).await.is_ok() {
            missing -= 1;
        }
        board.forget(task);
    }
    ensure!(missing == 0, "{missing} of {} reminders did not fire: all is not well", tasks.len());
    let firing = Duration::from_millis(u64::try_from(now() - due).unwrap_or(0).max(1));
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = tasks.len() as f64;
    Ok(Capacity { commands: count / sending.as_secs_f64(), firings: count / firing.as_secs_f64() })
}
