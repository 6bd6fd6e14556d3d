//! `cargo xtask bench herd`: very many reminders that are due at the same moment.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Duration as Span, Utc};
use clap::Args;
use reminder_stack::Manifest;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::arrivals::{Arrival, arrivals};
use super::calls::{self, CALLERS, Call, Pool};
use super::counters;
use super::memory::Watch;
use super::offer::{Fate, Offered, offer};
use super::own::Own;
use super::report::{Measure, Scenario};
use super::samples::Samples;
use super::tally::{Tally, shown};
use super::tasks::{self, Names};
use crate::api::Address;

/// Every wake is registered by its command, not by the sweep.
const ARM_HORIZON: (&str, &str) = ("ARM_HORIZON", "2h");

/// Puts that tell how long it takes to schedule all, for the moment must be known before the first
/// one. They are due when everything is over.
const PROBES: usize = 500;
const PROBES_AHEAD: Span = Span::minutes(110);

/// How long scheduling may take, in percent of what the probes say, and a fixed time more.
const LEAD_PERCENT: u32 = 160;
const LEAD: Duration = Duration::from_secs(15);

/// After the moment, how long events may take: a fixed time, and as long as so many a second take.
const PATIENCE: Duration = Duration::from_secs(60);
const SLOWEST_PER_SECOND: u32 = 40;

/// Between two commands of somebody else meanwhile.
const TRICKLE_EVERY: Duration = Duration::from_millis(200);
/// Those are about tasks that are due then.
const TRICKLE_AHEAD: Span = Span::minutes(100);

/// The version of a task that was put and fired once.
const FIRED_ONCE: u64 = 2;

#[derive(Args)]
pub(super) struct Options {
    /// Reminders that are due at the same moment
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    reminders: u32,

    #[command(flatten)]
    own: Own,
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    let (variable, value) = ARM_HORIZON;
    let settings = [(variable, value.to_owned())];
    let work = async |manifest: &Manifest| Ok(herd(manifest, options.reminders).await?.into());
    options.own.measure(&settings, work).await
}

async fn herd(manifest: &Manifest, reminders: u32) -> Result<Scenario> {
    let address = Address::of(manifest)?;
    let broker = manifest.kafka_access()?.context("the benchmark needs Kafka")?;
    let mut arrivals = arrivals(broker).await?;
    let watch = Watch::begin(manifest);
    let (names, count, mut errors) = (Names::new("herd"), reminders as usize, Vec::new());

    let ahead = lead(&address, reminders).await?;
    // A whole second, as people choose them.
    let due = (Utc::now() + ahead).timestamp() + 1;
    let due = DateTime::from_timestamp(due, 0).context("the moment is out of range")?;
    println!("Scheduling {reminders} reminders for {} UTC …", due.format("%H:%M:%S"));
    let began = Instant::now();
    let schedule = put_all(&address, &names, count, due, &mut errors).await?;
    let scheduling = began.elapsed();
    let left = (due - Utc::now()).to_std().ok().with_context(|| {
        format!("scheduling took {scheduling:.0?}, longer than the {ahead:.0?} there were")
    })?;

    println!("Scheduled in {scheduling:.0?}; {left:.0?} to go …");
    let moment = Instant::now() + left;
    let (stop, stopped) = oneshot::channel::<()>();
    let trickle = tokio::spawn(trickle(Pool::new(address.clone()), stopped));
    let mut tally = Tally::new(names.clone(), vec![due; count]);
    let give_up = moment + PATIENCE + Duration::from_secs(1) * reminders / SLOWEST_PER_SECOND;
    follow(&mut tally, &mut arrivals, give_up).await?;
    let took = moment.elapsed();
    // It ends by itself when we are gone.
    stop.send(()).ok();
    let trickle = trickle.await??;

    errors.extend(tally.errors());
    errors.extend(wrong(&trickle));
    if tally.is_complete() {
        errors.extend(fired_once(&address, &names, count).await?);
    }
    errors.extend(watch.errors());
    let mut notes = vec![
        format!("scheduled in {:.0} s", scheduling.as_secs_f64()),
        format!(
            "all fired and were read within {:.1} s, {:.0} a second",
            took.as_secs_f64(),
            f64::from(reminders) / took.as_secs_f64()
        ),
        format!("{} events were delivered again", tally.repeats()),
        format!(
            "commands meanwhile: {} answered, {} refused, {} without a clear answer",
            trickle.count(|fate| *fate == Fate::Answered),
            trickle.count(|fate| *fate == Fate::Refused),
            trickle.count(|fate| matches!(fate, Fate::Unknown(_)))
        ),
    ];
    notes.extend(watch.notes());
    notes.extend(counters::notes(manifest).await?);
    let mut measures = Vec::new();
    let put = format!("put, {CALLERS} at a time");
    measures.extend(schedule.summary().map(|summary| Measure::new(put, summary)));
    measures.extend(tally.measures());
    let meanwhile = trickle.samples(|fate| *fate == Fate::Answered).summary();
    measures.extend(meanwhile.map(|summary| Measure::new("put meanwhile, 5 a second", summary)));
    Ok(Scenario {
        name: "herd".to_owned(),
        setup: format!("{reminders} reminders of as many tasks, due in the same second"),
        measures,
        notes,
        errors,
    })
}

