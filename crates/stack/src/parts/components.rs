//! The components a sidecar reads: the repository's own files, for the same ones are used with
//! `dapr run` and Docker. Only the secrets they refer to are written here, and the configuration
//! that several sidecars on one machine need.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::files;
use crate::manifest::Manifest;
use crate::options::{KafkaSecurity, PubSub};

/// The environment variable that `components/local-secrets.yaml` takes the path from.
pub(super) const SECRETS_FILE_VARIABLE: &str = "REMINDER_SECRETS_FILE";

/// The subscription to what others publish about tasks.
const SUBSCRIPTION: &str = "task-events.yaml";

/// The secrets the components refer to.
const POSTGRES_SECRET: &str = "reminder-scheduler-postgresql";
const KAFKA_SECRET: &str = "reminder-scheduler-kafka";

/// The repository's sidecar configuration.
const CONFIGURATION: &str = "configuration.yaml";

/// The folder of the components as the sidecars read them.
pub(super) fn folder(m: &Manifest) -> PathBuf {
    m.dir.join("components")
}

/// The secrets' file.
pub(super) fn secrets_file(m: &Manifest) -> PathBuf {
    m.dir.join("secrets.json")
}

/// The configurations, those that count more last.
pub(super) fn configurations(m: &Manifest) -> [PathBuf; 2] {
    [folder(m).join(CONFIGURATION), m.dir.join("local-configuration.yaml")]
}

/// All files a sidecar reads at its start.
pub(super) fn inputs(m: &Manifest) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder(m)).into_iter().flatten().flatten();
    let mut inputs: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    inputs.extend([secrets_file(m), m.dir.join("local-configuration.yaml")]);
    inputs.sort();
    inputs
}

/// Writes components, secrets and configuration of the instance.
pub(super) fn write(m: &Manifest) -> Result<()> {
    let source = m.options.root.join("components");
    let mut files = yaml_files(&source)?;
    match (m.options.pubsub, m.options.kafka_security) {
        (PubSub::InMemory, _) => files.extend(yaml_files(&source.join("variants/in-memory"))?),
        (PubSub::Kafka, KafkaSecurity::SaslTls) => {
            files.extend(yaml_files(&source.join("variants/sasl-tls"))?);
        }
        (PubSub::Kafka, KafkaSecurity::Plain) => {}
    }
    // What the service does not follow must not be delivered to it either (docs/operations.md).
    if m.options.app_env.get("INGEST").is_some_and(|value| value == "false") {
        files.remove(SUBSCRIPTION);
    }
    let folder = folder(m);
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !files.contains_key(&*entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path())?;
        }
    }
    for (name, content) in files {
        replace(&folder.join(name), &content)?;
    }
    replace(&secrets_file(m), &serde_json::to_vec_pretty(&secrets(m)?)?)?;
    let [_, local] = configurations(m);
    replace(&local, local_configuration(&m.dir).as_bytes())
}

fn yaml_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let listed =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = BTreeMap::new();
    for entry in listed {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") && path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

/// Leaves a file alone that is as it should be: a sidecar may be reading it.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    files::write_secret(path, content)
}

fn secrets(m: &Manifest) -> Result<serde_json::Value> {
    let access = m.kafka_access()?;
    let mut kafka = json!({ "brokers": access.as_ref().map_or("", |access| &access.bootstrap) });
    if let Some(login) = access.and_then(|access| access.login) {
        kafka["saslUsername"] = login.username.into();
        kafka["saslPassword"] = login.password.into();
        kafka["caCert"] = login.authority.into();
    }
    Ok(json!({
        POSTGRES_SECRET: { "connectionString": m.database_url() },
        KAFKA_SECRET: kafka,
    }))
}

/// Name resolution through a file: multicast, the default, is not to be had everywhere. Sidecars start at the same
/// time. Who turns a new file to a write-ahead log while another does is refused at once, and has no names for good;
/// without that log each waits for its turn. (The timeout has to be a second below the interval of updates, 5 s.)
fn local_configuration(dir: &Path) -> String {
    format!(
        "apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: local
spec:
  nameResolution:
    component: sqlite
    version: v1
    configuration:
      connectionString: \"{}\"
      disableWAL: \"true\"
      timeout: \"4s\"
      busyTimeout: \"3s\"
",
        dir.join("names.db").display()
    )
}
