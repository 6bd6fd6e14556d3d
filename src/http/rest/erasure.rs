//! Everything of one user goes, on request; and how far that is.

use super::Rest;
use super::answer::{self, Refusal};
use super::asked::{Asked, OfUser};
use super::lists::unanswered;
use crate::read_model::ErasureProgress;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reminder_contract::rest::ErasureView;
use reminder_contract::{Problem, ProblemKind};
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;

/// Has everything of a user erased: the request is kept, and the answer says what there is to do.
#[utoipa::path(delete, path = "/v1/users/{userId}", tag = "users", responses((status = 202, description = "It is under way; asked for once more, it goes on", content_type = "application/json", body = ref("#/components/schemas/ErasureView"))))]
pub(super) async fn request(
    State(rest): State<Rest>,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    let user = match asked.of_user()? {
        (user, OfUser::All) => user,
        (_, what) => return Ok(what.not_here()),
    };
    asked.without_query()?;
    rest.listing.request_erasure(&user).await.map_err(|error| unanswered(&error))?;
    tracing::info!(correlation.id = ?asked.meta.correlation_id, "the erasure of a user was asked for");
    let progress = rest.listing.erasure(&user).await.map_err(|error| unanswered(&error))?;
    let mut response = answer::untagged(shown(&user, &progress)?);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response.into_response())
}

/// How the erasure of a user stands.
#[utoipa::path(get, path = "/v1/users/{userId}/erasure", tag = "users", responses((status = 200, description = "How far it is; with `erasing` false and no tasks, nothing is left", content_type = "application/json", body = ref("#/components/schemas/ErasureView"))))]
pub(super) async fn progress(
    rest: Rest,
    user: &Person,
    mut asked: Asked,
) -> Result<Response, Refusal> {
    asked.without_query()?;
    let progress = rest.listing.erasure(user).await.map_err(|error| unanswered(&error))?;
    Ok(answer::untagged(shown(user, &progress)?))
}

fn shown(user: &Person, progress: &ErasureProgress) -> Result<Vec<u8>, Problem> {
    let view = ErasureView {
        user_id: user.as_str().to_owned(),
        erasing: progress.requested_ms.is_some(),
        requested_at: progress.requested_ms.map(Timestamp::from_millis),
        erased: progress.erased,
        tasks: progress.tasks,
    };
    serde_json::to_vec(&view)
        .map_err(|error| Problem::new(ProblemKind::Unavailable, error.to_string()))
}
