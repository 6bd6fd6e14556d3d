//! The stack under test: shared by gentle tests, lent to disruptive ones, mended after each.

use crate::api::{Api, Task};
use crate::backup;
use crate::journal::Journal;
use reminder_contract::names::ACTOR_TYPE;
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{Manifest, Part, Signal, Stack, probe};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};
use tokio::runtime::Runtime;
use tokio::sync::RwLock;

/// Names the stack under test.
const INSTANCE_VARIABLE: &str = "E2E_INSTANCE";

/// From a due time to its event in Kafka while all parts run; a busy machine gets the most of it.
pub(crate) const EVENT_DEADLINE: Duration = Duration::from_secs(20);

/// The same after a part was killed: the scheduler waits out its predecessor's lease of 20 s, 38 s
/// in all were seen, and retries back off meanwhile.
pub(crate) const RECOVERY_DEADLINE: Duration = Duration::from_secs(90);

/// How long one test may take, the time it waits for its turn not counted.
const TEST_DEADLINE: Duration = Duration::from_secs(240);

/// Until all parts are well again and actors answer.
const HEAL_DEADLINE: Duration = Duration::from_secs(120);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SUITE: LazyLock<Result<Suite, String>> =
    LazyLock::new(|| RUNTIME.block_on(Suite::load()).map_err(|error| format!("{error:#}")));
static NAMES: AtomicU32 = AtomicU32::new(0);

/// What every test gets.
pub(crate) struct Suite {
    pub(crate) stack: Stack,
    pub(crate) journal: Journal,
    /// The service's executable.
    pub(crate) program: PathBuf,
    /// Sets the ids of this run apart from those of earlier runs on the same stack.
    run: String,
    turn: RwLock<()>,
}

/// Runs a test that disturbs nobody.
pub(crate) fn gentle(test: impl AsyncFnOnce(&'static Suite)) {
    let suite = suite();
    RUNTIME.block_on(async {
        let _shared = suite.turn.read().await;
        let began = Instant::now();
        in_time(test(suite)).await;
        suite.journal.assert_sound();
        took(began);
    });
}

/// Runs a test that breaks parts of the stack. It has the stack for itself, and the stack is mended
/// whether it passes or not.
pub(crate) fn disruptive(test: impl AsyncFnOnce(&'static Suite)) {
    let suite = suite();
    let _alone = RUNTIME.block_on(suite.turn.write());
    let run = || {
        RUNTIME.block_on(async {
            in_time(test(suite)).await;
            suite.journal.assert_sound();
        });
    };
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let healed = RUNTIME.block_on(suite.heal());
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    healed.expect("the stack can be mended");
    took(began);
}

/// Whatever a test waits for without a deadline of its own ends here.
async fn in_time(test: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(TEST_DEADLINE, test).await;
    assert!(ended.is_ok(), "the test did not end within {TEST_DEADLINE:?}");
}

/// Shown with `--show-output`; the harness would count the time spent waiting for the stack too.
fn took(began: Instant) {
    println!("took {:.1} s", began.elapsed().as_secs_f64());
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
                "these tests need a running stack: use `cargo xtask test`, or start one with \
                 `cargo xtask up --instance e2e` and set {INSTANCE_VARIABLE}=e2e"
            );
        };
        let stack = Stack::load(&instance_dir(&workspace_root(), &instance))?;
        let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
        let run = format!("{millis:x}");
        let manifest = stack.manifest()?;
        let bootstrap = manifest
            .kafka_bootstrap()
            .ok_or_else(|| anyhow::anyhow!("the stack `{instance}` has no Kafka"))?;
        let program = manifest.tools.app.clone();
        let program = program.ok_or_else(|| anyhow::anyhow!("the stack runs no service"))?;
        let suite = Self {
            program,
            stack,
            journal: Journal::start(&bootstrap, &run).await?,
            run,
            turn: RwLock::default(),
        };
        suite.heal().await?;
        Ok(suite)
    }

    /// A task of this test's own; nothing of it exists yet.
    pub(crate) fn task(&'static self, name: &str) -> Task {
        Task::new(self, self.unique(name))
    }

    /// A name that nothing else of this run or an earlier one has.
    pub(crate) fn unique(&self, name: &str) -> String {
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        format!("{name}-{}-{number}", self.run)
    }

    pub(crate) fn manifest(&self) -> Manifest {
        self.stack.manifest().unwrap()
    }

    /// The actor API of the first replica's sidecar.
    pub(crate) fn api(&self) -> Api {
        self.api_of(1)
    }

    pub(crate) fn api_of(&self, replica: u32) -> Api {
        Api::new(self.manifest().replica(replica).unwrap().http_port)
    }

    /// A crash: the part has no chance to clean up.
    pub(crate) async fn kill(&self, part: Part) {
        self.stack.kill(part, Signal::Kill).await.unwrap();
    }

    /// Asks a part to finish and waits until it has.
    pub(crate) async fn stop(&self, part: Part) {
        self.stack.stop(part).await.unwrap();
    }

    /// Starts a part, without waiting for it.
    pub(crate) async fn start(&self, part: Part) {
        self.stack.start(part).await.unwrap();
    }

    pub(crate) async fn start_and_wait(&self, part: Part) {
        self.start(part).await;
        self.stack.wait_ready(part).await.unwrap();
    }

    /// Brings everything back: stalled parts go on, missing ones start, extra replicas go.
    async fn heal(&self) -> anyhow::Result<()> {
        let replicas: Vec<u32> = self.stack.manifest()?.replicas.keys().copied().collect();
        for replica in replicas.into_iter().filter(|replica| *replica > 1) {
            self.stack.remove_replica(replica).await?;
        }
        if self.stack.run_app_as(&self.program, &BTreeMap::new())? {
            self.stack.stop(Part::App(1)).await?;
        }
        let parts = self.stack.manifest()?.parts();
        for part in &parts {
            if self.stack.manifest()?.alive(*part).is_some() {
                self.stack.kill(*part, Signal::Cont).await?;
            } else {
                self.stack.start(*part).await?;
            }
        }
        for part in parts {
            self.stack.wait_ready(part).await?;
        }
        if backup::forget_restore(&self.stack).await? {
            self.stack.restart(Part::App(1)).await?;
            self.stack.wait_ready(Part::Sidecar(1)).await?;
        }
        probe::until(HEAL_DEADLINE, || self.actors_answer())
            .await
            .ok_or_else(|| anyhow::anyhow!("the actors do not answer although all parts are ready"))
    }

    async fn actors_answer(&self) -> Option<()> {
        let port = self.stack.manifest().ok()?.replica(1).ok()?.http_port;
        let path = format!("/v1.0/actors/{ACTOR_TYPE}/heal-{}/method/get", self.run);
        let answer = probe::get(port, &path, &[]).await.ok()?;
        answer.body.contains("unknown-task").then_some(())
    }
}
