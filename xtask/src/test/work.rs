//! What each step does.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reminder_stack::options::workspace_root;
use reminder_stack::{AppSource, Manifest, Options, Stack, logs};
use tokio::process::Command;

use super::bench;
use super::binaries::{outcome, run, show, together};
use super::conformity;
use super::end_to_end;
use super::kafka;
use super::kinds::{
    CLUSTER_VARIABLE, is_cluster, is_conformity, is_differential, is_e2e, is_instructions,
    is_kafka, is_mesh, is_postgres, is_sdk, is_unit,
};
use super::mesh;
use super::parse::{self, Built, Counts};
use super::process::{self, Log};
use super::rest;
use super::setup;
use super::steps::Step;
use super::supply;
use crate::{chaos, demo, ui};

/// The stack's name, unless told otherwise: apart from the one people work with.
pub(super) const INSTANCE: &str = "test";

/// Limits that only something stuck reaches, on a slow machine.
const BUILD_DEADLINE: Duration = Duration::from_secs(20 * 60);
const TESTS_DEADLINE: Duration = Duration::from_secs(10 * 60);
const STACK_DEADLINE: Duration = Duration::from_secs(25 * 60);
const DEMO_DEADLINE: Duration = Duration::from_secs(3 * 60);
const CHAOS_DEADLINE: Duration = Duration::from_secs(12 * 60);

/// How long chaos lasts; what comes before and after is not counted.
const CHAOS_MINUTES: u32 = 3;

/// The package that is built by itself: the bugs that it plants must not be in the service that the
/// other tests look at.
const SIMULATION: &str = "reminder-simulation";

/// What all other tests are built from, in the same way each time.
const EVERYTHING: &[&str] = &[
    "--workspace",
    "--exclude",
    SIMULATION,
    "--features",
    "reminder-scheduler/e2e,reminder-scheduler/postgres-tests,reminder-domain/differential-tests,\
     reminder-contract/conformity-tests,reminder-contract/instruction-tests",
];

/// Names the server for tests that need a database.
const POSTGRES_VARIABLE: &str = "TEST_POSTGRES_URL";

/// Names the python for the test that compares recurrence with dateutil.
const DATEUTIL_VARIABLE: &str = "DATEUTIL_PYTHON";

/// The arm horizon of the stacks under test: short, so that the sweep has something to register
/// within the patience of a test (tests/e2e/audit.rs counts on 40 s).
const HORIZON: (&str, &str) = chaos::ARM_HORIZON;

/// How a step went.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    /// Why it failed.
    pub(super) failure: Option<String>,
    /// Something to say beside the result.
    pub(super) note: Option<String>,
}

impl Outcome {
    pub(super) const fn of(counts: Counts) -> Self {
        Self { counts, failure: None, note: None }
    }

    fn good_check() -> Self {
        Self::of(Counts::check(true))
    }

    pub(super) fn failed(counts: Counts, why: impl Into<String>) -> Self {
        Self { counts: counts.or_failure(false), failure: Some(why.into()), note: None }
    }
}

/// What the steps hand on to each other.
pub(super) struct Work {
    root: PathBuf,
    instance: String,
    built: Built,
    stack: Option<Stack>,
    /// For the other half of the end-to-end tests.
    second: Option<Stack>,
    /// With a broker that asks who comes.
    kafka: Option<Stack>,
    /// The one with all members.
    mesh: Option<Stack>,
    /// The one that is hurt.
    chaos: Option<Stack>,
}

impl Work {
    pub(super) fn new(instance: String) -> Self {
        let root = workspace_root();
        let [stack, second, kafka, mesh, chaos] = [const { None }; 5];
        Self { root, instance, built: Built::default(), stack, second, kafka, mesh, chaos }
    }

