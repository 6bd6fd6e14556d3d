//! A sidecar and an application of the tests' own: plain HTTP, no SDK, an actor type of its own in
//! a namespace of its own, so that the service under test notices nothing.

use crate::process::free_port;
use crate::suite::Suite;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, put};
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use dapr::dapr::proto::common::v1::{
    JobFailurePolicy, JobFailurePolicyConstant, job_failure_policy::Policy,
};
use dapr::dapr::proto::runtime::v1::RegisterActorReminderRequest;
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use reminder_contract::names::{ACTOR_TYPE, WAKE_REMINDER};
use reminder_stack::probe;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::process::Stdio;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_util::task::AbortOnDropHandle;
use tonic::Request;
use tonic::metadata::MetadataValue;

/// What callers of this sidecar must show.
pub(crate) const DAPR_TOKEN: &str = "e2e-dapr-token";
/// What this sidecar shows to its application.
pub(crate) const APP_TOKEN: &str = "e2e-app-token";

const APP_ID: &str = "e2e-probe";
const READY_DEADLINE: Duration = Duration::from_secs(60);
const CALL_DEADLINE: Duration = Duration::from_secs(10);
const FIRE_DEADLINE: Duration = Duration::from_secs(20);

/// Shared as long as any test uses it, so that it does not outlive the tests.
static SIDECAR: LazyLock<tokio::sync::Mutex<Weak<ProbeSidecar>>> = LazyLock::new(Default::default);

pub(crate) struct ProbeSidecar {
    _daprd: Child,
    _app: AbortOnDropHandle<()>,
    pub(crate) http_port: u16,
    pub(crate) grpc_port: u16,
    actors: Actors,
}

/// What an actor does when its reminder fires for the nth time.
#[derive(Clone, Default)]
pub(crate) struct Script {
    /// The answers to the first calls; 200 after them.
    pub(crate) statuses: Vec<u16>,
    /// Registers the reminder again, so much later, inside the first call.
    pub(crate) rearm_after: Option<TimeDelta>,
}

#[derive(Default)]
struct Actor {
    script: Script,
    fired: Vec<DateTime<Utc>>,
}

type Actors = Arc<Mutex<HashMap<String, Actor>>>;

/// The sidecar that all tests share that run now.
pub(crate) async fn sidecar(suite: &Suite) -> Arc<ProbeSidecar> {
    let mut shared = SIDECAR.lock().await;
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(ProbeSidecar::start(suite).await);
    *shared = Arc::downgrade(&started);
    started
}

impl ProbeSidecar {
    async fn start(suite: &Suite) -> Self {
        let manifest = suite.manifest();
        let (http_port, grpc_port) = (free_port(), free_port());
        let actors = Actors::default();
        let (app_port, app) = serve(Arc::clone(&actors), grpc_port).await;

        let folder = manifest.dir.join("e2e-probe");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("state.yaml"), state_component(&manifest.database_url())).unwrap();
        let log = fs::File::create(manifest.dir.join("logs/e2e-probe.log")).unwrap();
        let mut daprd = Command::new(&manifest.tools.daprd);
        for (name, value) in [
            ("app-id", APP_ID.to_owned()),
            ("app-port", app_port.to_string()),
            ("dapr-listen-addresses", "127.0.0.1".to_owned()),
            ("dapr-http-port", http_port.to_string()),
            ("dapr-grpc-port", grpc_port.to_string()),
            ("dapr-internal-grpc-listen-address", "127.0.0.1".to_owned()),
            ("dapr-internal-grpc-port", free_port().to_string()),
            ("metrics-listen-address", "127.0.0.1".to_owned()),
            ("metrics-port", free_port().to_string()),
            ("placement-host-address", format!("127.0.0.1:{}", manifest.placement.port)),
            ("scheduler-host-address", format!("127.0.0.1:{}", manifest.scheduler.port)),
            ("resources-path", folder.display().to_string()),
            ("config", manifest.dir.join("local-configuration.yaml").display().to_string()),
        ] {
            daprd.arg(format!("--{name}")).arg(value);
        }
        daprd
            .env("NAMESPACE", APP_ID)
            .env("DAPR_HOST_IP", "127.0.0.1")
            .env("DAPR_API_TOKEN", DAPR_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        let daprd = daprd.spawn().unwrap();
        let sidecar = Self { _daprd: daprd, _app: app, http_port, grpc_port, actors };
        let hosts = probe::until(READY_DEADLINE, || async {
            let at = Utc::now() + TimeDelta::hours(1);
            register(sidecar.grpc_port, "ready", &at.to_rfc3339(), None).await.ok()
        });
        assert!(hosts.await.is_some(), "the probe sidecar is not ready; see logs/e2e-probe.log");
        sidecar
    }

