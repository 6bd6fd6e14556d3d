//! TLS and SASL: the main job works over them, whoever does not know the password or cannot trust the
//! broker is told so, and nothing of it is in a log.

use crate::sidecar::{KAFKA_SECRET, Settings, Sidecar};
use crate::suite::{Suite, test};
use chrono::{SecondsFormat, TimeDelta, Utc};
use reminder_contract::names::{METRICS_PATH, PUBSUB, REMINDERS};
use reminder_stack::events::{Reader, Record};
use reminder_stack::probe;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;
use tokio::process::Command;

/// From the put to the reminder.
const AHEAD: TimeDelta = TimeDelta::seconds(3);

/// For a command that looks around.
const COMMAND_DEADLINE: Duration = Duration::from_secs(60);

/// A broker in the clear answers within milliseconds.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_reminder_fires_and_is_told_over_tls_with_a_password() {
    test(async |suite| {
        let mut watch = suite.follow(&[REMINDERS]).await;
        let task = suite.unique("secured");
        let due = (Utc::now() + AHEAD).to_rfc3339_opts(SecondsFormat::Millis, true);
        let fields = json!({ "title": "Hush", "userId": "u@example.org", "dueDate": due });
        suite.put(1, &task, fields).await;
        let is_told = |record: &Record| {
            record.key.as_deref() == Some(&*task)
                && record.json().unwrap()["type"] == "reminder.triggered"
        };
        let told = watch.find("the reminder fires", is_told).await;
        assert_eq!(told.json().unwrap()["data"]["scheduledFor"], due);
    });
}

#[test]
fn the_broker_answers_nobody_without_a_password_or_with_another() {
    test(async |suite| {
        let broker = suite.broker();
        let mut wrong = broker.clone();
        wrong.login.as_mut().unwrap().password = "wrong".to_owned();
        let refused = async |access| {
            let connected = tokio::time::timeout(REFUSED_WITHIN, Reader::connect(access)).await;
            !connected.is_ok_and(|reader| reader.is_ok())
        };
        assert!(refused(broker.bootstrap.as_str().into()).await, "in the clear");
        assert!(refused(wrong).await, "with another password");
        assert!(!refused(broker).await, "the right one is let in");
    });
}

/// A sidecar that cannot come in: what it says before it ends.
async fn told(suite: &Suite, name: &str, secrets: fn(Value) -> Value) -> String {
    let app_id = suite.unique(name);
    let settings = Settings { app_id: &app_id, group: &app_id, app_port: None, secrets };
    let mut sidecar = Sidecar::start(suite, &settings);
    assert!(!sidecar.ended().await, "it ended well: {}", sidecar.log());
    let log = sidecar.log();
    // The line that says why it ends, and names the component.
    let fatal = log.lines().find(|line| line.contains("level=fatal"));
    fatal.unwrap_or_else(|| panic!("{log}")).to_owned()
}

#[test]
fn a_wrong_password_is_told_for_what_it_is() {
    test(async |suite| {
        let said = told(suite, "wrong-password", |mut secrets| {
            secrets[KAFKA_SECRET]["saslPassword"] = "not-the-password".into();
            secrets
        });
        let said = said.await;
        for word in ["kafka-pubsub", "SASL Authentication", "invalid credentials"] {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert!(!said.contains("not-the-password"), "{said}");
    });
}

#[test]
fn a_broker_that_cannot_be_trusted_is_told_for_what_it_is() {
    test(async |suite| {
        let said = told(suite, "wrong-authority", |mut secrets| {
            let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            secrets[KAFKA_SECRET]["caCert"] = stranger.cert.pem().into();
            secrets
        });
        let said = said.await;
        for word in ["kafka-pubsub", "x509: certificate signed by unknown authority"] {
            assert!(said.contains(word), "{word} is not in {said}");
        }
    });
}

/// The passwords of the service and of the broker itself, and a line of its key.
fn secrets(suite: &Suite) -> Vec<String> {
    let key = fs::read_to_string(suite.manifest.dir.join("kafka-server.pem")).unwrap();
    let key_line = key.lines().nth(1).unwrap().to_owned();
    let passwords =
        [suite.broker().login.unwrap().password, suite.manifest.kafka.broker_password.clone()];
    let secrets = [&passwords[..], &[key_line]].concat();
    assert!(secrets.iter().all(|secret| secret.len() >= 16), "a secret that could be any word");
    secrets
}

/// Neither what operators run beside the sidecar, at the level that says most, nor what service and sidecar
/// answer of themselves.
#[test]
fn no_command_and_no_answer_tells_a_secret_of_the_broker() {
    test(async |suite| {
        let replica = suite.manifest.replica(2).unwrap();
        let program = suite.manifest.tools.app.as_ref().expect("the stack runs the service");
        let mut told = Vec::new();
        for arguments in [
            &["doctor"][..],
            &["doctor", "--json"],
            &["config", "show"],
            &["events", "tail", "--wait", "2s"],
            &["dlq", "list"],
        ] {
            let mut command = Command::new(program);
            command.args(arguments).env_clear().env("RUST_LOG", "trace").kill_on_drop(true);
            command.env("DATABASE_URL", suite.manifest.database_url());
            command.env("DAPR_GRPC_PORT", replica.grpc_port.to_string());
            let ended = tokio::time::timeout(COMMAND_DEADLINE, command.output()).await;
            let ended = ended.expect("the command ends").unwrap();
            let said = [ended.stdout, ended.stderr].concat();
            told.push((arguments.join(" "), String::from_utf8_lossy(&said).into_owned()));
        }
        for (port, path) in [
            (replica.http_port, "/v1.0/metadata"),
            (replica.app_port, METRICS_PATH),
            (replica.app_port, "/readyz"),
        ] {
            told.push((path.to_owned(), probe::get(port, path, &[]).await.unwrap().body));
        }
        assert!(told[0].1.contains(PUBSUB), "the doctor looked at the broker: {}", told[0].1);
        let secrets = secrets(suite);
        for (place, text) in told {
            assert!(!text.is_empty(), "{place} says nothing, so nothing was looked at");
            assert!(!secrets.iter().any(|secret| text.contains(secret)), "{place} tells a secret");
        }
    });
}

#[test]
fn no_secret_is_in_a_log() {
    test(async |suite| {
        let secrets = secrets(suite);
        let mut logs = 0;
        let below = |folder: &str| {
            let listed = fs::read_dir(suite.manifest.dir.join(folder)).into_iter().flatten();
            listed.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        // Those of the stack, and of the sidecars that the tests have started so far.
        let sidecars = below("sidecars").into_iter().map(|folder| folder.join("log"));
        for path in below("logs").into_iter().chain(sidecars.filter(|log| log.exists())) {
            let log = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            logs += usize::from(!log.is_empty());
            let told = secrets.iter().any(|secret| log.contains(secret));
            assert!(!told, "{} has a secret", path.display());
        }
        // Broker, control plane, database, and two of service and sidecar each.
        assert!(logs >= 8, "only {logs} logs");
    });
}
