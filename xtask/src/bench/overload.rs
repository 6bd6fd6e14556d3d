//! `cargo xtask bench overload`: more commands than can be done, and what becomes of them.
//!
//! Half of the reminders are near (one row and one registration), half are far (one row). All of them
//! become due after the load, so that each answered command can be held to its word: its task is
//! there, and fires once. A refused command must have left nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration as Span, Utc};
use clap::Args;
use reminder_stack::Manifest;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::arrivals::arrivals;
use super::calls::{Call, Pool};
use super::check;
use super::counters;
use super::herd::follow;
use super::memory::Watch;
use super::offer::{Fate, Offered, offer};
use super::own::Own;
use super::report::{Measure, Scenario};
use super::samples::Samples;
use super::tally::Tally;
use super::tasks::{self, Names};
use crate::api::Address;

/// Callers that find out the capacity, each with one command after the other; and for how long,
/// what comes first not counted.
const CAPACITY_CALLERS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(3);
const CAPACITY_FOR: Duration = Duration::from_secs(10);

/// From the end of the load to the first firing: what was sent last is answered, or never will be.
const QUIET: Duration = Duration::from_secs(35);

/// How much nearer than the arm horizon a near reminder is.
const NEAR_BY: Duration = Duration::from_secs(5);

/// After the last reminder is due, how long events may take.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Args)]
pub(super) struct Options {
    /// Seconds of the load
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,

    /// How many times the capacity is offered
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    factor: f64,

    #[command(flatten)]
    own: Own,
}

pub(super) async fn run(options: &Options) -> Result<bool> {
    ensure!(
        options.factor.is_finite() && options.factor > 0.0,
        "--factor must be a number above 0"
    );
    let plan = Plan::new(Duration::from_secs(options.seconds.into()), options.factor);
    let settings = [("ARM_HORIZON", format!("{}s", plan.horizon.as_secs()))];
    let work = async |manifest: &Manifest| Ok(overload(manifest, plan).await?.into());
    options.own.measure(&settings, work).await
}

/// When what is sent becomes due.
#[derive(Debug, Clone, Copy)]
struct Plan {
    load: Duration,
    factor: f64,
    /// The arm horizon of the service.
    horizon: Duration,
}

impl Plan {
    fn new(load: Duration, factor: f64) -> Self {
        let horizon = WARM_UP + CAPACITY_FOR + load + QUIET + NEAR_BY;
        Self { load, factor, horizon }
    }

    /// When the reminder of a command is due that is sent now: all after the load; every second one
    /// so far away that no sweep reaches it before that.
    fn due(&self, number: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        let ahead = if number.is_multiple_of(2) {
            self.horizon.saturating_sub(NEAR_BY)
        } else {
            self.horizon + WARM_UP + CAPACITY_FOR + self.load + NEAR_BY
        };
        now + Span::from_std(ahead).unwrap_or(Span::MAX)
    }

    fn call(&self, names: &Names, number: usize) -> Call {
        let task = names.id(number);
        let mut body = tasks::put(number, self.due(number, Utc::now()));
        body["commandId"] = format!("c-{task}").into();
        Call { number, task, method: "put", body }
    }
}

async fn overload(manifest: &Manifest, plan: Plan) -> Result<Scenario> {
    let address = Address::of(manifest)?;
    let broker = manifest.kafka_access()?.context("the benchmark needs Kafka")?;
    let mut arrivals = arrivals(broker).await?;
    let watch = Watch::begin(manifest);

    println!("Finding out the capacity …");
    let (capacity, closed) = capacity(&address, plan).await?;
    let rate = capacity * plan.factor;
    println!("{capacity:.0} a second are answered; offering {rate:.0} for {:?} …", plan.load);
    let names = Names::new("overload");
    let (ours, began) = (names.clone(), Instant::now());
    let every = Duration::from_secs_f64(1.0 / rate);
    let put = move |number| plan.call(&ours, number);
    let offered = offer(Pool::new(address.clone()), every, put, sleep(plan.load)).await?;
    let took = began.elapsed();

    println!("{} were sent; looking at each of them …", offered.sent.len());
    let mut tally = Tally::of_some(names, check::due(&offered.sent)?);
    let last = Instant::now() + plan.horizon * 2 + PATIENCE;
    let (checked, followed) =
        tokio::join!(check::all(&address, &offered.sent), follow(&mut tally, &mut arrivals, last));
    let checked = checked?;
    followed?;
    println!("All reminders are due; looking once more …");
    let mut errors = checked.errors;
    errors.extend(tally.errors());
    errors.extend(check::fired(&address, &offered.sent).await?);
    errors.extend(watch.errors());
    let count = |wanted: fn(&Fate) -> bool| offered.count(wanted);
    if count(|fate| *fate == Fate::Answered) == 0 {
        errors.push("nothing was answered under load".to_owned());
    }
    let mut notes = told(&offered, capacity, took, plan);
    notes.push(format!(
        "without a clear answer: {} were there in the end, {} were not; all were answered when repeated",
        checked.there, checked.absent
    ));
    notes.push(format!("{} events were delivered again", tally.repeats()));
    notes.extend(watch.notes());
    notes.extend(counters::notes(manifest).await?);
    Ok(Scenario {
        name: "overload".to_owned(),
        setup: format!(
            "{} times the capacity of {capacity:.0} commands a second, for {} s, in an open loop",
            plan.factor,
            plan.load.as_secs()
        ),
        measures: measures(&offered, &closed, &tally),
        notes,
        errors,
    })
}

