//! Where the floor lives: the process of [`floor_app`](super::floor_app) and a sidecar of its own, on
//! the same placement, scheduler, database and component settings as the service.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reminder_contract::names::{
    APP_HEALTH_PATH, SIDECAR_APP_MAX_CONCURRENCY, SIDECAR_GOGC, SIDECAR_MAX_BODY_SIZE,
};
use reminder_stack::{Manifest, logs, ports, probe};
use serde_json::json;
use tokio::process::{Child, Command};

use super::calls::ask;
use super::client::{Protocol, Target};
use super::floor_app::{ACTOR_TYPE, FIRED_PATH, FORGET_PATH, Fired};
use crate::api::Address;

/// Until its sidecar has found the actor.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// What the components of the service are called in it, and what those of the floor are called: a table
/// of its own, without fence and index.
const SCOPE: (&str, &str) = ("  - reminder-scheduler\n", "  - bench-floor\n");
const RENAMED: [(&str, &[(&str, &str)]); 2] = [
    (
        "postgresql-statestore.yaml",
        &[
            SCOPE,
            ("value: reminder_\n", "value: floor_\n"),
            ("value: reminder_dapr_metadata", "value: floor_dapr_metadata"),
        ],
    ),
    ("local-secrets.yaml", &[SCOPE]),
];

/// The floor while it runs; its processes end with it.
pub(in crate::bench) struct Floor {
    app: Child,
    sidecar: Child,
    app_port: u16,
    http_port: u16,
    grpc_port: u16,
}

impl Floor {
    /// Starts it beside the stack, and waits until its actor answers.
    pub(in crate::bench) async fn start(manifest: &Manifest) -> Result<Self> {
        let [app_port, http_port, grpc_port, internal_port, metrics_port]: [u16; 5] =
            ports::pick(5, &[])?.try_into().ok().context("there are five ports")?;
        let folder = manifest.dir.join("floor");
        write_components(&manifest.dir.join("components"), &folder)?;
        // Not beside the components: the sidecar watches their folder, and takes each line that it logs there
        // for a change, on which it logs more.
        let logs = logs::folder(&manifest.dir);
        let mut app = Command::new(std::env::current_exe()?);
        app.args(["bench", "floor-app", "--port", &app_port.to_string()]);
        app.args(["--grpc-port", &grpc_port.to_string()]);
        let app = spawn(app, &logs.join("floor-app.log"))?;

        let port = |name: &str, port: u16| [format!("--{name}"), port.to_string()];
        let mut sidecar = Command::new(&manifest.tools.daprd);
        sidecar
            .args(["--app-id", "bench-floor", "--dapr-listen-addresses", "127.0.0.1"])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .args(["--metrics-listen-address", "127.0.0.1", "--app-channel-address", "127.0.0.1"])
            .args(["--app-protocol", "http", "--log-level", "info", "--enable-app-health-check"])
            .args(["--app-health-check-path", APP_HEALTH_PATH, "--app-health-probe-interval", "1"])
            .args(["--app-health-probe-timeout", "900", "--app-health-threshold", "3"])
            .args(["--max-body-size", SIDECAR_MAX_BODY_SIZE])
            .args(["--app-max-concurrency", &SIDECAR_APP_MAX_CONCURRENCY.to_string()])
            .args(port("app-port", app_port))
            .args(port("dapr-http-port", http_port))
            .args(port("dapr-grpc-port", grpc_port))
            .args(port("dapr-internal-grpc-port", internal_port))
            .args(port("metrics-port", metrics_port))
            .args(["--placement-host-address", &format!("127.0.0.1:{}", manifest.placement.port)])
            .args(["--scheduler-host-address", &format!("127.0.0.1:{}", manifest.scheduler.port)])
            .arg("--resources-path")
            .arg(&folder)
            .arg("--config")
            .arg(manifest.dir.join("components/configuration.yaml"))
            .arg("--config")
            .arg(manifest.dir.join("local-configuration.yaml"))
            .env("REMINDER_SECRETS_FILE", manifest.dir.join("secrets.json"))
            .env("DAPR_HOST_IP", "127.0.0.1")
            .env(SIDECAR_GOGC.0, SIDECAR_GOGC.1)
            .current_dir(&manifest.dir);
        let sidecar = spawn(sidecar, &logs.join("floor-sidecar.log"))?;
        let floor = Self { app, sidecar, app_port, http_port, grpc_port };
        let answers = || async {
            let mut line = floor.target().line(Protocol::Http).await.ok()?;
            line.call(ACTOR_TYPE, "ready", "noop", &json!({})).await.ok()
        };
        probe::until(READY_DEADLINE, answers).await.with_context(|| {
            format!("the floor's actor does not answer; its logs are in {}", logs.display())
        })?;
        Ok(floor)
    }

    /// How it is called.
    pub(in crate::bench) fn target(&self) -> Target {
        Target { address: Address::at(self.http_port), grpc_port: self.grpc_port }
    }

    /// The application's process and the sidecar's.
    pub(super) fn processes(&self) -> [(&'static str, Option<u32>); 2] {
        [("app", self.app.id()), ("sidecar", self.sidecar.id())]
    }

    /// What has fired since it was last forgotten.
    pub(super) async fn fired(&self) -> Result<Fired> {
        let answer = ask(self.app_port, FIRED_PATH).await?;
        serde_json::from_str(&answer).context("the floor tells nonsense")
    }

    /// Forgets it.
    pub(super) async fn forget(&self) -> Result<()> {
        ask(self.app_port, FORGET_PATH).await.map(drop)
    }

    /// Ends it.
    pub(in crate::bench) async fn stop(mut self) -> Result<()> {
        self.sidecar.kill().await?;
        self.app.kill().await?;
        Ok(())
    }
}

fn spawn(mut command: Command, log: &Path) -> Result<Child> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).kill_on_drop(true);
    command.spawn().context("the floor cannot be started")
}

/// The service's own components, but for the names.
fn write_components(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for (file, names) in RENAMED {
        let mut component = fs::read_to_string(from.join(file))?;
        for (ours, theirs) in names {
            ensure!(component.contains(ours), "{file} no longer has `{}`", ours.trim());
            component = component.replace(ours, theirs);
        }
        fs::write(to.join(file), component)?;
    }
    Ok(())
}
