//! `rearm`: registers every wake within the horizon with Dapr's scheduler again, beside a sidecar.
//!
//! The audit does so by itself when the scheduler has lost its data; this is for whoever is in doubt,
//! or does not want to wait. A registration that is there is left as it is, so it is safe at any time
//! and any number of times.

use super::sidecar::SidecarArgs;
use super::{CliError, Database, DatabaseArgs};
use crate::audit::calls::each;
use crate::audit::pace;
use crate::clock::{Clock, SystemClock};
use crate::config::horizon_ms;
use crate::dapr::outbound::Sidecar;
use crate::ports::{CallError, Registered, Reminders};
use crate::read_model::{RearmPlace, TaskIndex, Waking};
use clap::Args;
use reminder_contract::names;
use reminder_domain::{TaskId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Tasks read at once.
const PAGE: i64 = 500;
/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// The pause after registrations that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// The largest rate that may be asked for, in registrations a second.
const RATE_MAX: usize = 100_000;

/// How to register them.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  reminder-scheduler rearm
  reminder-scheduler rearm --rate 2000 --from-start --wait 10m

Exit codes: 0 done; 1 gave up: run it again to go on; 2 usage")]
pub struct RearmArgs {
    /// Registrations a second at most; a scheduler takes some thousands
    #[arg(long, default_value_t = 500)]
    rate: usize,
    /// Begin anew, where an earlier one did not come to its end
    #[arg(long)]
    from_start: bool,
    /// How long to go on trying while the scheduler or the sidecar does not answer, such as 5m
    #[arg(long, default_value = "5m")]
    wait: String,
    /// How far ahead wakes are registered; the same as that of the service
    #[arg(long, env = "ARM_HORIZON", default_value = "1h")]
    arm_horizon: String,
    #[command(flatten)]
    sidecar: SidecarArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs it.
///
/// # Errors
/// Says what is wrong with the command, or what did not answer until it gave up.
pub async fn run(args: RearmArgs) -> Result<(), CliError> {
    let horizon = horizon_ms(&args.arm_horizon)
        .map_err(|reason| CliError::Usage(format!("ARM_HORIZON {reason}")))?;
    let wait = humantime::parse_duration(&args.wait)
        .map_err(|error| CliError::Usage(format!("--wait is no duration: {error}")))?;
    if !(1..=RATE_MAX).contains(&args.rate) {
        return Err(CliError::Usage(format!("--rate must lie between 1 and {RATE_MAX}")));
    }
    let sidecar = Arc::new(args.sidecar.connect(names::PUBSUB.into())?);
    let database = args.database.open().await?;
    if args.from_start {
        database.model.forget_rearm().await?;
    }
    let now = SystemClock.now();
    let until = horizon.map_or(Timestamp::MAX, |ms| now.saturating_add_ms(ms));
    Rearm::begin(database, sidecar, until, args.rate, wait).await?.work().await
}

/// One that is under way.
struct Rearm {
    database: Database,
    sidecar: Arc<Sidecar>,
    until: Timestamp,
    place: RearmPlace,
    total: u64,
    /// How many this run has registered anew, and found registered.
    made: u64,
    found: u64,
    ticks: Interval,
    burst: usize,
    wait: Duration,
    began: Instant,
    told: Instant,
}

impl Rearm {
    async fn begin(
        database: Database,
        sidecar: Arc<Sidecar>,
        until: Timestamp,
        rate: usize,
        wait: Duration,
    ) -> Result<Self, CliError> {
        let known = database.model.rearm_place().await?;
        if let Some(place) = &known {
            println!("going on after {} at {}", place.after.task, place.after.at);
        }
        let task = TaskId::parse("0").expect("a digit is a valid id");
        let after = Waking { at: Timestamp::from_millis(0), task };
        let place = known.unwrap_or(RearmPlace { after, done: 0 });
        let total = place.done + database.model.count_waking(&place.after, until).await?;
        println!("{total} wakes are within the horizon");
        let (burst, every) = pace(rate);
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        let (made, found, told) = (0, 0, began);
        Ok(Self {
            database,
            sidecar,
            until,
            place,
            total,
            made,
            found,
            ticks,
            burst,
            wait,
            began,
            told,
        })
    }

    async fn work(mut self) -> Result<(), CliError> {
        loop {
            let page = self.database.model.waking(&self.place.after, self.until, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for burst in page.chunks(self.burst) {
                self.register(burst).await?;
            }
            // A run that is cut short repeats a page at most.
            self.database.model.note_rearm(&self.place).await?;
        }
        self.database.model.forget_rearm().await?;
        let Self { made, found, .. } = self;
        println!("done: {made} registered, {found} were there already");
        Ok(())
    }

    /// Registers some wakes; when calls fail, all of them again, until that works or it gives up.
    async fn register(&mut self, burst: &[Waking]) -> Result<(), CliError> {
        let gives_up = Instant::now() + self.wait;
        loop {
            self.ticks.tick().await;
            let call = |waking: Waking| {
                let sidecar = Arc::clone(&self.sidecar);
                async move { sidecar.arm_if_absent(&waking.task, waking.at).await }
            };
            let results = each(burst.to_vec(), call).await;
            let count = |wanted: Registered| {
                results.iter().filter(|result| result.as_ref() == Ok(&wanted)).count() as u64
            };
            // Of a burst that is repeated, what was made now counts as made, not as found.
            self.made += count(Registered::Now);
            let found = count(Registered::Already);
            let Some(Err(CallError(reason))) = results.into_iter().find(Result::is_err) else {
                self.found += found;
                break;
            };
            if Instant::now() >= gives_up {
                self.database.model.note_rearm(&self.place).await?;
                return Err(CliError::GaveUp(format!(
                    "gave up after {:?} at {} of {}: {reason}; run it again to go on here",
                    self.wait, self.place.done, self.total
                )));
            }
            println!("at {} of {}, waiting: {reason}", self.place.done, self.total);
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        if let Some(last) = burst.last() {
            self.place.after = last.clone();
            self.place.done += burst.len() as u64;
        }
        self.tell();
        Ok(())
    }

    fn tell(&mut self) {
        if self.told.elapsed() < TELL_EVERY {
            return;
        }
        self.told = Instant::now();
        let (made, found) = (self.made, self.found);
        println!("{}", progress(self.place.done, self.total, made + found, self.began.elapsed()));
    }
}

/// How far it is, how fast, and how long it will take.
pub(super) fn progress(done: u64, total: u64, by_this_run: u64, took: Duration) -> String {
    let left = total.saturating_sub(done);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = by_this_run.saturating_mul(1_000) / ms;
    let share = done.saturating_mul(100) / total.max(1);
    let left = if rate == 0 { "?".to_owned() } else { format!("{} s", left.div_ceil(rate)) };
    format!("{done} of {total} ({share} %), {rate} a second, {left} to go")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_tells_share_rate_and_time_left() {
        let two = Duration::from_secs(2);
        assert_eq!(progress(500, 2_000, 500, two), "500 of 2000 (25 %), 250 a second, 6 s to go");
        assert_eq!(progress(900, 1_000, 10, two), "900 of 1000 (90 %), 5 a second, 20 s to go");
        assert_eq!(progress(0, 0, 0, Duration::ZERO), "0 of 0 (0 %), 0 a second, ? to go");
    }
}