fn measures(offered: &Offered, closed: &Samples, tally: &Tally) -> Vec<Measure> {
    let kinds = [
        (format!("put, {CAPACITY_CALLERS} at a time"), closed.clone()),
        ("overload: answered".to_owned(), offered.samples(|fate| *fate == Fate::Answered)),
        ("overload: refused".to_owned(), offered.samples(|fate| *fate == Fate::Refused)),
        ("overload: unclear".to_owned(), offered.samples(|fate| matches!(fate, Fate::Unknown(_)))),
    ];
    let told = |(name, samples): (String, Samples)| Some(Measure::new(name, samples.summary()?));
    kinds.into_iter().filter_map(told).chain(tally.measures()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousands")]
fn told(offered: &Offered, capacity: f64, took: Duration, plan: Plan) -> Vec<String> {
    let answered = offered.count(|fate| *fate == Fate::Answered);
    let goodput = answered as f64 / took.as_secs_f64();
    vec![
        format!(
            "{} commands in {:.0} s: {answered} answered, {} refused, {} without a clear answer",
            offered.sent.len(),
            plan.load.as_secs_f64(),
            offered.count(|fate| *fate == Fate::Refused),
            offered.count(|fate| matches!(fate, Fate::Unknown(_))),
        ),
        format!(
            "{goodput:.0} a second were answered, {:.2} of the capacity, until the last one after {:.1} s",
            goodput / capacity,
            took.as_secs_f64()
        ),
        format!(
            "{} calls were under way at most; {} were held back by the client",
            offered.outstanding, offered.held_back
        ),
    ]
}

/// How many commands a second are answered when nobody has to wait for long.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
async fn capacity(address: &Address, plan: Plan) -> Result<(f64, Samples)> {
    let names = Names::new("capacity");
    let began = Instant::now();
    let (from, until) = (began + WARM_UP, began + WARM_UP + CAPACITY_FOR);
    let mut callers = JoinSet::new();
    for first in 0..CAPACITY_CALLERS {
        let (address, names) = (address.clone(), names.clone());
        callers.spawn(async move {
            let mut caller = address.connect().await?;
            let mut samples = Samples::default();
            // An odd stride: each caller puts near and far ones in turns.
            for number in (first..).step_by(CAPACITY_CALLERS + 1) {
                let call = plan.call(&names, number);
                let reply = caller.call(&call.task, call.method, &call.body).await?;
                if let Err(problem) = &reply.outcome {
                    anyhow::bail!("refused while there is no overload: {}", problem.detail);
                }
                let now = Instant::now();
                if now >= until {
                    break;
                }
                if now >= from {
                    samples.add(reply.took);
                }
            }
            Ok(samples)
        });
    }
    let mut all = Samples::default();
    while let Some(samples) = callers.join_next().await {
        all.append(&mut samples??);
    }
    let answered = all.summary().context("no command was answered")?.count;
    Ok((answered as f64 / CAPACITY_FOR.as_secs_f64(), all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_reminders_are_due_after_the_load_and_no_sweep_disturbs_it() {
        let plan = Plan::new(Duration::from_secs(30), 2.0);
        let secs = |duration: Duration| i64::try_from(duration.as_secs()).unwrap();
        let now = Utc::now();
        let ahead = |number| (plan.due(number, now) - now).num_seconds();
        // Sent first of all, at the beginning of the measurement of the capacity.
        let load_over = secs(WARM_UP + CAPACITY_FOR + plan.load);
        assert!(ahead(0) >= load_over + secs(QUIET) && ahead(0) < secs(plan.horizon));
        assert!(ahead(1) - secs(plan.horizon) > load_over, "it would be swept under load");
    }
}
