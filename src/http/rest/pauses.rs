//! What is done with all reminders of a user: paused and resumed.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, COMMAND_MAX_BYTES, OfUser};
use super::body::{self, MethodBody};
use super::call::precondition;
use super::precondition::Expected;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use reminder_contract::rest::JSON;
use reminder_contract::wire::Method;
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::ids::Person;

/// Pauses or resumes, as the path says.
pub(super) async fn act(
    State(rest): State<Rest>,
    asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    match asked.of_user()? {
        (user, OfUser::Pause) => pause(&rest, user, asked, body).await,
        (user, OfUser::Resume) => resume(&rest, user, asked, body).await,
        (_, what) => Ok(what.not_here()),
    }
}

/// Nothing of the user fires until it is resumed.
#[utoipa::path(post, path = "/v1/users/{userId}/pause", tag = "users", request_body(content = ref("#/components/schemas/Nothing"), content_type = "application/json"), responses((status = 200, description = "Applied, now or before; `tasks.outdated` have yet to follow", content_type = "application/json", body = ref("#/components/schemas/UserPaused"))))]
pub(super) async fn pause(
    rest: &Rest,
    user: Person,
    asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    command(rest, &user, Method::Pause, asked, body).await
}

/// The reminders of the user fire again.
#[utoipa::path(post, path = "/v1/users/{userId}/resume", tag = "users", request_body(content = ref("#/components/schemas/Resume"), content_type = "application/json"), responses((status = 200, description = "Applied, now or before; `tasks.outdated` have yet to follow", content_type = "application/json", body = ref("#/components/schemas/UserPaused"))))]
pub(super) async fn resume(
    rest: &Rest,
    user: Person,
    asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    command(rest, &user, Method::Resume, asked, body).await
}

async fn command(
    rest: &Rest,
    user: &Person,
    method: Method,
    mut asked: Asked,
    body: Body,
) -> Result<Response, Refusal> {
    let expected = asked.expected_of_user(user)?;
    asked.without_query()?;
    let body = body::read(&asked.headers, body, JSON, COMMAND_MAX_BYTES).await?;
    let fields = body::fields(&body)?;
    let body = MethodBody::to_user(&asked.meta, expected.version()).with_fields(fields);
    let answered = rest.user(user, method.as_str(), body).await;
    let answered = answered.map_err(|problem| precondition(problem, expected))?;
    Ok(answer::json(answered.version, answered.body))
}

impl Asked {
    /// What the caller expects of the version of a user, who is always there.
    pub(super) fn expected_of_user(&self, user: &Person) -> Result<Expected, Problem> {
        let expected = self.expected()?;
        if matches!(expected, Expected::Existing | Expected::Never) {
            let detail =
                "If-Match takes one strong ETag here: every user is there, at version 0 first";
            let problem = Problem::new(ProblemKind::PreconditionFailed, detail);
            return Err(problem.with_user_id(user));
        }
        Ok(expected)
    }
}
