//! What a service meets beside new tasks: very many changes at once, recurring tasks, tasks that it has
//! to read first, and all of it mixed with firings.

use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::{DateTime, Duration as Span, Utc};
use reminder_stack::{Part, Stack};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client::{Bound, Done, Job, closed, open};
use super::schedule::{REFERENCE, count_of};
use super::stage::{CELL_MAX, Stage};
use super::subject::{Side, Work, job};
use crate::bench::herd::follow;
use crate::bench::samples::Summary;
use crate::bench::tally::{Tally, shown};
use crate::bench::tasks::Names;

/// Of the mixed load, one in so many fires.
const FIRES_EACH: usize = 5;
/// How long after its command it is due, and how long its event may take.
const FIRES_AFTER: Span = Span::seconds(5);
const PATIENCE: Duration = Duration::from_secs(60);
const COMPLETED_AFTER: Duration = Duration::from_secs(2);
/// The rate of the mixed load, as a share of what can be scheduled.
const MIXED_PACE: f64 = 0.5;

/// One load on the service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Load {
    pub(in crate::bench) name: &'static str,
    /// Until the events are in the broker; for a load at a rate, that rate.
    pub(in crate::bench) per_second: f64,
    pub(in crate::bench) latency: Option<Summary>,
}

/// All of them, and what went wrong.
pub(super) async fn all(stage: &Stage<'_>, near_rate: f64) -> Result<(Vec<Load>, Vec<String>)> {
    let (mut loads, mut errors) = (Vec::new(), Vec::new());
    let (far, near) = (Names::new("storm-far"), Names::new("storm-near"));
    let recurring = Names::new("storm-recurring");
    put(stage, &near, Work::Near, Span::zero()).await?;
    let storms: [(&'static str, Done); 5] = [
        ("put new far tasks", put(stage, &far, Work::Far, Span::zero()).await?),
        ("postpone far tasks", put(stage, &far, Work::Far, Span::days(1)).await?),
        ("postpone near tasks", put(stage, &near, Work::Near, Span::minutes(10)).await?),
        ("delete near tasks", call(stage, &near, "delete").await?),
        ("put recurring tasks", storm(stage, move |number| recurs(&recurring, number)).await?),
    ];
    for (name, done) in storms {
        errors.extend(shown(&done.errors));
        loads.push(Load { name, per_second: done.per_second(), latency: done.samples.summary() });
    }

    // A service that has just started remembers no task, and its sidecar hosts no actor.
    let stack = Stack::load(&stage.manifest.dir)?;
    stack.restart(Part::App(1)).await?;
    stage.steady().await?;
    for name in ["complete far tasks, cold", "reopen far tasks, warm"] {
        let method = if name.starts_with("complete") { "complete" } else { "reopen" };
        let done = call(stage, &far, method).await?;
        errors.extend(shown(&done.errors));
        loads.push(Load { name, per_second: done.per_second(), latency: done.samples.summary() });
    }
    let (load, mut wrong) = mixed(stage, near_rate * MIXED_PACE).await?;
    loads.push(load);
    errors.append(&mut wrong);
    Ok((loads, errors))
}

async fn put(stage: &Stage<'_>, names: &Names, work: Work, later: Span) -> Result<Done> {
    let (names, due) = (names.clone(), work.due() + later);
    storm(stage, move |number| job(Side::Ours, work, &names, number, due)).await
}

async fn call(stage: &Stage<'_>, names: &Names, method: &'static str) -> Result<Done> {
    let (names, due) = (names.clone(), Utc::now());
    storm(stage, move |number| Job {
        method,
        body: Value::Null,
        ..job(Side::Ours, Work::Far, &names, number, due)
    })
    .await
}

fn recurs(names: &Names, number: usize) -> Job {
    let mut job = job(Side::Ours, Work::Far, names, number, Work::Far.due());
    job.body["task"]["recurrence"] = json!({ "rule": "FREQ=WEEKLY;BYDAY=MO,TH" });
    job
}

async fn storm(
    stage: &Stage<'_>,
    make: impl Fn(usize) -> Job + Clone + Send + 'static,
) -> Result<Done> {
    let bound = Bound { count: stage.plan.n, within: CELL_MAX };
    let (protocol, concurrency) = REFERENCE;
    let target = stage.target(Side::Ours)?;
    let mut done = closed(&target, protocol, concurrency, bound, make).await?;
    done.took += stage.published().await?;
    ensure!(done.count > 0, "nothing was answered: {}", shown(&done.errors).join("; "));
    Ok(done)
}

/// Of five commands, two put a far task, two complete one, and one puts a task that fires while all this
/// goes on.
async fn mixed(stage: &Stage<'_>, rate: f64) -> Result<(Load, Vec<String>)> {
    let count = count_of(rate, stage.plan.hold);
    let (fires, others) = (Names::new("mixed-fire"), Names::new("mixed"));
    let first = Utc::now() + FIRES_AFTER;
    let due = move |fire: usize| -> DateTime<Utc> { first + after(fire * FIRES_EACH, rate) };
    let tally = (0..count.div_ceil(FIRES_EACH)).map(due).collect();
    let mut tally = Tally::new(fires.clone(), tally);
    let mut arrivals = stage.arrivals().await?;
    let give_up = Instant::now() + stage.plan.hold + PATIENCE;
    // A task is completed so many commands after it was put, or it might not be there yet.
    let behind = FIRES_EACH * count_of(rate, COMPLETED_AFTER).div_ceil(FIRES_EACH) + 2;
    let make = move |number: usize| match number % FIRES_EACH {
        0 => {
            let fire = number / FIRES_EACH;
            job(Side::Ours, Work::Near, &fires, fire, due(fire))
        }
        3 | 4 if number >= behind => Job {
            method: "complete",
            body: Value::Null,
            ..job(Side::Ours, Work::Far, &others, number - behind, first)
        },
        _ => job(Side::Ours, Work::Far, &others, number, Work::Far.due()),
    };
    let target = stage.target(Side::Ours)?;
    let load = open(&target, REFERENCE.0, rate, count, make);
    let (done, followed) = tokio::join!(load, follow(&mut tally, &mut arrivals, give_up));
    let done = done?;
    followed?;
    stage.published().await?;
    let name = "80 % put and complete, 20 % that fire, at half of what can be scheduled";
    let load = Load { name, per_second: rate, latency: done.samples.summary() };
    Ok((load, [shown(&done.errors), tally.errors()].concat()))
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "some seconds")]
fn after(number: usize, rate: f64) -> Span {
    Span::milliseconds((number as f64 / rate * 1_000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fires_is_due_as_long_after_its_command_as_any_other() {
        assert_eq!(after(0, 100.0), Span::zero());
        assert_eq!(after(250, 100.0), Span::milliseconds(2_500));
    }

    #[test]
    fn a_recurring_task_says_how_it_recurs() {
        let job = recurs(&Names::new("test"), 3);
        assert_eq!(job.body["task"]["recurrence"]["rule"], "FREQ=WEEKLY;BYDAY=MO,TH");
    }
}
