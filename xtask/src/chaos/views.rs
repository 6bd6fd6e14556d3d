//! How the tasks stand at the end, as `get` tells.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::history::{TaskView, View};
use super::random::Random;
use super::workload::Stage;

/// Tasks that are asked; of more, a sample that is spread evenly.
const ASKED_MAX: usize = 2_000;

/// How many are asked at the same time.
const CLIENTS: usize = 16;

/// The status of a refusal that says there is no such task.
const UNKNOWN: u16 = 404;

/// Asks for the tasks; one that does not answer by then is left out.
pub(super) async fn ask(
    stage: &Arc<Stage>,
    tasks: Vec<String>,
    deadline: Instant,
) -> BTreeMap<String, View> {
    let every = tasks.len().div_ceil(ASKED_MAX).max(1);
    let sample: Vec<String> = tasks.into_iter().step_by(every).collect();
    let share = sample.len().div_ceil(CLIENTS).max(1);
    let mut clients = JoinSet::new();
    for (number, tasks) in sample.chunks(share).enumerate() {
        let (stage, tasks) = (Arc::clone(stage), tasks.to_vec());
        clients.spawn(async move {
            let mut random = Random::of(stage.seed, "views", number as u64);
            let mut views = Vec::new();
            for task in tasks {
                let body = json!({});
                let call = stage.client.call(&task, "get", &body, &mut random, deadline).await;
                let Some(called) = call else { continue };
                let view = match called.answer {
                    Ok(answer) => View { task: read(&answer) },
                    Err(problem) if problem.status == UNKNOWN => View { task: None },
                    Err(_) => continue,
                };
                views.push((task, view));
            }
            views
        });
    }
    clients.join_all().await.into_iter().flatten().collect()
}

fn read(answer: &Value) -> Option<TaskView> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let reminders = answer["reminders"].as_array()?;
    Some(TaskView {
        version: answer["version"].as_u64()?,
        title: text(&answer["task"]["title"]),
        status: text(&answer["task"]["status"]),
        reminders: reminders.iter().map(|reminder| text(&reminder["id"])).collect(),
    })
}
