//! Firing: all reminders in one instant for throughput, spread over a time for lateness at a rate.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};

use super::client::{Bound, closed};
use super::schedule::{REFERENCE, count_of};
use super::spread::Spread;
use super::stage::{CELL_MAX, Stage};
use super::subject::{Side, Work, job};
use super::usage::{Parts, Used};
use crate::bench::arrivals::{Arrival, arrivals};
use crate::bench::herd::{fired_once, follow};
use crate::bench::samples::{Samples, Summary};
use crate::bench::tally::{Tally, shown};
use crate::bench::tasks::Names;

/// Scheduling must be over before the first one is due: a fixed time, and so many times as long as it
/// took before.
pub(super) const LEAD: Duration = Duration::from_secs(5);
pub(super) const LEAD_FACTOR: f64 = 3.0;

/// After the last one is due, how long firings may take: a fixed time, and as long as so many a second
/// take.
const PATIENCE: Duration = Duration::from_secs(60);
const SLOWEST_PER_SECOND: u32 = 40;

/// Between two looks at what the floor has fired.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One side and one instant, all repetitions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Herd {
    pub(in crate::bench) side: Side,
    /// `near`: its firing writes; `arm`: it does nothing.
    pub(in crate::bench) work: Work,
    /// By repetition: until the last was done. Ours: until a consumer had its event.
    pub(in crate::bench) per_second: Vec<f64>,
    /// Until the last one began; what peers, which publish nothing, tell.
    pub(in crate::bench) begun_per_second: Vec<f64>,
    /// Of the last repetition.
    pub(in crate::bench) used: Vec<Used>,
}

/// One side, its reminders spread over a time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::bench) struct Spaced {
    pub(in crate::bench) side: Side,
    pub(in crate::bench) rate: f64,
    pub(in crate::bench) seconds: f64,
    /// How many a second began until none was left to begin, as if the latest had been the last.
    pub(in crate::bench) begun_per_second: f64,
    /// From the due time to the start of the firing.
    pub(in crate::bench) begun: Option<Summary>,
    /// To the record in the broker, and to a consumer.
    pub(in crate::bench) in_broker: Option<Summary>,
    pub(in crate::bench) consumed: Option<Summary>,
}

/// All of it.
#[derive(Debug, Default, Serialize)]
pub(in crate::bench) struct Firing {
    pub(in crate::bench) herds: Vec<Herd>,
    pub(in crate::bench) spaced: Vec<Spaced>,
    /// The most a second that ours began of what was due one by one. All due in one instant are more: what
    /// comes together is written and told together.
    pub(in crate::bench) saturation: Option<f64>,
    /// Ours at half of that.
    pub(in crate::bench) half: Option<Spaced>,
    #[serde(skip)]
    pub(in crate::bench) errors: Vec<String>,
}

impl Firing {
    fn herd(&self, side: Side, work: Work) -> Option<&Herd> {
        self.herds.iter().find(|herd| (herd.side, herd.work) == (side, work))
    }

    /// How many a second one side can do.
    pub(super) fn rate(&self, side: Side) -> Option<f64> {
        Some(Spread::of(&self.herd(side, Work::Near)?.per_second)?.median)
    }

    /// Ours divided by the floor.
    pub(super) fn ratio(&self) -> Option<Spread> {
        let of = |side| Some(&self.herd(side, Work::Near)?.per_second);
        Spread::ratio(of(Side::Ours)?, of(Side::Floor)?)
    }
}

/// One repetition of the herds; the rate tells how fast each side schedules.
pub(super) async fn repetition(
    stage: &Stage<'_>,
    all: &mut Firing,
    rate: impl Fn(Side) -> Option<f64>,
) -> Result<()> {
    for (side, work) in
        [(Side::Floor, Work::Arm), (Side::Floor, Work::Near), (Side::Ours, Work::Near)]
    {
        let rate = rate(side).context("the rate of scheduling is not known")?;
        let mut fired = fire(stage, (side, work), rate, (stage.plan.n, Duration::ZERO)).await?;
        all.errors.append(&mut fired.errors);
        let count = count(stage.plan.n);
        let (per_second, begun) = (count / fired.done_after, count / fired.begun_after);
        if all.herd(side, work).is_none() {
            let (per_second, begun_per_second) = (Vec::new(), Vec::new());
            all.herds.push(Herd { side, work, per_second, begun_per_second, used: Vec::new() });
        }
        let herd = all.herds.iter_mut().find(|herd| (herd.side, herd.work) == (side, work));
        if let Some(herd) = herd {
            herd.per_second.push(per_second);
            herd.begun_per_second.push(begun);
            herd.used = fired.used;
        }
    }
    Ok(())
}

/// Lateness at some rates, and for longer at half of what ours can do.
pub(super) async fn lateness(
    stage: &Stage<'_>,
    all: &mut Firing,
    scheduling: impl Fn(Side) -> Option<f64>,
) -> Result<()> {
    let most = all.rate(Side::Ours).context("the rate of firing is not known")?;
    let hold = stage.plan.hold;
    for load in &stage.plan.loads {
        for side in Side::BOTH {
            let spaced = space(stage, all, (side, most * load), hold, &scheduling).await?;
            all.spaced.push(spaced);
        }
    }
    let ours = all.spaced.iter().filter(|spaced| spaced.side == Side::Ours);
    let saturation = ours.map(|spaced| spaced.begun_per_second).reduce(f64::max).unwrap_or(most);
    all.saturation = Some(saturation);
    let half = (Side::Ours, saturation / 2.0);
    all.half = Some(space(stage, all, half, stage.plan.half, &scheduling).await?);
    Ok(())
}

