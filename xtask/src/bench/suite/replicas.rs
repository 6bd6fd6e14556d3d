//! One, two and three replicas on one machine: that they share the load, and what each part takes of it. More
//! cannot be had from the same cores, so what grows is not the rate: what stays is the cost, which is what
//! tells how many machines do.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use reminder_contract::names::REMINDERS;
use reminder_stack::{Manifest, Stack, probe};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::client::{Bound, Target, closed};
use super::fire::{LEAD, LEAD_FACTOR, consume, patience};
use super::schedule::REFERENCE;
use super::spread::Spread;
use super::stage::{CELL_MAX, Stage, published};
use super::subject::{Side, Work, job};
use super::usage::{Parts, Used};
use crate::api::Address;
use crate::bench::herd::fired_once;
use crate::bench::tally::{Tally, shown};
use crate::bench::tasks::Names;

/// So many replicas, one after the other.
const MOST: u32 = 3;
/// Counts turns that changed a task.
const TURNS: &str = "reminder_commits_total{outcome=\"committed\"}";

/// What so many replicas have done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Crew {
    pub(super) replicas: u32,
    /// New far tasks a second, by repetition, each replica's sidecar called by a part of the callers.
    pub(super) far: Vec<f64>,
    /// Firings a second until a consumer had the events, by repetition.
    pub(super) fired: Vec<f64>,
    /// The part of all turns that each replica took, the least first.
    pub(super) shares: Vec<f64>,
    /// By all processes of a kind together: for one far task, and for one firing.
    pub(super) far_used: Vec<Used>,
    pub(super) fired_used: Vec<Used>,
}

/// All of them, and what went wrong. Leaves one replica.
pub(super) async fn all(stage: &Stage<'_>, near_rate: f64) -> Result<(Vec<Crew>, Vec<String>)> {
    let stack = Stack::load(&stage.manifest.dir)?;
    let (mut crews, mut errors) = (Vec::new(), Vec::new());
    for replicas in 1..=MOST {
        if replicas > 1 {
            stack.add_replica().await?;
        }
        let manifest = stack.manifest()?;
        for replica in manifest.replicas.keys() {
            stage.steady_at(&Address::of_replica(&manifest, *replica)?).await?;
        }
        println!("  {replicas} of them …");
        let mut crew = Crew {
            replicas,
            far: Vec::new(),
            fired: Vec::new(),
            shares: Vec::new(),
            far_used: Vec::new(),
            fired_used: Vec::new(),
        };
        let before = turns(&manifest).await?;
        for _ in 0..stage.plan.repetitions {
            errors.extend(schedule(stage, &manifest, &mut crew).await?);
            errors.extend(fire(stage, &manifest, &mut crew, near_rate).await?);
        }
        crew.shares = shares(&before, &turns(&manifest).await?);
        crews.push(crew);
    }
    for replica in 2..=MOST {
        stack.remove_replica(replica).await?;
    }
    stage.steady().await?;
    Ok((crews, errors))
}

/// Puts far tasks, by callers that are spread over the replicas.
async fn schedule(stage: &Stage<'_>, manifest: &Manifest, crew: &mut Crew) -> Result<Vec<String>> {
    let names = Names::new("crew-far");
    let from = stage.reader.ends(&[REMINDERS]).await?;
    let parts = Parts::of_all(manifest);
    let before = parts.now();
    let began = Instant::now();
    put(stage, manifest, &names, Work::Far, Work::Far.due()).await?;
    all_published(manifest).await?;
    crew.far.push(per_second(stage.plan.n, began.elapsed()));
    crew.far_used = parts.since(&before, stage.plan.n);
    stage.judge_scheduled(&names, stage.plan.n, &from).await
}

