//! `--long`: the same work with more and more tasks pending, up to a million; what the processes take, and
//! how long a start takes.
//!
//! The pending tasks are rows that are copies of one that the service has written, put into the state table
//! by SQL, through the same triggers. What is measured goes through the actor API as ever.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reminder_stack::{Manifest, Part, Stack};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};

use super::client::{Bound, Job, closed};
use super::fire::{self, Firing, Spaced};
use super::schedule::REFERENCE;
use super::spread::Spread;
use super::stage::{CELL_MAX, Stage};
use super::subject::{Side, Work, job};
use super::usage::Parts;
use crate::bench::samples::Summary;
use crate::bench::tasks::Names;

/// How many tasks are pending, one after the other; the last one is what is asked for.
const LEVELS: [u64; 2] = [10_000, 100_000];
/// Rows of one statement.
const BATCH: u64 = 50_000;
/// How often as many near tasks as the reference has are added, to see what the Dapr scheduler takes.
const STEPS: usize = 3;
/// Of the reference's calls, so many are made at each level, in each repetition.
const DIVISOR: usize = 4;
/// Tasks that are looked at first, for code, connections and buffers; and then more of them, to see what
/// each adds.
const FIRST: usize = 5_000;
const MORE: usize = 10_000;
/// Firings a second, for lateness, as a share of what can be done.
const LOAD: f64 = 0.25;
/// Within which a start must succeed; the target is far less.
const READY_DEADLINE: Duration = Duration::from_secs(120);

/// What was found with so many tasks pending.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Level {
    pub(super) pending: u64,
    /// Tasks scheduled a second, by repetition.
    pub(super) far: Vec<f64>,
    pub(super) near: Vec<f64>,
    pub(super) far_latency: Option<Summary>,
    pub(super) lateness: Spaced,
    /// From the start of the process until it is ready.
    pub(super) ready_seconds: f64,
    /// Of the service after that, and of the Dapr scheduler.
    pub(super) rest_mib: f64,
    pub(super) scheduler_mib: f64,
    /// For each actor that was called since.
    pub(super) actor_kib: f64,
}

/// What the Dapr scheduler holds with so many more tasks within the horizon, and the most beyond it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Registered {
    pub(super) near: usize,
    pub(super) scheduler_mib: f64,
}

/// All of this.
#[derive(Debug, Default, Serialize)]
pub(in crate::bench) struct Growth {
    pub(super) levels: Vec<Level>,
    pub(super) registered: Vec<Registered>,
}

/// Everything at each level.
pub(super) async fn all(
    stage: &Stage<'_>,
    firing: &mut Firing,
    pending: u64,
    near_rate: f64,
) -> Result<Growth> {
    let stack = Stack::load(&stage.manifest.dir)?;
    let database = connect(stage.manifest).await?;
    // From nothing: what the run has left behind would count as pending.
    stack.stop(Part::App(1)).await?;
    database.batch_execute("TRUNCATE reminder_state, task_index").await?;
    start(stage, &stack).await?;
    let names = Names::new("pending");
    let bound = Bound { count: FIRST + MORE, within: CELL_MAX };
    let (target, ours) = (stage.target(Side::Ours)?, names.clone());
    let put = move |number| job(Side::Ours, Work::Far, &ours, number, Work::Far.due());
    let put = closed(&target, REFERENCE.0, REFERENCE.1, bound, put).await?;
    ensure!(put.count == FIRST + MORE, "the first tasks were not scheduled");
    stage.published().await?;

    let rate = firing.rate(Side::Ours).context("the rate of firing is not known")? * LOAD;
    let mut levels = Vec::new();
    for level in LEVELS.into_iter().filter(|level| *level < pending).chain([pending]) {
        println!("  {level} tasks pending …");
        fill(&database, &names, level).await?;
        let mut found = (Vec::new(), Vec::new(), None);
        let bound = Bound { count: stage.plan.n.div_ceil(DIVISOR), within: CELL_MAX };
        for _ in 0..stage.plan.repetitions {
            for work in [Work::Far, Work::Near] {
                let of = (Side::Ours, work);
                let done = stage.schedule(of, REFERENCE.0, REFERENCE.1, bound).await?;
                firing.errors.extend(done.errors);
                if work == Work::Far {
                    found.0.push(done.per_second);
                    found.2 = done.samples.summary();
                } else {
                    found.1.push(done.per_second);
                }
            }
        }
        let (far, near, far_latency) = found;
        let hold = stage.plan.hold;
        let scheduling = |_| Some(near_rate);
        let lateness = fire::space(stage, firing, (Side::Ours, rate), hold, scheduling).await?;
        stack.stop(Part::App(1)).await?;
        let ready_seconds = start(stage, &stack).await?;
        let parts = Parts::of(Side::Ours, &stack.manifest()?, &stage.floor);
        let memory = |part| parts.memory_mib(part).context("its memory cannot be seen");
        let (rest_mib, scheduler_mib) = (memory("app")?, memory("scheduler")?);
        look_at(stage, &names, 0..FIRST).await?;
        let warm_mib = memory("app")?;
        look_at(stage, &names, FIRST..FIRST + MORE).await?;
        let actor_kib = (memory("app")? - warm_mib) * 1_024.0 / f64::from(u32::try_from(MORE)?);
        let pending = level;
        levels.push(Level {
            pending,
            far,
            near,
            far_latency,
            lateness,
            ready_seconds,
            rest_mib,
            scheduler_mib,
            actor_kib,
        });
    }
    let registered = registered(stage, firing).await?;
    Ok(Growth { levels, registered })
}

