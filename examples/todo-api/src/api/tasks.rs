//! The tasks themselves: made, read, changed, deleted, done.

use super::{Addressed, Api, Edit, IDEMPOTENCY_KEY};
use crate::answer::{self, Failure};
use crate::body;
use crate::change::{Change, Expected};
use crate::document::Document;
use crate::store::Changed;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{HeaderMap, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use reminder_contract::Problem;
use reminder_contract::wire::parse_task_id;
use reminder_domain::ids::Person;
use reminder_member::Flow;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

/// Tasks on a page, and how many there may be.
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 100;

/// Makes a task. Its id is made as well, from the `Idempotency-Key` if there is one: the same call once
/// more is answered with the same task.
#[utoipa::path(post, path = "/v1/tasks", tag = "tasks",
    params(("idempotency-key" = Option<String>, Header, description = "Names this call")),
    request_body(content = Value, content_type = "application/json"),
    responses((status = 201, description = "The task; `ETag` and `Location` name it", body = Value),
        (status = 409, description = "The key was used for another task, or the user has too many"),
        (status = 422, description = "A field cannot be used; `field` says which")))]
pub(crate) async fn create(
    State(api): State<Api>,
    Extension(flow): Extension<Flow>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let task = body::task(body::json(&body)?)?;
    let id = match headers.get(&IDEMPOTENCY_KEY) {
        Some(key) => {
            let user = task.user_id.as_ref().map_or("", Person::as_str);
            let name = [user.as_bytes(), key.as_bytes()].join(&0);
            format!("{:032x}", xxh3_128(&name))
        }
        None => Uuid::now_v7().to_string(),
    };
    let id = parse_task_id(&id)?;
    let change = Change::Create(Box::new(task));
    let changed = api.change(&id, &change, Expected::Anything, &flow).await?;
    Ok(created(&changed))
}

/// A user's tasks, in the order in which they were made. `next` of a page is the `after` of the next one.
#[utoipa::path(get, path = "/v1/tasks", tag = "tasks",
    params(("userId" = String, Query, description = "Whose tasks"),
        ("status" = Option<String>, Query, description = "`open` or `completed`; all without it"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Tasks on the page: 1 to 100, else 50")),
    responses((status = 200, description = "`tasks`, and `next` (null on the last page)", body = Value)))]
pub(crate) async fn list(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Failure> {
    let user = query.user_id.ok_or_else(|| Problem::invalid("userId", "is missing"))?;
    let user = Person::parse(user).map_err(|e| Problem::invalid("userId", &e.to_string()))?;
    let open = match query.status.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("completed") => Some(false),
        Some(_) => return Err(Problem::invalid("status", "must be open or completed").into()),
    };
    let after = query.after.as_deref().map(parse_task_id).transpose()?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::invalid("limit", "must lie between 1 and 100").into());
    }
    let page = api.store.page(&user, open, after.as_ref(), limit).await?;
    let tasks: Vec<_> = page.documents.iter().map(Document::told).collect();
    Ok(Json(json!({ "tasks": tasks, "next": page.next })).into_response())
}

/// What a list is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListQuery {
    user_id: Option<String>,
    status: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// A task.
#[utoipa::path(get, path = "/v1/tasks/{id}", tag = "tasks", params(("id" = String, Path)),
    responses((status = 200, description = "The task; its `ETag` names this revision", body = Value),
        (status = 404, description = "There is no such task")))]
pub(crate) async fn read(
    State(api): State<Api>,
    Addressed { id, .. }: Addressed,
) -> Result<Response, Failure> {
    Ok(answer::task(StatusCode::OK, &api.known(&id).await?))
}

/// Makes a task of this id, or replaces all of it.
#[utoipa::path(put, path = "/v1/tasks/{id}", tag = "tasks",
    params(("id" = String, Path), ("if-match" = Option<String>, Header, description = "An `ETag`, or `*`")),
    request_body(content = Value, content_type = "application/json"),
    responses((status = 200, description = "The task", body = Value),
        (status = 201, description = "The task, which is new", body = Value),
        (status = 412, description = "The task is at another revision than `If-Match` says"),
        (status = 422, description = "A field cannot be used; `field` says which")))]
pub(crate) async fn replace(
    State(api): State<Api>,
    edit: Edit,
    body: Bytes,
) -> Result<Response, Failure> {
    let change = Change::Put(Box::new(body::task(body::json(&body)?)?));
    let changed = api.edit(edit, change).await?;
    Ok(if changed.document.version == 1 && changed.written {
        created(&changed)
    } else {
        answer::task(StatusCode::OK, &changed.document)
    })
}

/// Changes some fields of a task, by a JSON merge patch (RFC 7396): null takes a field away.
#[utoipa::path(patch, path = "/v1/tasks/{id}", tag = "tasks",
    params(("id" = String, Path), ("if-match" = Option<String>, Header, description = "An `ETag`, or `*`")),
    request_body(content = Value, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The task", body = Value),
        (status = 404, description = "There is no such task"),
        (status = 412, description = "The task is at another revision than `If-Match` says"),
        (status = 422, description = "A field cannot be used; `field` says which")))]
pub(crate) async fn patch(
    State(api): State<Api>,
    edit: Edit,
    body: Bytes,
) -> Result<Response, Failure> {
    let patch: Value = body::json(&body)?;
    api.edited(edit, Change::Patch(patch)).await
}

/// Deletes a task: nothing of it fires any more.
#[utoipa::path(delete, path = "/v1/tasks/{id}", tag = "tasks",
    params(("id" = String, Path), ("if-match" = Option<String>, Header, description = "An `ETag`, or `*`")),
    responses((status = 204, description = "It is gone"),
        (status = 404, description = "There is no such task"),
        (status = 412, description = "The task is at another revision than `If-Match` says")))]
pub(crate) async fn delete(State(api): State<Api>, edit: Edit) -> Result<Response, Failure> {
    api.edit(edit, Change::Delete).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A task is done. A recurring one comes back at its next occurrence, as soon as the scheduler says so.
#[utoipa::path(post, path = "/v1/tasks/{id}/complete", tag = "tasks",
    params(("id" = String, Path), ("if-match" = Option<String>, Header, description = "An `ETag`, or `*`")),
    responses((status = 200, description = "The task", body = Value),
        (status = 404, description = "There is no such task"),
        (status = 412, description = "The task is at another revision than `If-Match` says")))]
pub(crate) async fn complete(State(api): State<Api>, edit: Edit) -> Result<Response, Failure> {
    api.edited(edit, Change::Complete).await
}

/// A task is not done after all.
#[utoipa::path(post, path = "/v1/tasks/{id}/reopen", tag = "tasks",
    params(("id" = String, Path), ("if-match" = Option<String>, Header, description = "An `ETag`, or `*`")),
    responses((status = 200, description = "The task", body = Value),
        (status = 404, description = "There is no such task"),
        (status = 412, description = "The task is at another revision than `If-Match` says")))]
pub(crate) async fn reopen(State(api): State<Api>, edit: Edit) -> Result<Response, Failure> {
    api.edited(edit, Change::Reopen).await
}

fn created(changed: &Changed) -> Response {
    let document = &changed.document;
    let mut response = answer::task(StatusCode::CREATED, document);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/tasks/{}", document.task_id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
