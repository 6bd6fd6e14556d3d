//! The stack under test, and what every test does with it: commands through a replica's sidecar, and
//! looks at what the broker has.

use reminder_contract::names::{ACTOR_TYPE, REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_stack::access::Access;
use reminder_stack::events::{Positions, Reader, Record, Tail};
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{KafkaSecurity, Manifest, Stack};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout, timeout_at};

/// Names the stack under test.
const INSTANCE_VARIABLE: &str = "KAFKA_INSTANCE";

/// How long one test may take.
const TEST_DEADLINE: Duration = Duration::from_secs(150);

/// For one command.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// From a command to its events in the broker; a busy machine gets the most of it.
pub(crate) const EVENT_DEADLINE: Duration = Duration::from_secs(40);

/// Where the scheduler publishes.
pub(crate) const TOPICS: [&str; 3] = [REMINDERS, TASK_EVENTS, TASK_UPDATES];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SUITE: LazyLock<Suite> = LazyLock::new(Suite::load);
static NAMES: AtomicU32 = AtomicU32::new(0);

/// What every test gets.
pub(crate) struct Suite {
    pub(crate) manifest: Manifest,
    pub(crate) client: reqwest::Client,
    /// Sets the names of this run apart from those of earlier runs on the same stack.
    pub(crate) run: String,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Answer {
    /// That of the problem, when it was refused.
    pub(crate) status: u64,
    pub(crate) body: Value,
}

/// Runs a test.
pub(crate) fn test(test: impl AsyncFnOnce(&'static Suite)) {
    RUNTIME.block_on(async {
        let began = Instant::now();
        let ended = timeout(TEST_DEADLINE, test(&SUITE)).await;
        assert!(ended.is_ok(), "the test did not end within {TEST_DEADLINE:?}");
        println!("took {:.1} s", began.elapsed().as_secs_f64());
    });
}

impl Suite {
    fn load() -> Self {
        let instance = std::env::var(INSTANCE_VARIABLE).unwrap_or_else(|_| {
            panic!("these tests need a running stack, named by {INSTANCE_VARIABLE}: see main.rs")
        });
        let stack = Stack::load(&instance_dir(&workspace_root(), &instance)).unwrap();
        let manifest = stack.manifest().unwrap();
        assert_eq!(manifest.options.kafka_security, KafkaSecurity::SaslTls);
        assert_eq!(manifest.replicas.len(), 2, "two replicas are wanted");
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let client = reqwest::Client::builder().timeout(CALL_DEADLINE).build().unwrap();
        Self { manifest, client, run: format!("{:x}", since.as_millis()) }
    }

    /// A name that nothing else of this run or an earlier one has.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{name}-{}-{}", self.run, NAMES.fetch_add(1, Ordering::Relaxed))
    }

    /// The port of a replica's sidecar.
    pub(crate) fn sidecar(&self, replica: u32) -> u16 {
        self.manifest.replica(replica).unwrap().http_port
    }

    /// Sends a command through a replica's sidecar.
    pub(crate) async fn call(
        &self,
        replica: u32,
        task: &str,
        method: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let port = self.sidecar(replica);
        let url =
            format!("http://127.0.0.1:{port}/v1.0/actors/{ACTOR_TYPE}/{task}/method/{method}");
        let response = self.client.put(url).body(body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{task}: {method}");
        let is_problem = response.headers().contains_key("X-DaprErrorResponseHeader");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let status = if is_problem { body["status"].as_u64().unwrap() } else { 200 };
        Answer { status, body }
    }

    /// Puts a task and tells its version.
    pub(crate) async fn put(&self, replica: u32, task: &str, fields: Value) -> u64 {
        let body = json!({ "task": fields }).to_string();
        let answer = self.call(replica, task, "put", body).await;
        assert_eq!(answer.status, 200, "{task}: {answer:?}");
        answer.body["version"].as_u64().unwrap()
    }

    /// How the broker is reached.
    pub(crate) fn broker(&self) -> Access {
        self.manifest.kafka_access().unwrap().unwrap()
    }

    /// What is written from now on.
    pub(crate) async fn follow(&self, topics: &[&str]) -> Watch {
        let reader = Reader::connect(self.broker()).await.unwrap();
        let ends = reader.ends(topics).await.unwrap();
        let tail = reader.tail(topics, &ends).await.unwrap();
        Watch { reader, begun: ends, tail, seen: Vec::new() }
    }
}

/// The records of some topics since a moment, as they come.
pub(crate) struct Watch {
    reader: Reader,
    begun: Positions,
    tail: Tail,
    /// Those that were looked at.
    seen: Vec<Record>,
}

impl Watch {
    /// The first record, of those seen and those to come, that is the one.
    pub(crate) async fn find(
        &mut self,
        what: &str,
        mut is_it: impl FnMut(&Record) -> bool,
    ) -> Record {
        if let Some(record) = self.seen.iter().find(|record| is_it(record)) {
            return record.clone();
        }
        let deadline = Instant::now() + EVENT_DEADLINE;
        loop {
            let Ok(record) = timeout_at(deadline, self.tail.next()).await else {
                let seen: Vec<_> = self.seen.iter().map(|one| (&one.topic, &one.key)).collect();
                panic!("not within {EVENT_DEADLINE:?}: {what}; seen: {seen:?}");
            };
            self.seen.push(record.unwrap());
            let newest = &self.seen[self.seen.len() - 1];
            if is_it(newest) {
                return newest.clone();
            }
        }
    }

    /// The first record of a key.
    pub(crate) async fn first(&mut self, topic: &str, key: &str) -> Record {
        let is_it = |one: &Record| one.topic == topic && one.key.as_deref() == Some(key);
        self.find(&format!("a record of {key} on {topic}"), is_it).await
    }

    /// Everything that has been written since, up to now.
    pub(crate) async fn all(&self, topics: &[&str]) -> Vec<Record> {
        self.reader.read(topics, &self.begun).await.unwrap()
    }
}