/// Puts near tasks, some at a time.
async fn registered(stage: &Stage<'_>, firing: &mut Firing) -> Result<Vec<Registered>> {
    let mib = || {
        let parts = Parts::of(Side::Ours, stage.manifest, &stage.floor);
        parts.memory_mib("scheduler").context("its memory cannot be seen")
    };
    let mut all = vec![Registered { near: 0, scheduler_mib: mib()? }];
    let bound = Bound { count: stage.plan.n, within: CELL_MAX };
    for _ in 0..STEPS {
        let (protocol, callers) = REFERENCE;
        let done = stage.schedule((Side::Ours, Work::Near), protocol, callers, bound).await?;
        firing.errors.extend(done.errors);
        let near = all.last().map_or(0, |last| last.near) + done.count;
        all.push(Registered { near, scheduler_mib: mib()? });
    }
    Ok(all)
}

/// How fast the service is with the most tasks pending, as a share of that with the fewest.
pub(super) fn share(levels: &[Level], figure: fn(&Level) -> &Vec<f64>) -> Option<f64> {
    let (few, many) = (levels.first()?, levels.last()?);
    let median = |level| Some(Spread::of(figure(level))?.median);
    (few.pending < many.pending).then_some(median(many)? / median(few)?)
}

async fn connect(manifest: &Manifest) -> Result<Client> {
    let url = manifest.admin_database_url().context("the stack has no Postgres of its own")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Seconds until the service is ready; waits until its actors answer as well.
async fn start(stage: &Stage<'_>, stack: &Stack) -> Result<f64> {
    let began = Instant::now();
    stack.start(Part::App(1)).await?;
    stack.wait_ready_within(Part::App(1), READY_DEADLINE).await?;
    let ready = began.elapsed().as_secs_f64();
    stage.steady().await?;
    Ok(ready)
}

/// Copies a row until there are so many.
async fn fill(database: &Client, names: &Names, count: u64) -> Result<()> {
    let template = format!("%||TaskActor||{}||task", names.id(0));
    let there = "SELECT count(*) FROM task_index WHERE next_wake IS NOT NULL";
    loop {
        let row = database.query_one(there, &[]).await?;
        let there = u64::try_from(row.get::<_, i64>(0))?;
        let missing = count.saturating_sub(there);
        if missing == 0 {
            break;
        }
        let copy = format!(
            "INSERT INTO reminder_state (key, value)
             SELECT replace(key, '||task', '-copy-' || (SELECT max(row_id) FROM reminder_state)
                                           || '-' || number || '||task'), value
             FROM reminder_state, generate_series(1, {}) AS number WHERE key LIKE '{template}'",
            missing.min(BATCH)
        );
        let copied = database.execute(&copy, &[]).await?;
        ensure!(copied > 0, "there is nothing to copy: {template}");
    }
    // As autovacuum would have done while they came.
    database.batch_execute("VACUUM (ANALYZE) reminder_state").await?;
    database.batch_execute("VACUUM (ANALYZE) task_index").await?;
    Ok(())
}

async fn look_at(stage: &Stage<'_>, names: &Names, numbers: Range<usize>) -> Result<()> {
    let (names, due) = (names.clone(), Work::Far.due());
    let get = move |number| Job {
        method: "get",
        body: Value::Null,
        ..job(Side::Ours, Work::Far, &names, numbers.start + number, due)
    };
    let bound = Bound { count: numbers.len(), within: CELL_MAX };
    let done = closed(&stage.target(Side::Ours)?, REFERENCE.0, REFERENCE.1, bound, get).await?;
    ensure!(
        done.count == bound.count,
        "not all tasks could be looked at: {:?}",
        done.errors.first()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(pending: u64, far: &[f64]) -> Level {
        let lateness = Spaced {
            begun_per_second: 1.0,
            side: Side::Ours,
            rate: 1.0,
            seconds: 1.0,
            begun: None,
            in_broker: None,
            consumed: None,
        };
        let (near, far_latency) = (Vec::new(), None);
        let [ready_seconds, rest_mib, scheduler_mib, actor_kib] = [0.0; 4];
        let far = far.to_vec();
        Level {
            pending,
            far,
            near,
            far_latency,
            lateness,
            ready_seconds,
            rest_mib,
            scheduler_mib,
            actor_kib,
        }
    }

    #[test]
    fn the_share_is_that_of_the_most_to_the_fewest() {
        let levels = [level(10, &[90.0, 100.0, 110.0]), level(100, &[1.0]), level(1_000, &[95.0])];
        assert_eq!(share(&levels, |level| &level.far), Some(0.95));
        assert_eq!(share(&levels[..1], |level| &level.far), None);
        assert_eq!(share(&levels, |level| &level.near), None);
    }
}
