//! What a user prefers.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES, OfUser};
use super::body::{self, MethodBody};
use super::call::precondition;
use super::erasure;
use super::precondition::{Expected, is_known};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::rest::JSON;
use reminder_contract::{Problem, ProblemKind};

/// What holds for a user, the defaults included.
#[utoipa::path(get, path = "/v1/users/{userId}/preferences", tag = "users", responses((status = 200, description = "What holds, and how far the tasks have followed", content_type = "application/json", body = ref("#/components/schemas/UserView")), (status = 304, description = "It still is at the version of `If-None-Match`")))]
pub(super) async fn read(State(rest): State<Rest>, mut asked: Asked) -> Result<Response, Refusal> {
    let user = match asked.of_user()? {
        (user, OfUser::Preferences) => user,
        (user, OfUser::Erasure) => return erasure::progress(rest, &user, asked).await,
        (_, what @ OfUser::All) => return Ok(what.not_here()),
    };
    asked.without_query()?;
    let answered = rest.user(&user, "get", MethodBody::empty()).await?;
    // How far the tasks have followed changes without a version, so a tag is only as good as the version.
    if is_known(&asked.headers, answered.version)? {
        return Ok(answer::unchanged(answered.version));
    }
    Ok(answer::json(answered.version, answered.body))
}

/// Replaces all of a user's preferences.
#[utoipa::path(put, path = "/v1/users/{userId}/preferences", tag = "users", request_body(content = ref("#/components/schemas/Preferences"), content_type = "application/json"), responses((status = 200, description = "Applied, now or before", content_type = "application/json", body = ref("#/components/schemas/UserAnswer"))))]
pub(super) async fn put(
    State(rest): State<Rest>,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let (user, expected) = match asked.of_user()? {
        (user, OfUser::Preferences) => (user, asked.expected()?),
        (_, what) => return Ok(what.not_here()),
    };
    asked.without_query()?;
    if matches!(expected, Expected::Existing | Expected::Never) {
        let detail =
            "If-Match takes one strong ETag here: every user has preferences, at version 0 first";
        return Err(Problem::new(ProblemKind::PreconditionFailed, detail)
            .with_user_id(&user)
            .into());
    }
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let preferences = body::json(&body)?;
    let put = MethodBody::new(&asked.meta, expected.version()).with("preferences", preferences);
    let answered = rest.user(&user, "put", put).await;
    let answered =
        answered.map_err(|problem| precondition(problem, expected).within("preferences"))?;
    Ok(answer::json(answered.version, answered.body))
}
