//! The SDK's router behind one of our own, with its own `/dapr/config`, token check and limits.

use super::actor::{self, TaskActor, Turns};
use super::dead_letters::{self, LetterBox};
use super::job;
use super::near::NearTasks;
use super::registry::Registry;
use super::subscriptions;
use super::user_actor::{self, UserActor};
use crate::config::Secret;
use crate::dapr::outbound::Sidecar;
use crate::http::health::Readiness;
use crate::ingest::Ingest;
use crate::ingest::settings::Settings;
use crate::retention::job::Bell;
use crate::users::turns::UserTurns;
use crate::watch::Ears;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dapr::client::AppApiTokenLayer;
use dapr::server::DaprHttpServer;
use reminder_contract::names::{ACTOR_TYPE, SIDECAR_TOKEN_HEADER, USER_ACTOR_TYPE};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Bodies are read whole up to here, so that a body beyond the contract's limit gets a problem that
/// says so; the sidecar's own limit is far below.
const BODY_MAX_BYTES: usize = 32 * 1024 * 1024;

/// What the sidecar is told about our actors. An idle actor is forgotten after ten minutes. While
/// actors are re-distributed, state calls queue and turns stand still until the drain timeout, so
/// that is short. Turns are not reentrant: their order is a promise.
fn dapr_config() -> String {
    format!(
        r#"{{"entities":["{ACTOR_TYPE}","{USER_ACTOR_TYPE}"],"actorIdleTimeout":"10m","actorScanInterval":"30s","drainOngoingCallTimeout":"1s","drainRebalancedActors":true,"reentrancy":{{"enabled":false}}}}"#
    )
}

/// How the paths begin that the sidecar calls, but for its health check, which is one of the probes.
const SIDECARS: [&str; 5] = ["/dapr/", "/actors/", "/subscriptions/", "/dead-letters/", "/job/"];

/// Whether a path is the sidecar's to call.
pub fn is_sidecars(path: &str) -> bool {
    SIDECARS.iter().any(|beginning| path.starts_with(beginning))
}

/// The routes that the sidecar asks once, at its start: they must be there from the beginning.
pub fn startup_routes(
    pubsub: &str,
    settings: Settings,
    ingest: Arc<Ingest<NearTasks>>,
    ears: Ears,
) -> Router {
    let subscriptions = subscriptions::declared(pubsub, settings);
    let json = |body: String| async { ([(header::CONTENT_TYPE, "application/json")], body) };
    Router::new()
        .route("/dapr/config", get(move || json(dapr_config())))
        .route("/dapr/subscribe", get(move || json(subscriptions)))
        .merge(subscriptions::route(ingest, settings.batch, ears))
}

/// What hosts the actors of both types.
#[derive(Clone)]
pub struct Hosts {
    tasks: Arc<Turns>,
    users: Arc<UserTurns>,
    task_actors: Arc<Registry<TaskActor>>,
    user_actors: Arc<Registry<UserActor>>,
}

impl Hosts {
    /// A host without actors.
    pub fn new(tasks: Arc<Turns>, users: Arc<UserTurns>) -> Self {
        let (task_actors, user_actors) = (Arc::default(), Arc::default());
        Self { tasks, users, task_actors, user_actors }
    }

    /// The tasks, with a shorter way to those that are hosted here.
    pub fn near(&self, sidecar: Arc<Sidecar>) -> Arc<NearTasks> {
        let (turns, actors) = (Arc::clone(&self.tasks), Arc::clone(&self.task_actors));
        Arc::new(NearTasks::new(sidecar, turns, actors))
    }

    /// Lets go of the actors that were deactivated long enough ago.
    pub fn sweep(&self) {
        self.task_actors.sweep();
        self.user_actors.sweep();
    }

    /// Takes on no more turns and waits until those under way have ended.
    pub async fn drain(&self) {
        tokio::join!(self.tasks.drain(), self.users.drain());
    }
}

/// The routes that are there once the sidecar is: the actors, dead letters, the job of the purge. Connecting to
/// the sidecar is left to the SDK, which needs it reachable.
///
/// # Errors
/// When the sidecar cannot be reached.
pub async fn late_routes(
    grpc_port: u16,
    hosts: Hosts,
    letters: &LetterBox,
    ears: &Ears,
    bell: &Bell,
) -> Result<Router, String> {
    let server = DaprHttpServer::try_new_with_dapr_port(grpc_port).await;
    // The token is checked in one place for all routes, in constant time.
    let mut server = server
        .map_err(|error| error.to_string())?
        .with_app_api_token_layer(AppApiTokenLayer::new(None));
    server.register_actor(actor::registration(hosts.tasks, hosts.task_actors)).await;
    server.register_actor(user_actor::registration(hosts.users, hosts.user_actors)).await;
    let actors = server.build_test_router().await.layer(DefaultBodyLimit::max(BODY_MAX_BYTES));
    Ok(actors.merge(dead_letters::routes(letters, ears)).merge(job::route(bell)))
}

