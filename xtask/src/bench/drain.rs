//! `cargo xtask bench drain`: how fast a backlog of events is followed, beside what bare Dapr does.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration as Span, SecondsFormat, Utc};
use clap::Args;
use reminder_contract::cloud_event::TODO_API_SOURCE;
use reminder_contract::names::{TASK_EVENTS_DLQ, TASK_UPDATES};
use reminder_stack::events::{Positions, Reader};
use reminder_stack::{Manifest, Part, Stack, probe};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::own::Own;
use super::report::{Found, Scenario};
use super::sidecar::Grpc;
use super::suite::{Bound, FLOOR_ACTOR, Floor, Job, Protocol, closed};
use super::tally::shown;
use super::tasks::{self, Names};

/// Calls that the probe answers at the same time; the service follows as many tasks at once.
const CONCURRENCY: usize = 64;
/// Calls before the measured ones, and how long they all may take.
const WARM_UP: usize = 500;
const BARE_DEADLINE: Duration = Duration::from_secs(300);
/// The share of bare Dapr's rate below which the run fails.
const SHARE_MIN: f64 = 0.7;
/// Beyond the arm horizon, as most tasks are.
const AHEAD: Span = Span::days(30);
/// Events of one bulk publish.
const PUBLISH_BATCH: usize = 500;
/// Between two looks at what was counted.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A drain that gets no further for so long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// Until the last events that follow from the backlog are in Kafka.
const TOLD_DEADLINE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(super) struct Options {
    /// Events in the backlog
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,

    /// Versions that each task goes through in it
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    versions: u32,

    #[command(flatten)]
    own: Own,
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    options.own.measure(&[], async |manifest| measure(manifest, options).await).await
}

async fn measure(manifest: &Manifest, options: &Options) -> Result<Found> {
    let stack = Stack::load(&manifest.dir)?;
    let broker = manifest.kafka_access()?.context("the benchmark needs Kafka")?;
    let reader = Reader::connect(broker).await?;
    let before = reader.ends(&[TASK_UPDATES, TASK_EVENTS_DLQ]).await?;
    let backlog = Backlog::of(options);

    // Before and after, since a machine that others use as well is not the same a minute later.
    let half = backlog.events.div_ceil(2);
    println!("Calling a bare actor {half} times …");
    stack.stop(Part::App(1)).await?;
    let floor = Floor::start(manifest).await?;
    bare(&floor, WARM_UP).await?;
    let first = bare(&floor, half).await?;

    println!("Publishing {} events of {} tasks …", backlog.events, backlog.tasks);
    backlog.publish(&Grpc::of(manifest)?).await?;
    println!("Starting the service …");
    // A sidecar asks once what there is to subscribe to, and which actors.
    stack.stop(Part::Sidecar(1)).await?;
    stack.start(Part::App(1)).await?;
    stack.start(Part::Sidecar(1)).await?;
    let drained = drain(manifest.replica(1)?.app_port, backlog.events).await?;
    let errors = backlog.faults(&reader, &before).await?;

    println!("Calling a bare actor {half} times …");
    stack.stop(Part::App(1)).await?;
    let second = bare(&floor, half).await?;
    floor.stop().await?;
    Ok(scenario(&backlog, drained, (first, second), errors).into())
}

/// How many calls a second a bare actor answers that makes one state transaction for each, so many at
/// once, each of a new actor as with new tasks.
async fn bare(floor: &Floor, count: usize) -> Result<f64> {
    let names = Names::new("bare");
    let make = move |number| Job {
        actor_type: FLOOR_ACTOR,
        id: names.id(number),
        method: "far",
        body: tasks::put(number, Utc::now() + AHEAD),
    };
    let bound = Bound { count, within: BARE_DEADLINE };
    let done = closed(&floor.target(), Protocol::Grpc, CONCURRENCY, bound, make).await?;
    ensure!(done.count == count, "the bare actor failed: {}", shown(&done.errors).join("; "));
    Ok(done.per_second())
}

#[expect(clippy::cast_precision_loss, reason = "counts of events are small")]
fn scenario(
    backlog: &Backlog,
    drained: Duration,
    (first, second): (f64, f64),
    mut errors: Vec<String>,
) -> Scenario {
    // As many calls each time, so the whole rate is their harmonic mean.
    let bare = 2.0 / (first.recip() + second.recip());
    let rate = backlog.events as f64 / drained.as_secs_f64();
    let share = rate / bare;
    if share < SHARE_MIN {
        errors.push(format!("a share of {share:.2} is less than {SHARE_MIN}"));
    }
    Scenario {
        name: "drain".into(),
        setup: format!("a backlog of {} events, {} tasks", backlog.events, backlog.tasks),
        measures: Vec::new(),
        notes: vec![
            format!("drained in {:.1} s: {rate:.0} events/s", drained.as_secs_f64()),
            format!(
                "bare Dapr, a call with one state transaction, {CONCURRENCY} at once: {bare:.0}/s"
            ),
            format!("  before {first:.0}/s, after {second:.0}/s"),
            format!("share: {share:.2} (at least {SHARE_MIN})"),
        ],
        errors,
    }
}

