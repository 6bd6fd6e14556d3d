//! Scenario: reminders spread over a span; how late each fires, and how late it is in Kafka.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use reminder_stack::access::Access;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::arrivals::arrivals;
use super::report::{Measure, Scenario};
use super::samples::Samples;
use super::tally::Tally;
use super::tasks::{self, Names};
use crate::api::Address;

/// Callers that schedule at the same time.
const CALLERS: usize = 16;

/// Scheduling must be over before the first reminder is due, or it would be measured as well: a fixed
/// time, and as long as this many tasks per second take.
const LEAD: Duration = Duration::from_secs(10);
const SLOWEST_PER_SECOND: u32 = 100;

/// After the last reminder is due, how long events may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The version of a task that was put and fired.
const FIRED_ONCE: u64 = 2;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) reminders: usize,
    pub(super) span: Duration,
}

/// Schedules the reminders, waits for all of them, and judges what came.
pub(super) async fn run(address: &Address, broker: Access, load: Load) -> Result<Scenario> {
    let names = Names::new("spread");
    let mut arrivals = arrivals(broker).await?;
    let count = u32::try_from(load.reminders).context("too many reminders")?;
    let ahead = LEAD + Duration::from_secs(1) * count / SLOWEST_PER_SECOND;
    let first = Utc::now() + ahead;
    let last = Instant::now() + ahead + load.span;
    let due = |number: usize| -> DateTime<Utc> {
        first + load.span * u32::try_from(number).unwrap_or(u32::MAX) / count
    };

    let began = Instant::now();
    let (mut schedule, mut errors) = (Samples::default(), Vec::new());
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let tasks =
            (caller..load.reminders).step_by(CALLERS).map(|n| (names.id(n), tasks::put(n, due(n))));
        callers.spawn(put_all(address.clone(), tasks.collect()));
    }
    while let Some(done) = callers.join_next().await {
        let (mut samples, mut failed) = done??;
        schedule.append(&mut samples);
        errors.append(&mut failed);
    }
    let scheduling = began.elapsed();
    ensure!(
        Utc::now() < first,
        "scheduling took {scheduling:?}, longer than the {ahead:?} there were: the machine is too busy"
    );

    let mut tally = Tally::new(names.clone(), (0..load.reminders).map(due).collect());
    while !tally.is_complete() {
        match timeout_at(last + PATIENCE, arrivals.recv()).await {
            Ok(Some((arrived, record))) => tally.add(&record, arrived)?,
            // What is missing is an error of the tally.
            Ok(None) | Err(_) => break,
        }
    }
    errors.extend(tally.errors());
    if tally.is_complete() {
        errors.extend(fired_again(address, &names, load.reminders).await?);
    }
    let rate = f64::from(count) / load.span.as_secs_f64();
    let schedule = schedule.summary().context("nothing was scheduled")?;
    let mut measures = vec![Measure::new(format!("put, due near, {CALLERS} at a time"), schedule)];
    measures.extend(tally.measures());
    Ok(Scenario {
        name: "fire-spread".to_owned(),
        setup: format!(
            "{} reminders over {:.0} s ({rate:.0} per second), scheduled before the first was due",
            load.reminders,
            load.span.as_secs_f64()
        ),
        measures,
        notes: vec![
            format!("scheduled in {:.1} s", scheduling.as_secs_f64()),
            format!("{} events were delivered again", tally.repeats()),
        ],
        errors,
    })
}

/// One caller's share.
async fn put_all(
    address: Address,
    tasks: Vec<(String, serde_json::Value)>,
) -> Result<(Samples, Vec<String>)> {
    let mut caller = address.connect().await?;
    let (mut samples, mut errors) = (Samples::default(), Vec::new());
    for (id, body) in tasks {
        let reply = caller.call(&id, "put", &body).await?;
        match reply.outcome {
            Ok(_) => samples.add(reply.took),
            Err(problem) => errors.push(format!("{id}: {} {}", problem.status, problem.detail)),
        }
    }
    Ok((samples, errors))
}

/// The tasks that fired more than once, even if that is not in Kafka yet: it raised their version.
async fn fired_again(address: &Address, names: &Names, count: usize) -> Result<Vec<String>> {
    let mut caller = address.connect().await?;
    let mut errors = Vec::new();
    for id in (0..count).map(|number| names.id(number)) {
        let reply = caller.call(&id, "get", &serde_json::Value::Null).await?;
        let version = reply.outcome.ok().and_then(|answer| answer["version"].as_u64());
        if version != Some(FIRED_ONCE) {
            errors.push(format!("{id}: is at version {version:?} instead of {FIRED_ONCE}"));
        }
    }
    Ok(errors)
}
