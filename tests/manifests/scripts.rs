//! The shell scripts: that they parse, and that they do what the manifests rely on. `rpk` is
//! replaced by a script that writes down what it was asked.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reminder_contract::topics::{TOPICS, Topic};
use serde_json::Value;

use crate::command::{run, succeed};
use crate::documents::{files_below, root};
use crate::topics::PRODUCTION_BROKERS;

/// How long a script of a few lines may take.
const SCRIPT_DEADLINE: Duration = Duration::from_secs(30);

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manifests").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn script(name: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg(root().join("docker").join(name));
    command
}

#[test]
fn every_script_parses() {
    for file in files_below("docker", &["sh"]) {
        succeed(Command::new("sh").arg("-n").arg(root().join(&file)), SCRIPT_DEADLINE);
        assert!(crate::documents::read(&file).contains("\nset -eu\n"), "{}", file.display());
    }
}

/// What `docker/topics.sh` asks of `rpk`, one line for each call.
fn asked_of_rpk(name: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(name);
    let rpk = folder.join("rpk");
    fs::write(&rpk, "#!/bin/sh\necho \"$@\"\n").unwrap();
    fs::set_permissions(&rpk, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = script("topics.sh");
    command.env("PATH", path).envs(variables.iter().copied());
    succeed(&mut command, SCRIPT_DEADLINE).lines().map(str::to_owned).collect()
}

fn expected_of_rpk(topic: &Topic, brokers: u16, address: &str) -> String {
    let mut call = vec![
        format!("topic create {} -X brokers={address} --if-not-exists", topic.name),
        format!("--partitions {}", topic.partitions),
        format!("--replicas {}", topic.replication_factor(brokers)),
    ];
    let mut settings = topic.config(brokers);
    // In the order in which the script states them.
    settings.sort_by_key(|(name, _)| {
        ["retention.ms", "cleanup.policy", "min.insync.replicas"].iter().position(|n| n == name)
    });
    call.extend(settings.iter().map(|(name, value)| format!("--topic-config {name}={value}")));
    call.join(" ")
}

#[test]
fn the_topics_script_makes_the_topics_of_the_contract() {
    let expected = TOPICS.map(|t| expected_of_rpk(&t, PRODUCTION_BROKERS, "localhost:9092"));
    assert_eq!(asked_of_rpk("rpk-production", &[]), expected);
    let expected = TOPICS.map(|t| expected_of_rpk(&t, 1, "redpanda:9092"));
    let variables = [("BROKERS", "redpanda:9092"), ("REPLICAS", "1")];
    assert_eq!(asked_of_rpk("rpk-single", &variables), expected);
}

/// Runs `docker/secrets.sh` as compose does, for the user of this test.
fn secrets(folder: &Path, action: &str) -> Command {
    let owner = fs::metadata(folder).unwrap();
    let mut command = script("secrets.sh");
    command
        .arg(action)
        .env("SECRETS_DIR", folder)
        .env("SCHEDULER_DIR", folder)
        .env("OWNER", format!("{}:{}", owner.uid(), owner.gid()));
    command
}

/// The secrets file that compose makes for the sidecar.
pub(crate) fn dapr_secrets() -> Value {
    let folder = folder("dapr-secrets");
    succeed(&mut secrets(&folder, "files"), SCRIPT_DEADLINE);
    serde_json::from_str(&fs::read_to_string(folder.join("dapr.json")).unwrap()).unwrap()
}

#[test]
fn compose_makes_a_password_once_and_keeps_it_to_itself() {
    let folder = folder("secrets");
    succeed(&mut secrets(&folder, "files"), SCRIPT_DEADLINE);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let password = read("postgres-password");
    assert!(password.len() >= 32 && password.chars().all(|c| c.is_ascii_hexdigit()));
    assert!(read("database-url").contains(&format!(":{password}@postgres:5432/")));
    for file in ["postgres-password", "database-url", "dapr.json", "rest-token"] {
        let mode = fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read {file}");
    }
    // A second start must not lock the database out.
    succeed(&mut secrets(&folder, "files"), SCRIPT_DEADLINE);
    assert_eq!(read("postgres-password"), password);

    let token = succeed(&mut secrets(&folder, "rest-token"), SCRIPT_DEADLINE);
    assert!(token == read("rest-token") && token.len() >= 32, "{token:?}");
    let url = succeed(&mut secrets(&folder, "host-url"), SCRIPT_DEADLINE);
    assert!(url.contains(&format!(":{password}@127.0.0.1:5432/")));
    let json = succeed(&mut secrets(&folder, "host-json"), SCRIPT_DEADLINE);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["reminder-scheduler-postgresql"]["connectionString"], url);
    assert!(!run(&mut secrets(&folder, "nonsense"), SCRIPT_DEADLINE).status.success());
}