/// How long scheduling may take.
async fn lead(address: &Address, reminders: u32) -> Result<Duration> {
    let (began, mut errors) = (Instant::now(), Vec::new());
    let due = Utc::now() + PROBES_AHEAD;
    put_all(address, &Names::new("probe"), PROBES, due, &mut errors).await?;
    anyhow::ensure!(errors.is_empty(), "the probes failed: {}", errors.join("; "));
    let probes = u32::try_from(PROBES)?;
    Ok(LEAD + began.elapsed() * reminders / probes * LEAD_PERCENT / 100)
}

async fn put_all(
    address: &Address,
    names: &Names,
    count: usize,
    due: DateTime<Utc>,
    errors: &mut Vec<String>,
) -> Result<Samples> {
    let put = |number| Call {
        number,
        task: names.id(number),
        method: "put",
        body: tasks::put(number, due),
    };
    let mut samples = Samples::default();
    let mut failed = Vec::new();
    for (number, reply) in calls::all(address, (0..count).map(put).collect()).await? {
        match reply.map(|reply| (reply.took, reply.outcome)) {
            Ok((took, Ok(_))) => samples.add(took),
            Ok((_, Err(problem))) => failed.push(format!("put of {number}: {}", problem.detail)),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    errors.extend(shown(&failed));
    Ok(samples)
}

/// Somebody else's commands, from now on.
async fn trickle(pool: Pool, stopped: oneshot::Receiver<()>) -> Result<Offered> {
    let names = Names::new("trickle");
    let put = move |number| Call {
        number,
        task: names.id(number),
        method: "put",
        body: tasks::put(number, Utc::now() + TRICKLE_AHEAD),
    };
    let stop = async {
        // Sent or dropped: both mean the end.
        stopped.await.ok();
    };
    offer(pool, TRICKLE_EVERY, put, stop).await
}

fn wrong(offered: &Offered) -> Vec<String> {
    let wrong = offered.sent.iter().filter_map(|sent| match &sent.fate {
        Fate::Wrong(why) => Some(format!("{}: {why}", sent.call.task)),
        _ => None,
    });
    shown(&wrong.collect::<Vec<_>>())
}

/// Reads events until all have fired, or nobody waits any longer.
pub(super) async fn follow(
    tally: &mut Tally,
    arrivals: &mut mpsc::Receiver<Arrival>,
    give_up: Instant,
) -> Result<()> {
    while !tally.is_complete() {
        match timeout_at(give_up, arrivals.recv()).await {
            Ok(Some((arrived, record))) => tally.add(&record, arrived)?,
            // What is missing is an error of the tally.
            Ok(None) | Err(_) => break,
        }
    }
    Ok(())
}

/// The tasks that have not fired once, by their versions, whatever was seen in Kafka: one that fired again is
/// found before its event comes, and of one that is missing it is known whether the turn was or the event.
pub(super) async fn fired_once(
    address: &Address,
    names: &Names,
    count: usize,
) -> Result<Vec<String>> {
    let get = |number| Call { number, task: names.id(number), method: "get", body: Value::Null };
    let mut errors = Vec::new();
    for (number, reply) in calls::all(address, (0..count).map(get).collect()).await? {
        let answer = reply?.outcome.ok();
        let version = answer.and_then(|answer| answer["version"].as_u64());
        if version != Some(FIRED_ONCE) {
            errors.push(format!("task {number} is at version {version:?}, not at {FIRED_ONCE}"));
        }
    }
    Ok(shown(&errors))
}
