//! The stack under test, shared by gentle tests and lent to disruptive ones; and every event of the
//! run, as a consumer of its own reads it.

use reminder_contract::names::{REMINDERS, TASK_EVENTS, TASK_UPDATES};
use reminder_stack::events::{Reader, Record};
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{Member, Stack, probe};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;
use tokio::sync::RwLock;

/// Names the stack under test.
const INSTANCE_VARIABLE: &str = "MESH_INSTANCE";

/// For whatever comes of a call, through as many services as it takes, on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(45);

/// For one call.
const CALL_DEADLINE: Duration = Duration::from_secs(15);

/// How long one test may take, the time it waits for its turn not counted.
const TEST_DEADLINE: Duration = Duration::from_secs(150);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SUITE: LazyLock<Result<Suite, String>> =
    LazyLock::new(|| RUNTIME.block_on(Suite::load()).map_err(|error| format!("{error:#}")));
static NAMES: AtomicU32 = AtomicU32::new(0);

/// What every test gets.
pub(crate) struct Suite {
    pub(crate) stack: Stack,
    pub(crate) client: reqwest::Client,
    /// Every record since the suite was loaded, in the order read.
    records: Arc<Mutex<Vec<Record>>>,
    run: String,
    turn: RwLock<()>,
}

/// Runs a test that disturbs nobody.
pub(crate) fn gentle(test: impl AsyncFnOnce(&'static Suite)) {
    let suite = suite();
    RUNTIME.block_on(async {
        let _shared = suite.turn.read().await;
        in_time(test(suite)).await;
    });
}

/// Runs a test that breaks parts of the stack: it has the stack for itself. Afterwards every part is
/// started that is not there.
pub(crate) fn disruptive(test: impl AsyncFnOnce(&'static Suite)) {
    let suite = suite();
    RUNTIME.block_on(async {
        let _alone = suite.turn.write().await;
        in_time(test(suite)).await;
        suite.heal().await.expect("the stack can be mended");
    });
}

async fn in_time(test: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(TEST_DEADLINE, test).await;
    assert!(ended.is_ok(), "the test did not end within {TEST_DEADLINE:?}");
}

fn suite() -> &'static Suite {
    match &*SUITE {
        Ok(suite) => suite,
        Err(error) => panic!("{error}"),
    }
}

impl Suite {
    async fn load() -> anyhow::Result<Self> {
        let Ok(instance) = std::env::var(INSTANCE_VARIABLE) else {
            anyhow::bail!(
                "these tests need a running stack with all members: use `cargo xtask test`, or start \
                 one with `cargo xtask up --all --instance mesh` and set {INSTANCE_VARIABLE}=mesh"
            );
        };
        let stack = Stack::load(&instance_dir(&workspace_root(), &instance))?;
        let bootstrap = stack.manifest()?.kafka_bootstrap();
        let bootstrap = bootstrap.ok_or_else(|| anyhow::anyhow!("the stack has no Kafka"))?;
        let topics = [TASK_EVENTS, REMINDERS, TASK_UPDATES];
        let mut tail = Reader::connect(&bootstrap).await?.live(&topics).await?;
        let records = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&records);
        tokio::spawn(async move {
            while let Ok(record) = tail.next().await {
                read.lock().unwrap_or_else(PoisonError::into_inner).push(record);
            }
        });
        let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
        let suite = Self {
            stack,
            client: reqwest::Client::builder().timeout(CALL_DEADLINE).no_proxy().build()?,
            records,
            run: format!("{millis:x}"),
            turn: RwLock::default(),
        };
        suite.heal().await?;
        Ok(suite)
    }

    /// A name that nothing else of this run or an earlier one has.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{name}-{}-{}", self.run, NAMES.fetch_add(1, Ordering::Relaxed))
    }

    /// An address of a member.
    pub(crate) fn url(&self, member: Member, path: &str) -> String {
        let port = self.stack.manifest().unwrap().member(member).unwrap().app_port;
        format!("http://127.0.0.1:{port}{path}")
    }

    /// An address of the API of a member's sidecar.
    pub(crate) fn sidecar_url(&self, member: Member, path: &str) -> String {
        let port = self.stack.manifest().unwrap().member(member).unwrap().http_port;
        format!("http://127.0.0.1:{port}{path}")
    }

    /// The events of a task so far, in the order read; the same one again included.
    pub(crate) fn events(&self, task: &str) -> Vec<Value> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let of_task = records.iter().filter(|record| record.key.as_deref() == Some(task));
        of_task.filter_map(|record| record.json().ok()).collect()
    }

    /// The first event of a task that is as wanted.
    pub(crate) async fn event(&self, task: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = || async { self.events(task).into_iter().find(|event| wanted(event)) };
        if let Some(event) = probe::until(DEADLINE, found).await {
            return event;
        }
        let seen: Vec<String> =
            self.events(task).iter().map(|event| event["id"].to_string()).collect();
        panic!("{task}: no such event within {DEADLINE:?}; seen: {seen:?}");
    }

    /// The first event of a task of that type.
    pub(crate) async fn event_of(&self, task: &str, event_type: &str) -> Value {
        self.event(task, |event| event["type"] == event_type).await
    }

    /// Starts what is not there, and waits until all is well.
    async fn heal(&self) -> anyhow::Result<()> {
        let parts = self.stack.manifest()?.parts();
        for part in &parts {
            if self.stack.manifest()?.alive(*part).is_none() {
                self.stack.start(*part).await?;
            }
        }
        for part in parts {
            self.stack.wait_ready(part).await?;
        }
        Ok(())
    }
}

/// Waits until something is so.
pub(crate) async fn eventually<T, F>(what: &str, condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let found = probe::until(DEADLINE, condition).await;
    found.unwrap_or_else(|| panic!("{what}: not within {DEADLINE:?}"))
}