    /// Says what an actor does, and registers its reminder.
    pub(crate) async fn wake(&self, actor: &str, due: &str, script: Script) {
        let fired = Vec::new();
        self.actors.lock().unwrap().insert(actor.to_owned(), Actor { script, fired });
        register(self.grpc_port, actor, due, None).await.unwrap();
    }

    /// Waits until the actor's reminder has fired so often, and gives the times.
    pub(crate) async fn fired(&self, actor: &str, times: usize) -> Vec<DateTime<Utc>> {
        let look = || async {
            let fired = self.fired_so_far(actor);
            (fired.len() >= times).then_some(fired)
        };
        let fired = probe::until(FIRE_DEADLINE, look).await;
        fired.unwrap_or_else(|| panic!("{actor} fired {:?} only", self.fired_so_far(actor)))
    }

    pub(crate) fn fired_so_far(&self, actor: &str) -> Vec<DateTime<Utc>> {
        self.actors.lock().unwrap()[actor].fired.clone()
    }
}

/// Registers as the service does: over gRPC, with a constant policy without an end.
async fn register(
    grpc_port: u16,
    actor: &str,
    due: &str,
    overwrite: Option<bool>,
) -> anyhow::Result<()> {
    let interval = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let policy = Policy::Constant(JobFailurePolicyConstant { interval, max_retries: None });
    let mut request = Request::new(RegisterActorReminderRequest {
        actor_type: PROBE_TYPE.into(),
        actor_id: actor.to_owned(),
        name: WAKE_REMINDER.into(),
        due_time: due.to_owned(),
        overwrite: overwrite.or(Some(true)),
        failure_policy: Some(JobFailurePolicy { policy: Some(policy) }),
        ..RegisterActorReminderRequest::default()
    });
    request.metadata_mut().insert("dapr-api-token", MetadataValue::from_static(DAPR_TOKEN));
    let registered = async {
        let mut client = DaprClient::connect(format!("http://127.0.0.1:{grpc_port}")).await?;
        client.register_actor_reminder(request).await?;
        Ok(())
    };
    // A sidecar that is starting accepts the call and may never answer it.
    tokio::time::timeout(CALL_DEADLINE, registered).await?
}

/// The type of the probe's actors.
pub(crate) const PROBE_TYPE: &str = "ProbeActor";
const _: () = assert!(PROBE_TYPE.len() != ACTOR_TYPE.len(), "not the service's own type");

async fn serve(actors: Actors, grpc_port: u16) -> (u16, AbortOnDropHandle<()>) {
    let config = json!({ "entities": [PROBE_TYPE], "drainRebalancedActors": false });
    let router = Router::new()
        .route("/dapr/config", get(async move || Json(config)))
        .route("/actors/{kind}/{id}", axum::routing::delete(async || StatusCode::OK))
        .route("/actors/{kind}/{id}/method/refuse", put(refuse))
        .route("/actors/{kind}/{id}/method/remind/{name}", put(remind))
        .with_state((actors, grpc_port));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = async move { axum::serve(listener, router).await.unwrap() };
    (port, AbortOnDropHandle::new(tokio::spawn(app)))
}

async fn refuse() -> impl IntoResponse {
    let headers =
        [("X-DaprErrorResponseHeader", "true"), ("content-type", "application/problem+json")];
    (headers, Json::<Value>(json!({ "status": 422, "field": "here" })))
}

async fn remind(
    State((actors, grpc_port)): State<(Actors, u16)>,
    Path((_, id, _)): Path<(String, String, String)>,
) -> StatusCode {
    let now = Utc::now();
    let (status, rearm) = {
        let mut actors = actors.lock().unwrap();
        let Some(actor) = actors.get_mut(&id) else { return StatusCode::OK };
        let nth = actor.fired.len();
        actor.fired.push(now);
        let status = actor.script.statuses.get(nth).copied().unwrap_or(200);
        (status, actor.script.rearm_after.filter(|_| nth == 0))
    };
    if let Some(after) = rearm
        && register(grpc_port, &id, &(now + after).to_rfc3339(), None).await.is_err()
    {
        // Shows up as a reminder that fires too often.
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::from_u16(status).unwrap()
}

fn state_component(database_url: &str) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: probe-state
spec:
  type: state.postgresql
  version: v2
  metadata:
    - {{ name: connectionString, value: \"{database_url}\" }}
    - {{ name: actorStateStore, value: \"true\" }}
    - {{ name: tablePrefix, value: e2e_probe_ }}
    - {{ name: metadataTableName, value: e2e_probe_metadata }}
"
    )
}
