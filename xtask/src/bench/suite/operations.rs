//! The operations whose calls are counted, and what the issue allows for each.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Duration as Span, Utc};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::calls::{self, Kind};
use super::client::{Bound, Job, closed};
use super::schedule::REFERENCE;
use super::stage::{CELL_MAX, Stage};
use super::subject::{Side, Work, job};
use crate::bench::herd::follow;
use crate::bench::tally::{Tally, shown};
use crate::bench::tasks::Names;

/// Operations of each kind, done so many at a time.
const COUNT: usize = 200;
const CALLERS: usize = 16;

/// Until what is due in this part fires: a fixed time, and so many times as long as scheduling took; and
/// how long firing may take.
const AHEAD: Duration = Duration::from_secs(5);
const AHEAD_FACTOR: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(60);

/// What the audit asks meanwhile may be in the count: so little for each operation.
const SLACK: f64 = 0.05;

/// An operation, and how many calls of each kind it makes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Operation {
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) calls: BTreeMap<Kind, f64>,
    /// Why it is not what the issue asks for.
    pub(in crate::bench) missed: Vec<String>,
    /// Why it is more than it ever was.
    #[serde(skip)]
    pub(in crate::bench) worse: Vec<String>,
}

/// How many calls an operation may make: what the issue asks for, and what it takes today. Lower the
/// latter with each call that is spared, so that none comes back.
struct Allowed {
    kind: Kind,
    target: f64,
    today: f64,
}

const fn exact(kind: Kind, calls: f64) -> Allowed {
    Allowed { kind, target: calls, today: calls }
}

/// A share of a call that many operations have in common.
const fn shared(kind: Kind) -> Allowed {
    Allowed { kind, target: 1.0, today: 3.0 }
}

/// Of the scheduler nothing, and one write.
const fn write_only(today_reads: f64) -> [Allowed; 6] {
    [
        Allowed { kind: Kind::Reads, target: 0.0, today: today_reads },
        exact(Kind::Writes, 1.0),
        exact(Kind::Registrations, 0.0),
        exact(Kind::Unregistrations, 0.0),
        shared(Kind::Publishes),
        shared(Kind::Watermarks),
    ]
}

/// Does each operation often, and counts.
pub(super) async fn all(stage: &Stage<'_>) -> Result<Vec<Operation>> {
    let metrics = stage.manifest.replica(1)?.metrics_port;
    let count = COUNT.min(stage.plan.n);
    let mut found = Vec::new();

    let (far, near) = (Names::new("count-far"), Names::new("count-near"));
    let allowed = write_only(0.0);
    let work = puts(stage, &far, count, Work::Far.due());
    found.push(counted(metrics, count, "schedule a far task", &allowed, work).await?);

    let mut allowed = write_only(0.0);
    allowed[2] = exact(Kind::Registrations, 1.0);
    let began = Instant::now();
    let work = puts(stage, &near, count, Work::Near.due());
    found.push(counted(metrics, count, "schedule a near task", &allowed, work).await?);

    let ahead = AHEAD + began.elapsed() * AHEAD_FACTOR;
    let due = Utc::now() + ahead;
    let names = Names::new("count-fire");
    puts(stage, &names, count, due).await?;
    // One read is allowed; none is made while the actor is known from the turn before.
    let mut allowed = write_only(0.0);
    allowed[0].target = 1.0;
    let work = fired(stage, &names, count, due);
    found.push(counted(metrics, count, "fire a one-shot", &allowed, work).await?);

    let allowed = write_only(0.0);
    let work = puts(stage, &far, count, Work::Far.due() + Span::days(1));
    found.push(counted(metrics, count, "postpone a far task", &allowed, work).await?);

    let due = Utc::now() + ahead;
    let names = Names::new("count-postpone");
    puts(stage, &names, count, due).await?;
    // The early wake is left as it is, looks at the clock once, and is registered anew.
    let mut allowed = write_only(1.0);
    allowed[0] = exact(Kind::Reads, 1.0);
    allowed[2] = exact(Kind::Registrations, 1.0);
    let work = async {
        puts(stage, &names, count, Work::Near.due()).await?;
        until(due).await
    };
    found.push(counted(metrics, count, "postpone a near task", &allowed, work).await?);

    let allowed = write_only(0.0);
    let work = each(stage, &far, count, "complete");
    found.push(counted(metrics, count, "complete a far task", &allowed, work).await?);
    Ok(found)
}

