//! What a user prefers.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES};
use super::body::{self, MethodBody};
use super::call::precondition;
use super::export;
use super::precondition::{Expected, is_known};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reminder_contract::rest::JSON;
use reminder_contract::{Problem, ProblemKind};

/// What is read of a user. The id may have slashes, so all of it is one route.
pub(super) async fn get(rest: State<Rest>, asked: Asked) -> Result<Response, Refusal> {
    if asked.is_of_user("export") {
        return export::export(rest, asked).await;
    }
    read(rest, asked).await
}

/// Keeps other methods from what is there to be read: to the router, all that is about users is one route.
pub(super) async fn methods(request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let is_export = path.starts_with("/v1/users/") && path.ends_with("/export");
    if !is_export || matches!(*method, Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let detail = format!("{path} does not understand {method}");
    let mut response = Refusal(Problem::new(ProblemKind::MethodNotAllowed, detail)).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
    response
}

/// What holds for a user, the defaults included.
#[utoipa::path(get, path = "/v1/users/{userId}/preferences", tag = "users", responses((status = 200, description = "What holds, and how far the tasks have followed", content_type = "application/json", body = ref("#/components/schemas/UserView")), (status = 304, description = "It still is at the version of `If-None-Match`")))]
pub(super) async fn read(State(rest): State<Rest>, mut asked: Asked) -> Result<Response, Refusal> {
    let user = asked.user("preferences")?;
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
    let (user, expected) = (asked.user("preferences")?, asked.expected()?);
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
    let put = MethodBody::to_user(&asked.meta, expected.version()).with("preferences", preferences);
    let answered = rest.user(&user, "put", put).await;
    let answered =
        answered.map_err(|problem| precondition(problem, expected).within("preferences"))?;
    Ok(answer::json(answered.version, answered.body))
}