/// What is published before the service starts.
struct Backlog {
    names: Names,
    tasks: usize,
    versions: usize,
    events: usize,
    due: DateTime<Utc>,
}

impl Backlog {
    fn of(options: &Options) -> Self {
        let versions = options.versions as usize;
        let tasks = (options.n as usize).div_ceil(versions);
        let (names, due) = (Names::new("drain"), Utc::now() + AHEAD);
        Self { names, tasks, versions, events: tasks * versions, due }
    }

    /// Publishes it version by version, so that neighbours are events of different tasks.
    async fn publish(&self, sidecar: &Grpc) -> Result<()> {
        let all = (1..=self.versions).flat_map(|v| (0..self.tasks).map(move |task| (task, v)));
        let all: Vec<_> = all.collect();
        for batch in all.chunks(PUBLISH_BATCH) {
            let entries = batch.iter().map(|(task, version)| {
                (self.names.id(*task), self.event(*task, *version).to_string().into_bytes())
            });
            sidecar.publish_events(entries.collect()).await?;
        }
        Ok(())
    }

    fn event(&self, task: usize, version: usize) -> Value {
        let id = self.names.id(task);
        let event_type = if version == 1 { "task.created" } else { "task.updated" };
        json!({
            "specversion": "1.0", "id": format!("{id}:todo-api:{version}"),
            "source": TODO_API_SOURCE, "type": event_type, "subject": format!("task:{id}"),
            "datacontenttype": "application/json", "correlationid": format!("flow-{id}"),
            "data": {
                "taskId": id, "title": format!("Benchmark task {task}, version {version}"),
                "description": "One of many, as long as a usual description is.",
                "dueDate": self.due.to_rfc3339_opts(SecondsFormat::Millis, true),
                "priority": "normal", "tags": ["bench", "home"], "status": "pending",
                "userId": format!("user-{}@example.org", task % 100), "version": version,
            },
        })
    }

    /// What is lost, out of order or given up.
    async fn faults(&self, reader: &Reader, before: &Positions) -> Result<Vec<String>> {
        let deadline = Instant::now() + TOLD_DEADLINE;
        loop {
            let (last, mut faults) = self.told(reader, before).await?;
            let done = last.values().filter(|version| **version == self.versions).count();
            if done == self.tasks || Instant::now() >= deadline {
                if done < self.tasks {
                    faults
                        .push(format!("{} tasks are not at their last version", self.tasks - done));
                }
                return Ok(faults);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The last version that each task has told of, and what is wrong on the way.
    async fn told(
        &self,
        reader: &Reader,
        before: &Positions,
    ) -> Result<(BTreeMap<usize, usize>, Vec<String>)> {
        let mut last = BTreeMap::new();
        let mut faults = Vec::new();
        for record in reader.read(&[TASK_UPDATES, TASK_EVENTS_DLQ], before).await? {
            if record.topic == TASK_EVENTS_DLQ {
                faults.push(format!("a dead letter: {:?}", record.key));
                continue;
            }
            let event = record.json()?;
            let task = event["data"]["taskId"].as_str().and_then(|id| self.names.number(id));
            let version = event["data"]["sourceVersion"].as_u64();
            let (Some(task), Some(version)) = (task, version) else { continue };
            let version = usize::try_from(version)?;
            let highest = last.entry(task).or_insert(0);
            if version < *highest {
                faults.push(format!("task {task} tells version {version} after {highest}"));
            }
            *highest = version.max(*highest);
        }
        Ok((last, faults))
    }
}

/// From the first event that was followed to the last one.
async fn drain(port: u16, events: usize) -> Result<Duration> {
    let mut began = None;
    let mut progress = (Instant::now(), 0);
    loop {
        let followed = followed(port).await.unwrap_or(0);
        let now = Instant::now();
        if followed > progress.1 {
            began.get_or_insert(now);
            progress = (now, followed);
        }
        if let Some(began) = began.filter(|_| followed >= events) {
            return Ok(now.duration_since(began));
        }
        ensure!(
            now.duration_since(progress.0) < STUCK_AFTER,
            "{followed} of {events} events are followed, and no more for {STUCK_AFTER:?}"
        );
        sleep(LOOK_EVERY).await;
    }
}

/// How many events the service has followed. One that took effect although its call failed is known when
/// it is tried again; whether anything is lost, the tasks themselves tell.
async fn followed(port: u16) -> Result<usize> {
    let metrics = probe::get(port, "/metrics", &[]).await.context("no metrics")?;
    let mut followed = 0;
    for outcome in ["applied", "known"] {
        let line = format!(r#"reminder_ingested_events_total{{outcome="{outcome}"}} "#);
        let count = metrics.body.lines().find_map(|found| found.strip_prefix(&line));
        followed += count.unwrap_or("0").parse::<usize>()?;
    }
    Ok(followed)
}
