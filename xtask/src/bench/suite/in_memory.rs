//! The service without a broker: its events go to the sidecar's memory, where nobody can read them. So
//! firings are judged by the tasks themselves, and what is left is what the broker costs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use reminder_stack::{Manifest, Options, PubSub, Stack, probe};
use tokio::time::{Instant, sleep};

use super::client::{Bound, Target, closed};
use super::fire::{LEAD, LEAD_FACTOR, patience};
use super::schedule::REFERENCE;
use super::stage::{CELL_MAX, Stage, published};
use super::storms::Load;
use super::subject::{Side, Work, job};
use crate::api::Address;
use crate::bench::herd::fired_once;
use crate::bench::samples::Samples;
use crate::bench::tally::shown;
use crate::bench::tasks::Names;
use crate::session::Session;

/// Commands before the measured ones.
const WARM_UP: usize = 500;
/// Counts firings, by what they were for.
const FIRINGS: &str = "reminder_firings_total{";

/// The same loads on a stack without a broker, and what went wrong.
pub(super) async fn all(stage: &Stage<'_>) -> Result<(Vec<Load>, Vec<String>)> {
    let main = &stage.manifest.options;
    let instance = format!("{}-memory", main.instance);
    // Who subscribes there gets one event at a time, and publishing waits for each: what is measured would
    // be how long the sidecar gathers events for the service.
    let mut app_env = main.app_env.clone();
    app_env.insert("INGEST".into(), "false".into());
    let options = Options { instance, pubsub: PubSub::InMemory, app_env, ..main.clone() };
    if let Ok(old) = Stack::load(&options.dir()) {
        old.remove().await?;
    }
    let session = Session::up(options).await?;
    let measured = measure(&session.stack().manifest()?, stage.plan.n).await;
    session.stack().clone().remove().await?;
    measured
}

async fn measure(manifest: &Manifest, n: usize) -> Result<(Vec<Load>, Vec<String>)> {
    let replica = manifest.replica(1)?;
    let (port, grpc_port) = (replica.app_port, replica.grpc_port);
    let target = Target { address: Address::of(manifest)?, grpc_port };
    put(&target, port, Work::Near, WARM_UP.min(n), Work::Near.due()).await?;
    let mut loads = Vec::new();
    for (name, work) in
        [("put far tasks, no broker", Work::Far), ("put near tasks, no broker", Work::Near)]
    {
        let (_, load) = put(&target, port, work, n, work.due()).await?;
        loads.push(Load { name, ..load });
    }
    let rate = loads.last().context("there are two")?.per_second;
    let count = u32::try_from(n).context("too many reminders")?;
    let lead = LEAD + Duration::from_secs_f64(LEAD_FACTOR * f64::from(count) / rate);
    let due = Utc::now() + lead;
    let (names, _) = put(&target, port, Work::Near, n, due).await?;
    let before = firings(port).await?;
    let left = (due - Utc::now()).to_std().ok();
    sleep(left.context("scheduling took too long: the machine is too busy")?).await;
    let began = Instant::now();
    let all = || async { (firings(port).await.ok()? >= before + n).then_some(()) };
    let fired = probe::until(patience(count), all).await;
    ensure!(fired.is_some(), "not all of {n} reminders have fired without a broker");
    published(port).await?;
    let per_second = f64::from(count) / began.elapsed().as_secs_f64();
    let name = "fire all at once, no broker";
    loads.push(Load { name, per_second, latency: None });
    Ok((loads, fired_once(&target.address, &names, n).await?))
}

async fn put(
    target: &Target,
    port: u16,
    work: Work,
    count: usize,
    due: DateTime<Utc>,
) -> Result<(Names, Load)> {
    let names = Names::new("memory");
    let bound = Bound { count, within: CELL_MAX };
    let ours = names.clone();
    let make = move |number| job(Side::Ours, work, &ours, number, due);
    let mut done = closed(target, REFERENCE.0, REFERENCE.1, bound, make).await?;
    ensure!(done.count == count, "not all were scheduled: {}", shown(&done.errors).join("; "));
    done.took += published(port).await?;
    let latency = Samples::summary(&done.samples);
    Ok((names, Load { name: "put", per_second: done.per_second(), latency }))
}

async fn firings(port: u16) -> Result<usize> {
    let metrics = probe::get(port, "/metrics", &[]).await?.body;
    Ok(sum(&metrics))
}

fn sum(metrics: &str) -> usize {
    let lines = metrics.lines().filter(|line| line.starts_with(FIRINGS));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn firings_are_summed_whatever_they_were_for() {
        let text = format!("{FIRINGS}cause=\"onTime\"}} 7\n{FIRINGS}cause=\"late\"}} 2\nother 5\n");
        assert_eq!(sum(&text), 9);
    }
}
