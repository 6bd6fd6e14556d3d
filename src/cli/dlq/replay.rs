//! `dlq replay`: letters are published again, one after the other, in the order in which they came.
//!
//! Each is taken in hand, published, and marked. A run that is cut short leaves the rest open, and the
//! next one goes on there; the letter that it had in hand may be published once more, with the same event
//! id. A letter that cannot be published is left, and so is what came after it under the same key: order
//! is a promise by key.

use super::change::{Plan, Tally};
use super::filter::WhichArgs;
use crate::audit::pace;
use crate::cli::sidecar::SidecarArgs;
use crate::cli::{CliError, DatabaseArgs};
use crate::dapr::outbound::Sidecar;
use crate::dead_letters::Status;
use crate::dead_letters::replay::Replay;
use crate::read_model::{Change, KeptLetter, ReadModel};
use clap::Args;
use reminder_contract::names;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// The pause after a letter that was not published.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Letters in a row that cannot be published; then it is not them.
const IN_A_ROW_MAX: u32 = 3;
/// How long nobody else takes a letter in hand, beyond the time for its attempts.
const HOLD_BEYOND: Duration = Duration::from_secs(30);
/// The largest rate that may be asked for, in letters a second.
const RATE_MAX: usize = 10_000;
/// How often the progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// What to send again, and how.
#[derive(Args, Clone, Debug)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Letters a second at most
    #[arg(long, default_value_t = 50)]
    rate: usize,
    /// How long to go on trying with one letter while it cannot be published, such as 10s
    #[arg(long, default_value = "10s")]
    wait: String,
    /// Dapr component of the broker
    #[arg(long, env = "PUBSUB", default_value = names::PUBSUB)]
    pubsub: String,
    #[command(flatten)]
    sidecar: SidecarArgs,
}

pub(super) async fn run(args: ReplayArgs, database: &DatabaseArgs) -> Result<(), CliError> {
    let which = args.which;
    let (filter, status) = which.checked()?;
    let wait = humantime::parse_duration(&args.wait)
        .map_err(|error| CliError::Usage(format!("--wait is no duration: {error}")))?;
    if !(1..=RATE_MAX).contains(&args.rate) {
        return Err(CliError::Usage(format!("--rate must lie between 1 and {RATE_MAX}")));
    }
    let sidecar = args.sidecar.connect(args.pubsub)?;
    let model = database.open().await?.model;
    let plan = Plan::make(&model, &filter, &which, status).await?;
    if !plan.confirmed(&which, "replay")? {
        return Ok(());
    }
    let change = Change { by: which.by.clone(), note: which.note.clone() };
    let run = Run {
        model,
        sidecar,
        status,
        change,
        name: uuid::Uuid::new_v4().to_string(),
        wait,
        tally: Tally::new(which.json),
        held_back: HashSet::new(),
        failed_in_a_row: 0,
    };
    run.work(&plan, args.rate, !which.json).await
}

/// One that is under way.
struct Run {
    model: ReadModel,
    sidecar: Sidecar,
    status: Status,
    change: Change,
    /// Who has a letter in hand.
    name: String,
    wait: Duration,
    tally: Tally,
    /// The keys, by topic, of letters that could not be published.
    held_back: HashSet<(String, String)>,
    failed_in_a_row: u32,
}

impl Run {
    async fn work(mut self, plan: &Plan, rate: usize, tell: bool) -> Result<(), CliError> {
        let (burst, every) = pace(rate);
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (began, mut told) = (Instant::now(), Instant::now());
        for (index, letter) in plan.letters.iter().enumerate() {
            if index % burst == 0 {
                Interval::tick(&mut ticks).await;
            }
            self.one(letter).await?;
            if self.failed_in_a_row >= IN_A_ROW_MAX {
                let reason = format!(
                    "gave up at {} of {}: the last {IN_A_ROW_MAX} could not be published; run it \
                     again to go on",
                    index + 1,
                    plan.letters.len()
                );
                return self.tally.end(plan.more, Some(reason));
            }
            if tell && told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let (done, took) = (self.tally.done, began.elapsed());
                eprintln!(
                    "{} of {} after {took:.0?}, {done} replayed",
                    index + 1,
                    plan.letters.len()
                );
            }
        }
        self.tally.end(plan.more, None)
    }

    async fn one(&mut self, letter: &KeptLetter) -> Result<(), CliError> {
        let lane = letter.key.clone().map(|key| (letter.topic.clone(), key));
        if lane.as_ref().is_some_and(|lane| self.held_back.contains(lane)) {
            self.tally.left(letter, "heldBack", "an earlier letter of its key was not published");
            return Ok(());
        }
        let hold = self.wait + HOLD_BEYOND;
        let Some(value) = self.model.claim_letter(letter.id, self.status, &self.name, hold).await?
        else {
            let why = "somebody else has changed it, or has it in hand";
            self.tally.left(letter, "skipped", why);
            return Ok(());
        };
        match self.publish(letter, value).await {
            Ok(()) => {
                self.failed_in_a_row = 0;
                self.model.letter_replayed(letter.id, &self.name, &self.change).await?;
                self.tally.done(letter, "replayed");
            }
            Err(why) => {
                self.held_back.extend(lane);
                self.model.letter_failed(letter.id, &self.name, &why).await?;
                self.tally.left(letter, "failed", &why);
            }
        }
        Ok(())
    }

    /// Publishes one, trying again until its time is over.
    async fn publish(&mut self, letter: &KeptLetter, value: Vec<u8>) -> Result<(), String> {
        let (key, headers) = (letter.key.as_deref(), &letter.headers);
        let replay = Replay::new(letter.id, &letter.topic, key, headers, value)
            .map_err(|error| error.to_string())?;
        let gives_up = Instant::now() + self.wait;
        loop {
            let Err(error) = self.sidecar.publish_again(replay.clone()).await else {
                return Ok(());
            };
            if Instant::now() + RETRY_PAUSE >= gives_up {
                self.failed_in_a_row += 1;
                return Err(error.to_string());
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}
