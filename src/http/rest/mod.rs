//! The REST edge: resources over HTTP, translated into calls of the actors.
//!
//! Every command goes through the sidecar to the actor of its task, wherever that lives, so that turns
//! keep their order; lists come from the read model. Statuses are true ones, and every refusal is a
//! problem (RFC 9457). `docs/rest-api.md` is its reference.

pub mod access;
mod actions;
pub(in crate::http) mod answer;
pub(in crate::http) mod asked;
mod batch;
pub(in crate::http) mod body;
mod calendar;
mod call;
mod cursor;
mod erasure;
mod export;
mod isolation;
pub(in crate::http) mod lists;
mod merge;
pub(in crate::http) mod observe;
pub mod openapi;
pub(in crate::http) mod params;
mod pauses;
mod places;
mod precondition;
mod rate;
mod tasks;
#[cfg(test)]
mod tests;
mod users;

use crate::http::guard::{self, Hosts};
use crate::ports::ActorApi;
use crate::read_model::Listing;
use access::Access;
use answer::Refusal;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware;
use axum::routing::{get, post};
use reminder_contract::{Problem, ProblemKind};
use std::num::NonZeroU32;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the handlers need.
#[derive(Clone)]
pub struct Rest {
    actors: Arc<dyn ActorApi>,
    listing: Arc<Listing>,
    /// Places for exports of users.
    exports: Arc<Semaphore>,
}

impl Rest {
    /// An edge in front of these actors and lists.
    pub fn new(actors: Arc<dyn ActorApi>, listing: Arc<Listing>) -> Self {
        Self { actors, listing, exports: export::places() }
    }
}

/// Every route of the edge. Each caller may call so often a second; `None`: as often as it likes.
pub(super) fn routes(
    rest: Rest,
    access: &Arc<Access>,
    hosts: Hosts,
    per_second: Option<NonZeroU32>,
) -> Router {
    let resources = Router::new()
        .route("/v1/tasks", get(lists::tasks))
        .route("/v1/reminders", get(lists::reminders))
        .route("/v1/tasks:batch", post(batch::commands))
        .route(
            "/v1/tasks/{taskId}",
            get(tasks::read).put(tasks::put).patch(tasks::patch).delete(tasks::delete),
        )
        .route("/v1/tasks/{taskId}/complete", post(actions::complete))
        .route("/v1/tasks/{taskId}/reopen", post(actions::reopen))
        .route("/v1/tasks/{taskId}/skip", post(actions::skip))
        .route("/v1/tasks/{taskId}/snooze", post(actions::snooze))
        .route("/v1/tasks/{taskId}/acknowledge", post(actions::acknowledge))
        .route("/v1/tasks/{taskId}/dismiss", post(actions::dismiss))
        .route("/v1/tasks/{taskId}/pause", post(actions::pause))
        .route("/v1/tasks/{taskId}/resume", post(actions::resume))
        .route("/v1/tasks/{taskId}/preview", get(actions::preview))
        .route("/v1/tasks/{taskId}/explain", get(actions::explain))
        .route(
            "/v1/tasks/{taskId}/reminders/{reminderId}",
            axum::routing::put(actions::put_reminder).delete(actions::remove_reminder),
        )
        .route("/v1/tasks/{taskId}/calendar", get(calendar::export).put(calendar::import))
        // A sidecar hands `%2F` on as `/`, so the user may be more than one part of the path.
        .route(
            observe::USERS,
            get(users::get)
                .put(users::put)
                .post(pauses::act)
                .delete(erasure::request)
                .fallback(users::not_here),
        )
        .route("/v1/{*path}", axum::routing::any(nowhere))
        .method_not_allowed_fallback(not_here)
        // Each handler reads its body itself, up to its own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(isolation::check))
        .layer(middleware::from_fn_with_state(places::places(), places::take))
        .layer(middleware::from_fn_with_state(rate::of(per_second), rate::check))
        .layer(middleware::from_fn_with_state(Arc::clone(access), access::check))
        .with_state(rest);
    guard::guarded(resources.merge(openapi::routes()), hosts)
}

/// Puts before other routes what calls of the edge have to pass: the token, and a bound on how many are
/// under way. They are for those who may see everything.
pub(in crate::http) fn admitted(routes: Router, access: Arc<Access>) -> Router {
    routes
        .layer(middleware::from_fn(isolation::check))
        .layer(middleware::from_fn_with_state(places::places(), places::take))
        .layer(middleware::from_fn_with_state(access, access::check))
}

/// Tells that there is nothing at a path.
pub(super) async fn nowhere(uri: Uri) -> Refusal {
    let detail = format!("there is no {}; see /openapi.json for what there is", uri.path());
    Problem::new(ProblemKind::UnknownPath, detail).into()
}

/// axum adds `Allow`.
async fn not_here(method: axum::http::Method, uri: Uri) -> Refusal {
    let detail = format!("{} does not understand {method}", uri.path());
    Problem::new(ProblemKind::MethodNotAllowed, detail).into()
}