/// Fires as many in one instant.
async fn fire(
    stage: &Stage<'_>,
    manifest: &Manifest,
    crew: &mut Crew,
    near_rate: f64,
) -> Result<Vec<String>> {
    let n = stage.plan.n;
    let count = u32::try_from(n).context("too many reminders")?;
    let lead = LEAD + Duration::from_secs_f64(LEAD_FACTOR * f64::from(count) / near_rate);
    let due = Utc::now() + lead;
    let give_up = Instant::now() + lead + patience(count);
    let names = Names::new("crew-fire");
    let tally = Tally::new(names.clone(), vec![due; n]);
    let following = tokio::spawn(consume(stage.arrivals().await?, tally, give_up));
    put(stage, manifest, &names, Work::Near, due).await?;
    all_published(manifest).await?;
    let left = (due - Utc::now()).to_std().ok();
    sleep(left.context("scheduling took too long: the machine is too busy")?).await;
    let parts = Parts::of_all(manifest);
    let before = parts.now();
    let tally = following.await??;
    crew.fired_used = parts.since(&before, n);
    let mut errors = tally.errors();
    errors.extend(fired_once(&Address::of(manifest)?, &names, n).await?);
    let [_, _, done] = tally.latenesses();
    // What has not fired is among the errors, and what else was measured is worth to be told.
    if let Some(done) = done.summary() {
        crew.fired.push(f64::from(count) / (done.max_ms / 1e3));
    }
    Ok(errors)
}

/// The reference's callers, a part of them at each replica's sidecar.
async fn put(
    stage: &Stage<'_>,
    manifest: &Manifest,
    names: &Names,
    work: Work,
    due: DateTime<Utc>,
) -> Result<()> {
    let (protocol, callers) = REFERENCE;
    let (n, replicas) = (stage.plan.n, manifest.replicas.len());
    let mut groups = JoinSet::new();
    for (group, (number, replica)) in manifest.replicas.iter().enumerate() {
        let address = Address::of_replica(manifest, *number)?;
        let target = Target { address, grpc_port: replica.grpc_port };
        let bound = Bound { count: n.saturating_sub(group).div_ceil(replicas), within: CELL_MAX };
        let names = names.clone();
        let make = move |number| job(Side::Ours, work, &names, number * replicas + group, due);
        groups.spawn(async move {
            let done = closed(&target, protocol, callers.div_ceil(replicas), bound, make).await?;
            let lost = || format!("not all were scheduled: {}", shown(&done.errors).join("; "));
            ensure!(done.count == bound.count, lost());
            anyhow::Ok(())
        });
    }
    while let Some(group) = groups.join_next().await {
        group??;
    }
    Ok(())
}

async fn all_published(manifest: &Manifest) -> Result<()> {
    for replica in manifest.replicas.values() {
        published(replica.app_port).await?;
    }
    Ok(())
}

/// The turns that each replica has taken since it began.
async fn turns(manifest: &Manifest) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for replica in manifest.replicas.values() {
        let scrape = probe::get(replica.app_port, "/metrics", &[]).await?.body;
        all.push(count(&scrape));
    }
    Ok(all)
}

fn count(scrape: &str) -> f64 {
    let found = scrape.lines().find_map(|line| line.strip_prefix(TURNS));
    found.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

fn shares(before: &[f64], after: &[f64]) -> Vec<f64> {
    let taken: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let all: f64 = taken.iter().sum();
    let mut shares: Vec<f64> = taken.into_iter().map(|taken| taken / all).collect();
    shares.sort_by(f64::total_cmp);
    shares
}

#[expect(clippy::cast_precision_loss, reason = "counts of reminders are small")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

impl Crew {
    /// Milliseconds of a core for one far task and one firing, by all processes.
    pub(super) fn cpu_ms(&self) -> [f64; 2] {
        [&self.far_used, &self.fired_used].map(|used| used.iter().map(|used| used.cpu_ms).sum())
    }

    /// The medians of both rates.
    pub(super) fn rates(&self) -> [Option<Spread>; 2] {
        [Spread::of(&self.far), Spread::of(&self.fired)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_was_done_in_between() {
        assert_eq!(shares(&[10.0, 0.0], &[40.0, 10.0]), [0.25, 0.75]);
    }

    #[test]
    fn turns_are_those_that_were_committed() {
        let other = TURNS.replace("committed", "fenced");
        assert!((count(&format!("{other} 3\n{TURNS} 4\n")) - 4.0).abs() < 1e-9);
    }
}