    /// Does a step.
    pub(super) async fn step(&mut self, step: Step, log: &Log) -> Result<Outcome> {
        match step {
            Step::Setup => setup::ensure(log).await.map(|()| Outcome::of(Counts::default())),
            Step::Format => self.check(log, &["fmt", "--all", "--check"]).await,
            Step::Lint => {
                let scope = ["clippy", "--workspace", "--all-targets", "--all-features"];
                let strict = ["--", "--deny", "warnings"];
                self.check(log, &[&scope[..], &strict[..]].concat()).await
            }
            Step::Build => self.build(log).await,
            Step::Unit => self.tests(log, &[], is_unit).await,
            Step::Simulation => self.cargo_tests(log, &["--package", SIMULATION]).await,
            Step::Differential => {
                let python = setup::python(log, &self.root).await?;
                let python = python.to_string_lossy();
                self.tests(log, &[(DATEUTIL_VARIABLE, &*python)], is_differential).await
            }
            Step::Instructions => {
                setup::valgrind(log).await?;
                self.tests(log, &[], is_instructions).await
            }
            Step::Docs => self.docs(log).await,
            Step::Deny => supply::check(log, &self.root).await,
            Step::Stack => self.up().await,
            Step::Demo => self.demo().await,
            Step::Conformity => {
                let settings = conformity::settings(log, &self.root, self.stack()?).await?;
                let env: Vec<(&str, &str)> =
                    settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
                self.tests(log, &env, |name| is_conformity(name) || is_sdk(name)).await
            }
            Step::Rest => rest::run(log, &self.root, self.stack()?).await,
            Step::Cluster => {
                setup::node(log).await?;
                self.tests(log, &[(CLUSTER_VARIABLE, &self.instance)], is_cluster).await
            }
            Step::Postgres => {
                let url = self.stack()?.manifest()?.admin_database_url();
                let url = url.context("the stack has no Postgres of its own")?;
                self.tests(log, &[(POSTGRES_VARIABLE, &url)], is_postgres).await
            }
            Step::E2e => self.e2e(log).await,
            Step::Kafka => self.kafka(log).await,
            Step::Mesh => self.mesh(log).await,
            Step::Bench => bench::run(log, self.built.app.as_deref(), &self.instance).await,
            Step::Chaos => self.chaos().await,
        }
    }

    /// Stops what the steps have started. What went well leaves nothing behind; else data and logs
    /// stay.
    pub(super) async fn finish(&self, good: bool) -> Result<()> {
        let all = [&self.chaos, &self.mesh, &self.kafka, &self.second, &self.stack];
        for stack in all.into_iter().flatten() {
            stack.down().await?;
            if good {
                stack.clone().remove().await?;
            } else {
                println!("The logs of the stack are in {}.", logs::folder(stack.dir()).display());
            }
        }
        Ok(())
    }

    fn cargo(&self, args: &[&str]) -> Command {
        // Below `cargo run` this names the cargo that runs us.
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(args);
        command
    }

    async fn check(&self, log: &Log, args: &[&str]) -> Result<Outcome> {
        let ended = process::run(self.cargo(args), log, BUILD_DEADLINE).await?;
        if ended.good {
            return Ok(Outcome::good_check());
        }
        show(log);
        Ok(Outcome::failed(Counts::default(), ended.how))
    }

    /// Builds everything once, with the same features and the same profile for all that follows.
    async fn build(&mut self, log: &Log) -> Result<Outcome> {
        let args = [&["test"], EVERYTHING, &["--all-targets", "--no-run"]].concat();
        let json = ["--message-format", "json-render-diagnostics"];
        let command = self.cargo(&[&args[..], &json[..]].concat());
        let ended = process::run(command, log, BUILD_DEADLINE).await?;
        if !ended.good {
            show(log);
            return Ok(Outcome::failed(Counts::default(), ended.how));
        }
        self.built = parse::built(ended.lines.iter().map(String::as_str));
        if self.built.app.is_none() {
            bail!("cargo has built no service");
        }
        let note = format!("{} test binaries", self.built.tests.len());
        Ok(Outcome { note: Some(note), ..Outcome::of(Counts::default()) })
    }