/// What a caller without the right token is told, and readiness.
const WRONG_TOKEN: &str = "the header dapr-api-token does not match APP_API_TOKEN: the sidecar must \
                           be started with the same APP_API_TOKEN as this process";

/// Refuses requests without the token, on every route below.
pub fn require_token(router: Router, token: Secret, readiness: Readiness) -> Router {
    let expected = Arc::new(ExpectedToken { token, readiness });
    router.layer(middleware::from_fn_with_state(expected, check_token))
}

struct ExpectedToken {
    token: Secret,
    readiness: Readiness,
}

async fn check_token(
    State(expected): State<Arc<ExpectedToken>>,
    request: Request,
    next: Next,
) -> Response {
    let shown = request.headers().get(SIDECAR_TOKEN_HEADER).map_or(&[][..], |v| v.as_bytes());
    let right: bool = expected.token.expose().as_bytes().ct_eq(shown).into();
    expected.readiness.token_shown((!right).then_some(WRONG_TOKEN));
    if right {
        return next.run(request).await;
    }
    tracing::warn!(path = request.uri().path(), "a call without the right APP_API_TOKEN");
    (StatusCode::UNAUTHORIZED, WRONG_TOKEN).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::config::SidecarConfig;
    use crate::outbox::publisher::Publisher;
    use crate::read_model::UserLookup;
    use crate::turn::driver::{Driver, Limits};
    use crate::turn::oversight::Oversight;
    use crate::turn::recovery::RecoveryQueue;
    use reminder_contract::names::{APP_HEALTH_PATH, PUBSUB, STATE_STORE};
    use tokio_util::sync::CancellationToken;

    /// Hosts with what every host has; their sidecar is asked nothing.
    fn hosts(sidecar: &Arc<Sidecar>) -> Hosts {
        let (clock, lookup) = (Arc::new(SystemClock), Arc::new(UserLookup::default()));
        let publisher = Publisher::new(Arc::clone(sidecar), clock.clone(), 1);
        let told = Arc::clone(&publisher);
        let recovery = RecoveryQueue::new(Arc::clone(sidecar), told, CancellationToken::new());
        let limits =
            Limits { horizon_ms: None, history_ms: None, wakes: 1, wakes_waiting: 1, commands: 1 };
        let tasks = Driver::new(
            Arc::clone(sidecar),
            clock,
            lookup.clone(),
            publisher,
            recovery,
            limits,
            Oversight::default(),
        );
        Hosts::new(tasks, UserTurns::new(sidecar.clone(), lookup, Arc::default()))
    }

    /// The paths of a router, which names them only as a part of what it is made of.
    fn paths(router: &Router) -> Vec<String> {
        let made_of = format!("{router:?}");
        let own = made_of.split(", fallback_router: ").next().unwrap();
        let quoted = own.split('"').skip(1).step_by(2);
        quoted.filter(|text| text.starts_with('/')).map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn every_route_for_the_sidecar_is_known_as_one() {
        let sidecar = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let grpc_port = sidecar.local_addr().unwrap().port();
        let (state_store, pubsub) = (STATE_STORE.to_owned(), PUBSUB.to_owned());
        let config = SidecarConfig { grpc_port, token: None, state_store, pubsub };
        let sidecar = Arc::new(Sidecar::new(&config).unwrap());
        let (hosts, ears) = (hosts(&sidecar), Ears::default());
        let settings = Settings { enabled: true, concurrency: 1, batch: 1 };
        let clock = Arc::new(SystemClock);
        let ingest = Ingest::new(hosts.near(sidecar), clock, settings, CancellationToken::new());
        let mut all = paths(&startup_routes(PUBSUB, settings, ingest, ears.clone()));
        let (letters, bell) = (LetterBox::default(), Bell::default());
        let late = late_routes(grpc_port, hosts, &letters, &ears, &bell).await.unwrap();
        all.extend(paths(&late));
        // It is among the probes, which come first.
        all.retain(|path| path != APP_HEALTH_PATH);
        let unknown: Vec<_> = all.iter().filter(|path| !is_sidecars(path)).collect();
        assert!(unknown.is_empty(), "not in the list: {unknown:?}");
        for beginning in SIDECARS {
            assert!(all.iter().any(|path| path.starts_with(beginning)), "{beginning} has no route");
        }
    }
}
