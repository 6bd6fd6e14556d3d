//! What people say about a task.

use super::{Addressed, Api};
use crate::answer::Failure;
use crate::body::{self, CommentBody};
use crate::change::{Change, Expected};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reminder_contract::Problem;
use reminder_contract::data::Comment;
use reminder_domain::limits::PERSON_MAX_CHARS;
use reminder_member::clock;
use serde_json::json;
use std::borrow::Cow;

/// Longest comment, in characters.
const COMMENT_MAX_CHARS: usize = 2_000;

/// Adds a comment; the last 200 are kept.
#[utoipa::path(post, path = "/v1/tasks/{id}/comments", tag = "comments", params(("id" = String, Path)),
    request_body(content = Value, description = "`author` and `text`", content_type = "application/json"),
    responses((status = 201, description = "The comment", body = Value),
        (status = 404, description = "There is no such task")))]
pub(crate) async fn comment(
    State(api): State<Api>,
    Addressed { id, flow }: Addressed,
    body: Bytes,
) -> Result<Response, Failure> {
    let CommentBody { author, text } = body::json(&body)?;
    for (field, value, max) in
        [("author", &author, PERSON_MAX_CHARS), ("text", &text, COMMENT_MAX_CHARS)]
    {
        let chars = value.chars().count();
        if value.trim().is_empty() || chars > max {
            let reason = format!("must have 1 to {max} characters, but has {chars}");
            return Err(Problem::invalid(field, &reason).into());
        }
    }
    let comment = Comment { author: Cow::Owned(author), text: Cow::Owned(text), at: clock::now() };
    let change = Change::Comment(comment.clone());
    api.change(&id, &change, Expected::Anything, &flow).await?;
    Ok((StatusCode::CREATED, Json(comment)).into_response())
}

/// The comments of a task, oldest first.
#[utoipa::path(get, path = "/v1/tasks/{id}/comments", tag = "comments", params(("id" = String, Path)),
    responses((status = 200, description = "`comments`, and `count` of all there ever were", body = Value),
        (status = 404, description = "There is no such task")))]
pub(crate) async fn comments(
    State(api): State<Api>,
    Addressed { id, .. }: Addressed,
) -> Result<Response, Failure> {
    let document = api.known(&id).await?;
    let body = json!({ "comments": document.comments, "count": document.comment_count });
    Ok(Json(body).into_response())
}