/// Lateness of one side at one rate.
pub(super) async fn space(
    stage: &Stage<'_>,
    all: &mut Firing,
    (side, rate): (Side, f64),
    hold: Duration,
    scheduling: impl Fn(Side) -> Option<f64>,
) -> Result<Spaced> {
    let scheduled = scheduling(side).context("the rate of scheduling is not known")?;
    let count = count_of(rate, hold);
    let mut fired = fire(stage, (side, Work::Near), scheduled, (count, hold)).await?;
    all.errors.append(&mut fired.errors);
    let begun_per_second = self::count(count) / (hold.as_secs_f64() + fired.begun_after);
    let [begun, in_broker, consumed] = fired.late.map(|samples| samples.summary());
    let seconds = hold.as_secs_f64();
    Ok(Spaced { side, rate, seconds, begun_per_second, begun, in_broker, consumed })
}

/// What fired.
struct Fired {
    /// Seconds from the first due time until the last was done, and begun.
    done_after: f64,
    begun_after: f64,
    /// Lateness of the start, in the broker, and of the consumer.
    late: [Samples; 3],
    used: Vec<Used>,
    errors: Vec<String>,
}

/// Schedules, waits, and judges.
async fn fire(
    stage: &Stage<'_>,
    (side, work): (Side, Work),
    rate: f64,
    (n, span): (usize, Duration),
) -> Result<Fired> {
    let names = Names::new(&format!("{}-fire", side.name()));
    let lead = LEAD + Duration::from_secs_f64(LEAD_FACTOR * count(n) / rate);
    // A whole second, as people choose them.
    let first = DateTime::from_timestamp((Utc::now() + lead).timestamp() + 1, 0);
    let first = first.context("the moment is out of range")?;
    let number_of = u32::try_from(n).context("too many reminders")?;
    let due =
        move |number: usize| first + span * u32::try_from(number).unwrap_or(u32::MAX) / number_of;
    stage.floor.forget().await?;
    let give_up = Instant::now() + lead + Duration::from_secs(1) + span + patience(number_of);
    let tally = Tally::new(names.clone(), (0..n).map(due).collect());
    // It reads from the beginning, or what was scheduled would still lie before what fires.
    let following = match side {
        Side::Ours => Some(tokio::spawn(consume(stage.arrivals().await?, tally, give_up))),
        Side::Floor => None,
    };
    let ours = names.clone();
    let make = move |number| job(side, work, &ours, number, due(number));
    let bound = Bound { count: n, within: CELL_MAX };
    let (protocol, concurrency) = REFERENCE;
    let target = stage.target(side)?;
    let done = closed(&target, protocol, concurrency, bound, make).await?;
    ensure!(done.count == n, "not all were scheduled: {}", shown(&done.errors).join("; "));
    if side == Side::Ours {
        stage.published().await?;
    }
    let left = (first - Utc::now()).to_std().ok();
    let left = left.with_context(|| {
        format!(
            "scheduling {n} took longer than the {lead:.0?} there were: the machine is too busy"
        )
    })?;
    let parts = Parts::of(side, stage.manifest, &stage.floor);
    sleep(left).await;
    let before = parts.now();
    if let Some(following) = following {
        let tally = following.await??;
        let mut errors = tally.errors();
        let used = parts.since(&before, n);
        errors.extend(fired_once(&target.address, &names, n).await?);
        let late = tally.latenesses().map(Clone::clone);
        let [begun_after, _, done_after] = late.each_ref().map(latest);
        return Ok(Fired { done_after, begun_after, late, used, errors });
    }
    let fired = stage.floor_fired(n, give_up).await?;
    let used = parts.since(&before, n);
    let done = fired.last_done.context("the floor has fired nothing")?;
    let mut begun = Samples::default();
    fired.late_ms.iter().for_each(|late| begun.add_millis(*late));
    Ok(Fired {
        done_after: millis(done - first) / 1e3,
        begun_after: latest(&begun),
        late: [begun, Samples::default(), Samples::default()],
        used,
        errors: Vec::new(),
    })
}

/// How long so many firings may take once all are due.
pub(super) fn patience(count: u32) -> Duration {
    PATIENCE + Duration::from_secs(1) * count / SLOWEST_PER_SECOND
}

pub(super) async fn consume(
    mut arrivals: Receiver<Arrival>,
    mut tally: Tally,
    give_up: Instant,
) -> Result<Tally> {
    follow(&mut tally, &mut arrivals, give_up).await?;
    Ok(tally)
}

/// In seconds.
fn latest(late: &Samples) -> f64 {
    late.summary().map_or(f64::NAN, |late| late.max_ms / 1e3)
}

impl Stage<'_> {
    pub(super) async fn arrivals(&self) -> Result<Receiver<Arrival>> {
        arrivals(self.manifest.kafka_access()?.context("the benchmark needs Kafka")?).await
    }

    /// Waits until the floor has fired so many.
    async fn floor_fired(&self, count: usize, give_up: Instant) -> Result<super::floor_app::Fired> {
        loop {
            let fired = self.floor.fired().await?;
            if fired.late_ms.len() >= count {
                return Ok(fired);
            }
            ensure!(
                Instant::now() < give_up,
                "the floor has fired {} of {count} reminders",
                fired.late_ms.len()
            );
            sleep(LOOK_EVERY).await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of reminders are small")]
const fn count(n: usize) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "some minutes")]
const fn millis(span: chrono::TimeDelta) -> f64 {
    span.num_milliseconds() as f64
}
