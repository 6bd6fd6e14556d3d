//! The console: a page for operators, and what it asks.
//!
//! The page itself is open, since it tells nothing; whatever it asks goes by the rules of the REST edge
//! ([`rest::access`]). A task, its timeline and what is done with it are asked of the REST edge; here is
//! what that has not: search by the beginning of an id, the load to come, the state of the service,
//! tasks that are parked, and what the audit found.

mod cached;
mod findings;
mod lateness;
mod load;
mod overview;
mod page;
mod parked;
mod policy;
mod repair;
mod search;

use super::guard::{self, Hosts};
use super::rest::access::Access;
use super::rest::{self, Rest};
use crate::config::ConsoleMode;
use crate::read_model::{ConsoleModel, UserLookup};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use cached::Cached;
use load::Load;
use overview::Overview;
use serde::Serialize;
use std::sync::Arc;

/// What the handlers need.
#[derive(Clone)]
pub struct Console {
    rest: Rest,
    model: Arc<ConsoleModel>,
    users: Arc<UserLookup>,
    epoch: u64,
    mode: ConsoleMode,
    load: Arc<Cached<Load>>,
    overview: Arc<Cached<Overview>>,
}

impl Console {
    /// A console of this run of the process.
    pub fn new(
        rest: Rest,
        model: Arc<ConsoleModel>,
        users: Arc<UserLookup>,
        epoch: u64,
        mode: ConsoleMode,
    ) -> Self {
        let (load, overview) = (Arc::default(), Arc::default());
        Self { rest, model, users, epoch, mode, load, overview }
    }
}

/// What the page has to know before it asks anything else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    /// Whether something may be done here, or only looked at.
    may_act: bool,
}

async fn session(State(console): State<Console>) -> Json<Session> {
    Json(Session { may_act: console.mode == ConsoleMode::Act })
}

/// Every route of the console; none where it is off.
pub(super) fn routes(console: Console, access: &Arc<Access>, hosts: Hosts) -> Router {
    if console.mode == ConsoleMode::Off {
        return Router::new();
    }
    let api = Router::new()
        .route("/console/api/session", get(session))
        .route("/console/api/overview", get(overview::read))
        .route("/console/api/load", get(load::read))
        .route("/console/api/tasks", get(search::tasks))
        .route("/console/api/tasks/{taskId}", get(parked::entry))
        .route("/console/api/tasks/{taskId}/repair", post(repair::replace))
        .route("/console/api/parked", get(parked::list))
        .route("/console/api/findings", get(findings::list))
        .with_state(console);
    let api = rest::admitted(api, Arc::clone(access));
    let all = guard::guarded(api.merge(page::routes()), hosts);
    all.layer(middleware::from_fn(policy::headers))
}
