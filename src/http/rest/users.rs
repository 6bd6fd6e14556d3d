//! What a user prefers.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES, OfUser};
use super::body::{self, MethodBody};
use super::call::precondition;
use super::erasure;
use super::export;
use super::precondition::is_known;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::rest::JSON;
use reminder_domain::ids::Person;

/// What is read of a user. The id may have slashes, so all of it is one route.
pub(super) async fn get(State(rest): State<Rest>, asked: Asked) -> Result<Response, Refusal> {
    match asked.of_user()? {
        (user, OfUser::Preferences) => read(&rest, &user, asked).await,
        (user, OfUser::Export) => export::export(rest, user, asked).await,
        (user, OfUser::Erasure) => erasure::progress(rest, &user, asked).await,
        (_, what) => Ok(what.not_here()),
    }
}

/// What is not understood by any path of a user.
pub(super) async fn not_here(asked: Asked) -> Result<Response, Refusal> {
    asked.of_user().map(|(_, what)| what.not_here()).map_err(Refusal::from)
}

/// What holds for a user, the defaults included.
#[utoipa::path(get, path = "/v1/users/{userId}/preferences", tag = "users", responses((status = 200, description = "What holds, and how far the tasks have followed", content_type = "application/json", body = ref("#/components/schemas/UserView")), (status = 304, description = "It still is at the version of `If-None-Match`")))]
pub(super) async fn read(
    rest: &Rest,
    user: &Person,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    asked.without_query()?;
    let answered = rest.user(user, "get", MethodBody::empty()).await?;
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
    let user = match asked.of_user()? {
        (user, OfUser::Preferences) => user,
        (_, what) => return Ok(what.not_here()),
    };
    let expected = asked.expected_of_user(&user)?;
    asked.without_query()?;
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let preferences = body::json(&body)?;
    let put = MethodBody::to_user(&asked.meta, expected.version()).with("preferences", preferences);
    let answered = rest.user(&user, "put", put).await;
    let answered =
        answered.map_err(|problem| precondition(problem, expected).within("preferences"))?;
    Ok(answer::json(answered.version, answered.body))
}