    /// Runs test binaries as cargo would, one after the other.
    async fn tests(
        &self,
        log: &Log,
        env: &[(&str, &str)],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Outcome> {
        let mut all = Counts::default();
        let mut failed = Vec::new();
        let mut binaries = 0;
        for binary in self.built.tests.iter().filter(|binary| wanted(&binary.name)) {
            binaries += 1;
            let mut command = run(binary);
            command.envs(env.iter().copied());
            let (counts, failure) = outcome(&binary.name, command, log, TESTS_DEADLINE).await?;
            all = all.plus(counts);
            failed.extend(failure);
        }
        if binaries == 0 {
            bail!("there are no such tests");
        }
        Ok(together(all, &failed))
    }

    /// Runs the end-to-end tests in two halves, each on a stack of its own: those that break parts have
    /// their stack for themselves, and wait most of the time.
    async fn e2e(&mut self, log: &Log) -> Result<Outcome> {
        let second = format!("{}-2", self.instance);
        let options = Options { instance: second.clone(), ..self.options() };
        self.second = Some(Self::fresh(options).await?);
        let binary = self.built.tests.iter().find(|binary| is_e2e(&binary.name));
        let binary = binary.context("there are no such tests")?;
        end_to_end::halves(binary, [&self.instance, &second], log).await
    }

    /// The other stacks have done their work: stopped, they take no time from this one.
    async fn kafka(&mut self, log: &Log) -> Result<Outcome> {
        for stack in [&self.stack, &self.second].into_iter().flatten() {
            stack.down().await?;
        }
        let options = kafka::options(self.options());
        let instance = options.instance.clone();
        let stack = self.kafka.insert(Self::fresh(options).await?);
        let binary = self.built.tests.iter().find(|binary| is_kafka(&binary.name));
        let outcome =
            kafka::run_on(binary.context("there are no such tests")?, &instance, log).await?;
        stack.down().await?;
        Ok(outcome)
    }

    /// All services together, on a stack of their own; the others are stopped, so that they take no
    /// time from it.
    async fn mesh(&mut self, log: &Log) -> Result<Outcome> {
        for stack in [&self.stack, &self.second].into_iter().flatten() {
            stack.down().await?;
        }
        let options = mesh::options(self.options(), &self.built.members)?;
        let instance = options.instance.clone();
        self.mesh = Some(Self::fresh(options).await?);
        self.tests(log, &[(mesh::VARIABLE, &instance)], is_mesh).await
    }

    async fn docs(&self, log: &Log) -> Result<Outcome> {
        self.cargo_tests(log, &[EVERYTHING, &["--doc", "--no-fail-fast"]].concat()).await
    }

    async fn cargo_tests(&self, log: &Log, scope: &[&str]) -> Result<Outcome> {
        let command = self.cargo(&[&["test"], scope].concat());
        let ended = process::run(command, log, BUILD_DEADLINE).await?;
        let counts = parse::counts(ended.lines.iter().map(String::as_str)).unwrap_or_default();
        if ended.good {
            return Ok(Outcome::of(counts));
        }
        show(log);
        Ok(Outcome::failed(counts, ended.how))
    }

    fn options(&self) -> Options {
        let app =
            self.built.app.clone().map_or(AppSource::Cargo { release: false }, AppSource::Binary);
        // The tests make databases and stop the server, so it has to be their own.
        let app_env = [(HORIZON.0.to_owned(), HORIZON.1.to_owned())].into();
        let ours = Options::instance(self.instance.clone());
        Options { app, app_env, postgres_url: None, ..ours }
    }

    async fn up(&mut self) -> Result<Outcome> {
        self.stack = Some(Self::fresh(self.options()).await?);
        Ok(Outcome::of(Counts::default()))
    }

    /// A stack that begins with nothing.
    async fn fresh(options: Options) -> Result<Stack> {
        if Manifest::read(&options.dir()).is_ok() {
            // Left by a run that failed.
            Stack::load(&options.dir())?.with_progress(ui::progress()).remove().await?;
        }
        let up = Stack::up(options, ui::progress());
        tokio::time::timeout(STACK_DEADLINE, up)
            .await
            .with_context(|| format!("not within {}", ui::seconds(STACK_DEADLINE)))?
    }

    /// Hurts a stack of its own: the others are stopped, so that they take no time from it.
    async fn chaos(&mut self) -> Result<Outcome> {
        for stack in [&self.stack, &self.second, &self.mesh].into_iter().flatten() {
            stack.down().await?;
        }
        let instance = format!("{}-chaos", self.instance);
        let options = Options { instance, replicas: chaos::REPLICAS, ..self.options() };
        let stack = self.chaos.insert(Self::fresh(options).await?);
        let request = chaos::Request::test(CHAOS_MINUTES);
        let outcome = tokio::time::timeout(CHAOS_DEADLINE, chaos::on(stack, &request))
            .await
            .with_context(|| format!("not within {}", ui::seconds(CHAOS_DEADLINE)))??;
        stack.down().await?;
        let report = outcome.report.strip_prefix(&self.root).unwrap_or(&outcome.report);
        let note = Some(format!("the report is {}", report.display()));
        Ok(match outcome.failure {
            None => Outcome { note, ..Outcome::good_check() },
            Some(why) => Outcome { note, ..Outcome::failed(Counts::default(), why) },
        })
    }

    async fn demo(&self) -> Result<Outcome> {
        let good = tokio::time::timeout(DEMO_DEADLINE, demo::show(self.stack()?))
            .await
            .with_context(|| format!("not within {}", ui::seconds(DEMO_DEADLINE)))??;
        if good {
            return Ok(Outcome::good_check());
        }
        Ok(Outcome::failed(Counts::default(), "not exactly the right reminders fired"))
    }

    fn stack(&self) -> Result<&Stack> {
        self.stack.as_ref().context("there is no stack")
    }
}
