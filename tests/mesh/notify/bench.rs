//! What the tests do to the mesh: schedule, choose channels, tell events again, look into Kafka.

use crate::suite::Suite;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reminder_contract::names;
use reminder_stack::events::{Positions, Reader, Record, Tail};
use reminder_stack::{Manifest, Member, Part, logs};
use serde_json::{Value, json};
use std::time::Duration;

/// From a due time to what the user gets, on a busy machine.
pub(super) const DELIVERY_DEADLINE: Duration = Duration::from_secs(45);

/// The same when the service died meanwhile: its claim has to run out.
pub(super) const RECOVERY_DEADLINE: Duration = Duration::from_secs(90);

/// How long a line of the console may take to be in the log.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The mesh under test.
pub(super) struct Bench {
    pub(super) suite: &'static Suite,
    manifest: Manifest,
}

impl Bench {
    pub(super) fn new(suite: &'static Suite) -> Self {
        Self { suite, manifest: suite.stack.manifest().unwrap() }
    }

    /// The address of the service itself.
    pub(super) fn service(&self) -> String {
        self.suite.url(Member::NotificationService, "")
    }

    /// The variable that the service was started with.
    pub(super) fn setting(&self, name: &str) -> Option<String> {
        let options = self.manifest.options.members.get(&Member::NotificationService)?;
        options.env.get(name).cloned()
    }

    /// Chooses how a user is told, as another service does: through the sidecar.
    pub(super) async fn choose(&self, user: &str, channels: &Value) -> Value {
        let path =
            format!("/v1.0/invoke/{}/method/v1/users/{user}/channels", names::NOTIFICATION_APP_ID);
        let url = self.suite.sidecar_url(Member::NotificationService, &path);
        let answer = self.suite.client.put(url).json(channels).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Has a task of a user ring in a moment. Answers its id.
    pub(super) async fn ring(&self, user: &str, title: &str, correlation_id: &str) -> String {
        let task = self.suite.unique("notify");
        let due = instant(Utc::now() + TimeDelta::seconds(1));
        let body = json!({
            "correlationId": correlation_id,
            "task": {"title": title, "userId": user, "dueDate": due}
        });
        self.call(&task, "put", &body).await;
        task
    }

    pub(super) async fn call(&self, task: &str, method: &str, body: &Value) -> Value {
        let port = self.manifest.replica(1).unwrap().http_port;
        let actor = names::ACTOR_TYPE;
        let url = format!("http://127.0.0.1:{port}/v1.0/actors/{actor}/{task}/method/{method}");
        let answer = self.suite.client.put(url).json(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(super) async fn get(&self, url: &str) -> (u16, String) {
        let answer = self.suite.client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(super) async fn post(&self, url: &str) -> (u16, String) {
        let answer = self.suite.client.post(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Tells an event on the topic of reminders, again or for the first time.
    pub(super) async fn tell(&self, event: &Value) {
        let task = event["data"]["taskId"].as_str().unwrap();
        let (pubsub, topic) = (names::PUBSUB, names::REMINDERS);
        let path = format!("/v1.0/publish/{pubsub}/{topic}?metadata.partitionKey={task}");
        let url = self.suite.sidecar_url(Member::NotificationService, &path);
        let request =
            self.suite.client.post(url).header("content-type", "application/cloudevents+json");
        let answer = request.body(event.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Everything that is written to a topic from now on.
    pub(super) async fn follow(&self, topic: &str) -> Tail {
        let bootstrap = self.manifest.kafka_bootstrap().unwrap();
        Reader::connect(&bootstrap).await.unwrap().live(&[topic]).await.unwrap()
    }

    /// Everything that is on a topic.
    pub(super) async fn records(&self, topic: &str) -> Vec<Record> {
        let bootstrap = self.manifest.kafka_bootstrap().unwrap();
        let reader = Reader::connect(&bootstrap).await.unwrap();
        reader.read(&[topic], &Positions::new()).await.unwrap()
    }

    /// Lines of the console that have a text in them.
    pub(super) fn console(&self, text: &str) -> Vec<String> {
        let log = logs::path(self.suite.stack.dir(), Part::Member(Member::NotificationService));
        let log = std::fs::read(log).unwrap();
        let lines = String::from_utf8_lossy(&log);
        let is_ours = |line: &&str| {
            line.contains(text) && (line.contains('🔔') || line.contains(r#""channel":"console""#))
        };
        lines.lines().filter(is_ours).map(str::to_owned).collect()
    }

    pub(super) async fn until_on_console(&self, text: &str) {
        let wait = async {
            while self.console(text).is_empty() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let there = tokio::time::timeout(DELIVERY_DEADLINE, wait).await;
        assert!(there.is_ok(), "{text} is not on the console");
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The event in a record, if it is of that type and about that task.
pub(super) fn event_of(record: &Record, event_type: &str, task: &str) -> Option<Value> {
    let event = record.json().ok()?;
    (event["type"] == event_type && event["data"]["taskId"] == task).then_some(event)
}

/// Waits for an event of that type about a task.
pub(super) async fn event(tail: &mut Tail, event_type: &str, task: &str) -> Value {
    let found = tail
        .find_within(DELIVERY_DEADLINE, |record| event_of(record, event_type, task).is_some())
        .await
        .unwrap_or_else(|| panic!("no {event_type} of {task}"));
    event_of(&found, event_type, task).unwrap()
}

/// The same firing, told as a later fact of its task: what is handled after all that was told before.
pub(super) fn later_fact(event: &Value, sequence: u32) -> Value {
    let mut later = event.clone();
    let id = event["id"].as_str().unwrap();
    let (front, _) = id.rsplit_once('-').unwrap();
    later["id"] = format!("{front}-{sequence}").into();
    later["sequence"] = format!("{sequence:010}").into();
    later
}