async fn counted(
    metrics: u16,
    count: usize,
    name: &'static str,
    allowed: &[Allowed],
    work: impl Future<Output = Result<()>>,
) -> Result<Operation> {
    let before = calls::settled(metrics).await?;
    work.await?;
    let calls = calls::per_operation(&before, &calls::settled(metrics).await?, count);
    let (missed, worse) = judge(&calls, allowed);
    Ok(Operation { name, calls, missed, worse })
}

fn judge(calls: &BTreeMap<Kind, f64>, allowed: &[Allowed]) -> (Vec<String>, Vec<String>) {
    let beyond = |limit: fn(&Allowed) -> f64| {
        let beyond = allowed.iter().filter_map(move |allowed| {
            let found = calls.get(&allowed.kind).copied().unwrap_or(0.0);
            let kind = allowed.kind.name();
            (found > limit(allowed) + SLACK)
                .then(|| format!("{found:.2} {kind}, not {:.0}", limit(allowed)))
        });
        beyond.collect::<Vec<_>>()
    };
    (beyond(|allowed| allowed.target), beyond(|allowed| allowed.today))
}

async fn puts(stage: &Stage<'_>, names: &Names, count: usize, due: DateTime<Utc>) -> Result<()> {
    let names = names.clone();
    run(stage, count, move |number| job(Side::Ours, Work::Near, &names, number, due)).await
}

async fn each(stage: &Stage<'_>, names: &Names, count: usize, method: &'static str) -> Result<()> {
    let names = names.clone();
    let due = Utc::now();
    run(stage, count, move |number| Job {
        method,
        body: Value::Null,
        ..job(Side::Ours, Work::Near, &names, number, due)
    })
    .await
}

async fn run(
    stage: &Stage<'_>,
    count: usize,
    make: impl Fn(usize) -> Job + Clone + Send + 'static,
) -> Result<()> {
    let bound = Bound { count, within: CELL_MAX };
    let target = stage.target(Side::Ours)?;
    let done = closed(&target, REFERENCE.0, CALLERS, bound, make).await?;
    ensure!(done.errors.is_empty(), "{}", shown(&done.errors).join("; "));
    Ok(())
}

/// Waits until all have fired.
async fn fired(stage: &Stage<'_>, names: &Names, count: usize, due: DateTime<Utc>) -> Result<()> {
    ensure!(Utc::now() < due, "scheduling {count} took too long: the machine is too busy");
    let mut arrivals = stage.arrivals().await?;
    let mut tally = Tally::new(names.clone(), vec![due; count]);
    follow(&mut tally, &mut arrivals, Instant::now() + PATIENCE).await?;
    ensure!(tally.is_complete(), "{}", tally.errors().join("; "));
    Ok(())
}

async fn until(due: DateTime<Utc>) -> Result<()> {
    let left = (due - Utc::now()).to_std().ok();
    sleep(left.context("postponing took too long: the machine is too busy")?).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(reads: f64, writes: f64) -> BTreeMap<Kind, f64> {
        [(Kind::Reads, reads), (Kind::Writes, writes), (Kind::Publishes, 0.3)].into()
    }

    #[test]
    fn what_is_more_than_asked_for_is_missed_and_more_than_today_is_worse() {
        let (missed, worse) = judge(&calls(0.0, 1.01), &write_only(1.0));
        assert!(missed.is_empty() && worse.is_empty(), "{missed:?} {worse:?}");
        let (missed, worse) = judge(&calls(1.0, 1.0), &write_only(1.0));
        assert_eq!((missed, worse), (vec!["1.00 reads, not 0".to_owned()], vec![]));
        let (missed, worse) = judge(&calls(2.0, 1.1), &write_only(1.0));
        assert_eq!(
            (missed.len(), worse),
            (2, vec!["2.00 reads, not 1".into(), "1.10 writes, not 1".into()])
        );
    }
}
