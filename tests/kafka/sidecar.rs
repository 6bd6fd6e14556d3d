//! A sidecar of a test's own: with an app id, a consumer group and secrets of its own, on the stack's
//! broker. It ends with the test, or before it when it is killed.

use crate::suite::Suite;
use reminder_contract::names::PUBSUB;
use reminder_stack::{ports, probe};
use serde_json::Value;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Until it answers.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// Where the stack keeps the secret of the broker, in its file and beside it.
const SECRETS: &str = "secrets.json";
pub(crate) const KAFKA_SECRET: &str = "reminder-scheduler-kafka";

/// Consumers that die are missed soon: the least that a broker allows.
const SESSION: &str = "    - name: sessionTimeout
      value: 6s
    - name: heartbeatInterval
      value: 1s
";

/// How one is started.
pub(crate) struct Settings<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) group: &'a str,
    /// Where its application listens, if it has one.
    pub(crate) app_port: Option<u16>,
    /// What becomes of the secrets of the stack.
    pub(crate) secrets: fn(Value) -> Value,
}

/// A running one.
pub(crate) struct Sidecar {
    child: Child,
    log: PathBuf,
    pub(crate) http_port: u16,
}

impl Sidecar {
    /// Starts it, without waiting for it.
    pub(crate) fn start(suite: &Suite, settings: &Settings<'_>) -> Self {
        let folder = suite.manifest.dir.join("sidecars").join(settings.app_id);
        fs::create_dir_all(folder.join("components")).unwrap();
        write_components(suite, settings, &folder);
        let log = folder.join("log");
        let output = File::create(&log).unwrap();
        let ports = ports::pick(4, &[]).unwrap();
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut command = Command::new(&suite.manifest.tools.daprd);
        command.args(["--app-id", settings.app_id, "--log-level", "info"]);
        command.args(["--resources-path", &path(folder.join("components"))]);
        command.args(["--config", &path(suite.manifest.dir.join("local-configuration.yaml"))]);
        for listens in ["dapr-listen-addresses", "dapr-internal-grpc-listen-address"] {
            command.args([&format!("--{listens}"), "127.0.0.1"]);
        }
        command.args(["--metrics-listen-address", "127.0.0.1", "--max-body-size", "16Mi"]);
        let names = ["dapr-http-port", "dapr-grpc-port", "dapr-internal-grpc-port", "metrics-port"];
        for (name, port) in names.iter().zip(&ports) {
            command.args([&format!("--{name}"), &port.to_string()]);
        }
        if let Some(port) = settings.app_port {
            command.args(["--app-channel-address", "127.0.0.1", "--app-protocol", "http"]);
            command.args(["--app-port", &port.to_string()]);
        }
        command
            .env("REMINDER_SECRETS_FILE", folder.join(SECRETS))
            .env("DAPR_HOST_IP", "127.0.0.1")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true);
        Self { child: command.spawn().unwrap(), log, http_port: ports[0] }
    }

    /// Waits until its API and its components are there.
    pub(crate) async fn is_ready(&self) {
        let port = self.http_port;
        let ready = probe::until(READY_DEADLINE, || async {
            let answer = probe::get(port, "/v1.0/healthz/outbound", &[]).await.ok()?;
            (answer.status == 204).then_some(())
        });
        assert!(ready.await.is_some(), "the sidecar is not ready: {}", self.log());
    }

    /// A crash: it has no chance to say goodbye to its group.
    pub(crate) async fn crash(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> bool {
        let status = tokio::time::timeout(READY_DEADLINE, self.child.wait()).await;
        status.unwrap_or_else(|_| panic!("it goes on: {}", self.log())).unwrap().success()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// The stack's own component and secret store, for another app and another group.
fn write_components(suite: &Suite, settings: &Settings<'_>, folder: &std::path::Path) {
    let dir = &suite.manifest.dir;
    let secrets = serde_json::from_slice(&fs::read(dir.join(SECRETS)).unwrap()).unwrap();
    let secrets = (settings.secrets)(secrets);
    fs::write(folder.join(SECRETS), secrets.to_string()).unwrap();
    for name in [PUBSUB, "local-secrets"] {
        let file = format!("components/{name}.yaml");
        let text = fs::read_to_string(dir.join(&file)).unwrap();
        // Without scopes it is everybody's; they stand last.
        let mut text = text.split("scopes:").next().unwrap().to_owned();
        if name == PUBSUB {
            let group = "- name: consumerGroup\n";
            let (before, after) = text.split_once(group).unwrap();
            let (_, after) = after.split_once('\n').unwrap();
            let value = format!("      value: {}\n", settings.group);
            text = format!("{before}{group}{value}{SESSION}{after}");
        }
        fs::write(folder.join(file), text).unwrap();
    }
}
