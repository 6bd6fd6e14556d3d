//! Many commands in one call: those about one task one after the other, tasks beside each other.

use super::Rest;
use super::answer::Refusal;
use super::asked::{Asked, Meta};
use super::body;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use futures_util::stream::{self, StreamExt};
use reminder_contract::rest::{
    BATCH_MAX_BYTES, BatchAnswer, BatchResult, JSON, UnreadItem, parse_batch,
};
use reminder_contract::wire::{CommandAnswer, parse_task_id};
use reminder_contract::{Problem, ProblemKind};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_128;

/// Tasks that a batch works on at the same time; half of the places for commands by default.
const TASKS_AT_ONCE: usize = 32;
/// How long a batch may take. Shorter than callers and proxies usually wait.
const BATCH_DEADLINE: Duration = Duration::from_secs(25);

/// Sends up to a thousand commands; each has a result of its own.
#[utoipa::path(post, path = "/v1/tasks:batch", tag = "tasks", request_body(content = ref("#/components/schemas/Batch"), content_type = "application/json"), responses((status = 200, description = "A result for each command, in their order", content_type = "application/json", body = ref("#/components/schemas/BatchAnswer"))))]
pub(super) async fn commands(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Json<BatchAnswer>, Refusal> {
    asked.without_query()?;
    let body = body::read(&asked.headers, body, JSON, BATCH_MAX_BYTES).await?;
    let items = parse_batch(body::json(&body)?.get().as_bytes())?;
    let until = Instant::now() + BATCH_DEADLINE;
    let count = items.len();
    let (rest, meta) = (&rest, &asked.meta);
    let groups = by_task(items).into_iter().map(|group| in_order(rest, meta, group, until));
    // As a list, for the compiler cannot tell that a stream with this closure may go to another thread.
    let groups: Vec<_> = groups.collect();
    let done = stream::iter(groups).buffer_unordered(TASKS_AT_ONCE);
    let mut results: Vec<(usize, BatchResult)> =
        done.concat().await.into_iter().collect::<Vec<_>>();
    debug_assert_eq!(results.len(), count, "each item has a result");
    results.sort_unstable_by_key(|(index, _)| *index);
    Ok(Json(BatchAnswer { results: results.into_iter().map(|(_, result)| result).collect() }))
}

/// The items of each task in their order, with their places.
fn by_task(items: Vec<UnreadItem<'_>>) -> Vec<Vec<(usize, UnreadItem<'_>)>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Vec<(usize, UnreadItem<'_>)>> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let place = *places.entry(item.task_id.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push((index, item));
    }
    groups
}

/// What becomes of the commands to one task.
async fn in_order(
    rest: &Rest,
    meta: &Meta,
    group: Vec<(usize, UnreadItem<'_>)>,
    until: Instant,
) -> Vec<(usize, BatchResult)> {
    let mut results = Vec::with_capacity(group.len());
    for (index, item) in group {
        results.push((index, one(rest, meta, index, item, until).await));
    }
    results
}

async fn one(
    rest: &Rest,
    meta: &Meta,
    index: usize,
    item: UnreadItem<'_>,
    until: Instant,
) -> BatchResult {
    let task_id = item.task_id.clone().into_owned();
    let sent = tokio::time::timeout_at(until, send(rest, meta, index, item)).await;
    let late = || Err(Problem::unavailable("the batch took too long; send this command again"));
    match sent.unwrap_or_else(|_| late()) {
        Ok(answer) => {
            let status = if answer.created == Some(true) { 201 } else { 200 };
            BatchResult { task_id, status, answer: Some(answer), problem: None }
        }
        Err(problem) => {
            BatchResult { task_id, status: problem.status, answer: None, problem: Some(problem) }
        }
    }
}

async fn send(
    rest: &Rest,
    meta: &Meta,
    index: usize,
    item: UnreadItem<'_>,
) -> Result<CommandAnswer<'static>, Problem> {
    let id = parse_task_id(&item.task_id)?;
    let mut body = item.body().map_err(|problem| problem.with_task_id(&id))?;
    // What the headers say holds for every item that does not say otherwise.
    let key = meta.command_id.as_ref().map(|key| key_of_item(key.as_str(), index));
    let correlation_id = meta.correlation_id.as_ref().map(ToString::to_string);
    let traceparent = meta.traceparent.as_ref().map(ToString::to_string);
    for (name, value) in
        [("commandId", key), ("correlationId", correlation_id), ("traceparent", traceparent)]
    {
        if let Some(value) = value {
            body.entry(name).or_insert_with(|| json!(value));
        }
    }
    // Whatever the item says of it.
    if let Some(user) = &meta.as_user {
        body.insert("asUser".to_owned(), json!(user));
    }
    let body = serde_json::Value::Object(body).to_string().into_bytes();
    let answered = rest.task(&id, item.method.as_str(), body).await?;
    serde_json::from_slice(&answered.body).map_err(|error| {
        tracing::error!(task.id = %id, %error, "an actor answered what is no answer");
        Problem::new(ProblemKind::Unavailable, "the answer could not be read")
    })
}

/// Names a command of a batch by the key of the batch and its place there.
fn key_of_item(key: &str, index: usize) -> String {
    format!("batch-{:032x}-{index}", xxh3_128(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_task_stay_in_their_order() {
        let body = br#"{"items":[{"method":"put","taskId":"a","task":{}},{"method":"complete","taskId":"b"},
                        {"method":"complete","taskId":"a"}]}"#;
        let groups = by_task(parse_batch(body).unwrap());
        let places: Vec<Vec<usize>> =
            groups.iter().map(|group| group.iter().map(|(index, _)| *index).collect()).collect();
        assert_eq!(places, [vec![0, 2], vec![1]]);
        assert_ne!(key_of_item("k", 1), key_of_item("k", 2));
    }
}
