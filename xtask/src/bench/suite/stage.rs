//! What every part of the suite needs: the stack, both sides, the broker, and how large all is.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reminder_contract::cloud_event::EventData;
use reminder_contract::names::REMINDERS;
use reminder_stack::events::{Positions, Reader};
use reminder_stack::{Manifest, probe};
use serde_json::Value;
use tokio::time::sleep;

use super::client::{Bound, Done, Protocol, Target, closed};
use super::floor::Floor;
use super::subject::{Side, Work, job};
use crate::api::Address;
use crate::bench::samples::Samples;
use crate::bench::tally::shown;
use crate::bench::tasks::Names;
use crate::ledger::{self, Ledger, Noted};

/// Until the events of what was scheduled are in the broker.
const PUBLISHED_DEADLINE: Duration = Duration::from_secs(60);
const WAITING: &str = "reminder_outbox_events ";

/// Longer than a sidecar takes to notice that its application is gone; between two looks; and at most.
const STEADY: Duration = Duration::from_secs(5);
const STEADY_EVERY: Duration = Duration::from_millis(100);
const STEADY_DEADLINE: Duration = Duration::from_secs(120);

/// No cell of the matrix takes longer.
pub(super) const CELL_MAX: Duration = Duration::from_secs(60);

/// How large all is.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) n: usize,
    pub(super) repetitions: usize,
    /// How often both sides are measured at one rate.
    pub(super) pairs: usize,
    pub(super) protocols: Vec<Protocol>,
    pub(super) concurrencies: Vec<usize>,
    /// How long a rate is held, for latency and lateness.
    pub(super) hold: Duration,
    /// The same at half of the saturation.
    pub(super) half: Duration,
    /// The shares of the saturation at which lateness is looked at.
    pub(super) loads: Vec<f64>,
}

/// Where all happens.
pub(super) struct Stage<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) floor: Floor,
    pub(super) reader: Reader,
    pub(super) plan: Plan,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(manifest: &'a Manifest, plan: Plan) -> Result<Self> {
        let broker = manifest.kafka_access()?.context("the benchmark needs Kafka")?;
        let reader = Reader::connect(broker).await?;
        Ok(Self { manifest, floor: Floor::start(manifest).await?, reader, plan })
    }

    pub(super) fn target(&self, side: Side) -> Result<Target> {
        Ok(match side {
            Side::Floor => self.floor.target(),
            Side::Ours => Target {
                address: Address::of(self.manifest)?,
                grpc_port: self.manifest.replica(1)?.grpc_port,
            },
        })
    }

    /// Schedules reminders of new tasks that nobody waits for; with ours, until their events are in the
    /// broker, where each must be, once and in order.
    pub(super) async fn schedule(
        &self,
        (side, work): (Side, Work),
        protocol: Protocol,
        concurrency: usize,
        bound: Bound,
    ) -> Result<Scheduled> {
        let names = Names::new(&format!("{}-{}", side.name(), work.name()));
        let before = self.reader.ends(&[REMINDERS]).await?;
        let (ours, due) = (names.clone(), work.due());
        let make = move |number| job(side, work, &ours, number, due);
        let mut done = closed(&self.target(side)?, protocol, concurrency, bound, make).await?;
        let answered_per_second = done.per_second();
        if side == Side::Ours {
            done.took += self.published().await?;
            let lost = self.judge_scheduled(&names, done.count, &before).await?;
            done.errors.extend(lost);
        }
        ensure!(done.count > 0, "nothing was scheduled: {}", shown(&done.errors).join("; "));
        let Done { samples, errors, count, .. } = &done;
        Ok(Scheduled {
            count: *count,
            per_second: done.per_second(),
            answered_per_second,
            samples: samples.clone(),
            errors: shown(errors),
        })
    }

    /// Waits until no event waits for the broker; tells how long that took.
    pub(super) async fn published(&self) -> Result<Duration> {
        published(self.manifest.replica(1)?.app_port).await
    }

    /// Waits until actors have answered for a while: a sidecar may notice a restart of its application only
    /// after it is over, and hosts no actors then for a moment.
    pub(super) async fn steady(&self) -> Result<()> {
        self.steady_at(&Address::of(self.manifest)?).await
    }

    /// The same by the sidecar of any replica.
    pub(super) async fn steady_at(&self, address: &Address) -> Result<()> {
        let give_up = Instant::now() + STEADY_DEADLINE;
        let mut since = Instant::now();
        while since.elapsed() < STEADY {
            ensure!(Instant::now() < give_up, "actors do not answer for {STEADY:?} on end");
            let answered = match address.connect().await {
                Ok(mut caller) => caller.call("steady", "get", &Value::Null).await.is_ok(),
                Err(_) => false,
            };
            if !answered {
                since = Instant::now();
            }
            sleep(STEADY_EVERY).await;
        }
        Ok(())
    }

    /// That each task has told of its reminder, in order and without a gap.
    pub(super) async fn judge_scheduled(
        &self,
        names: &Names,
        count: usize,
        from: &Positions,
    ) -> Result<Vec<String>> {
        let (mut ledger, mut told) = (Ledger::default(), vec![false; count]);
        for record in self.reader.read(&[REMINDERS], from).await? {
            let event = ledger::read(&record)?;
            let Some(number) = names.number(ledger::task_of(&event)) else { continue };
            let is_new = ledger.note(&record, &event) == Noted::New;
            if let (true, EventData::ReminderScheduled(_)) = (is_new, &event.data)
                && let Some(told) = told.get_mut(number)
            {
                *told = true;
            }
        }
        let silent = told.iter().enumerate().filter(|(_, told)| !**told);
        let silent = silent.map(|(number, _)| format!("{}: has told nothing", names.id(number)));
        Ok([silent.collect::<Vec<_>>(), ledger.faults().to_vec()].concat())
    }
}

/// The same of a service on that port.
pub(super) async fn published(port: u16) -> Result<Duration> {
    let began = Instant::now();
    let none_waits = || async move {
        let metrics = probe::get(port, "/metrics", &[]).await.ok()?;
        let waiting = metrics.body.lines().find_map(|line| line.strip_prefix(WAITING));
        (waiting?.trim() == "0").then_some(())
    };
    let published = probe::until(PUBLISHED_DEADLINE, none_waits).await;
    published.context("events still wait for the broker")?;
    Ok(began.elapsed())
}

/// What came of scheduling.
#[derive(Debug)]
pub(super) struct Scheduled {
    pub(super) count: usize,
    /// Until all events were in the broker.
    pub(super) per_second: f64,
    /// Until all calls were answered.
    pub(super) answered_per_second: f64,
    pub(super) samples: Samples,
    pub(super) errors: Vec<String>,
}
