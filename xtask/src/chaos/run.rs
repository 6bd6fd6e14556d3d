//! One run on a stack that is up: load, faults, healing, and the judgement.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result};
use reminder_stack::Stack;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, sleep_until};

use super::capacity::{self, Capacity};
use super::client::Client;
use super::consumer::{self, Board};
use super::faults::Plan;
use super::history::{History, Hurt, now};
use super::hurt::Hurter;
use super::judge::judge;
use super::report::{Report, SetUp};
use super::views;
use super::workload::{Book, Load, Stage, offer};
use crate::bench::machine::Machine;
use crate::ui::{Style, paint, seconds};

/// At the end of a run nothing is hurt any more for as long as this: healing is watched.
const HEALING: Duration = Duration::from_secs(70);

/// For how long of that the load goes on.
const HEALING_LOAD: Duration = Duration::from_secs(35);

/// Before the end of the run the last moment is due.
const LAST_DUE: Duration = Duration::from_secs(15);

/// Before the first fault all is well for so long.
const CALM: Duration = Duration::from_secs(5);

/// A fault whose part stays away has to begin so long before the faults end, beside that time.
const FAULT_ROOM: Duration = Duration::from_secs(5);

/// After the end of the run, what is left may take so long.
const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks at whether everything has come.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often the counts are told.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// Commands a second, unless that is more than a share of what the stack can do: a third is what the
/// promise of healing speaks of, and faults take their part of the rest.
const RATE: f64 = 18.0;
const RATE_SHARE: f64 = 0.2;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) seed: u64,
    pub(crate) minutes: u32,
    pub(crate) rate: Option<u32>,
    /// Where the report goes.
    pub(crate) folder: PathBuf,
    pub(crate) release: bool,
}

impl Request {
    /// What `cargo xtask test` runs.
    pub(crate) fn test(minutes: u32) -> Self {
        let (seed, folder) = (super::DEFAULT_SEED, super::report_folder(super::DEFAULT_SEED));
        Self { seed, minutes, rate: None, folder, release: false }
    }
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) good: bool,
    /// What broke, in a line.
    pub(crate) failure: Option<String>,
    pub(crate) report: PathBuf,
}

/// Ends a task with its owner.
struct Background(AbortHandle);

impl Background {
    fn of<T>(task: &JoinHandle<T>) -> Self {
        Self(task.abort_handle())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs on a stack that nobody else uses.
pub(crate) async fn on(stack: &Stack, request: &Request) -> Result<Outcome> {
    let manifest = stack.manifest()?;
    let broker = manifest.kafka_access()?.context("chaos needs a stack with Kafka")?;
    let replicas = u32::try_from(manifest.replicas.len())?;
    let mut machine = Machine::of(&manifest, request.release);
    let board = Arc::new(Board::default());
    let _reading = Background::of(&consumer::follow(broker, Arc::clone(&board)).await?);
    let stamp = now();
    println!("Measuring what the stack can do …");
    let measuring = Arc::new(Client::of(&manifest)?);
    let capacity = capacity::measure(&format!("capacity-{stamp:x}"), measuring, &board).await?;
    let rate = request.rate.map_or_else(|| RATE.min(capacity.both() * RATE_SHARE), f64::from);
    tell_start(request, capacity, rate);

    let began = Instant::now();
    let whole = Duration::from_secs(60) * request.minutes;
    let end = began + whole;
    let stage = Arc::new(Stage {
        seed: request.seed,
        run: format!("chaos-{stamp:x}"),
        client: Client::of(&manifest)?,
        board: Arc::clone(&board),
        book: Book::default(),
        curtain: end + PATIENCE,
    });
    let mut history = History { run: stage.run.clone(), began: now(), ..History::default() };
    let hurter = Hurter::new(stack.clone(), replicas);
    let supervisor = Arc::clone(&hurter);
    let supervising = tokio::spawn(async move { supervisor.supervise().await });
    let _supervising = Background::of(&supervising);
    let telling = tokio::spawn(tell_counts(Arc::clone(&stage), began));
    let telling = Background::of(&telling);

    let load = Load { rate, until: end - HEALING + HEALING_LOAD, last_due: end - LAST_DUE };
    let offering = tokio::spawn(offer(Arc::clone(&stage), load));
    let _offering = Background::of(&offering);
    history.hurts = hurt(&hurter, request.seed, replicas, began, end - HEALING).await?;
    let held_back = offering.await?;
    settle(&stage, &mut history, end).await;
    drop(telling);

    let tasks: Vec<String> = stage.book.commands().keys().cloned().collect();
    println!("Asking {} tasks how they stand …", tasks.len());
    history.views = views::ask(&stage, tasks, Instant::now() + PATIENCE).await;
    collect(&stage, &mut history);
    machine.finish();
    let set_up = SetUp { capacity, rate, held_back, ended: hurter.ended(), machine, replicas };
    let report = Report::new(request, &history, set_up);
    report.write(&request.folder)?;
    report.print();
    Ok(report.outcome(&request.folder))
}

fn tell_start(request: &Request, capacity: Capacity, rate: f64) {
    println!(
        "It answers {:.0} commands/s and fires {:.0} reminders/s; both together {:.0}/s.",
        capacity.commands,
        capacity.firings,
        capacity.both()
    );
    let Request { seed, minutes, .. } = request;
    println!(
        "{} at {rate:.1} commands/s, for {minutes} minutes; again with `cargo xtask chaos --seed \
         {seed} --minutes {minutes}`.",
        paint(Style::Strong, format!("Chaos of seed {seed}"))
    );
}

/// Does one slot of faults after the other until the time is over.
async fn hurt(
    hurter: &Arc<Hurter>,
    seed: u64,
    replicas: u32,
    began: Instant,
    end: Instant,
) -> Result<Vec<Hurt>> {
    let mut plan = Plan::new(seed, replicas);
    let mut hurts = Vec::new();
    sleep_until(began + CALM).await;
    let mut number = 0;
    loop {
        let slot = plan.next();
        let at = Instant::now() + slot.gap;
        if at + FAULT_ROOM > end {
            break;
        }
        let lasts = slot.faults.iter().map(|fault| fault.later + fault.away).max();
        if at + lasts.unwrap_or_default() + FAULT_ROOM > end {
            // A shorter one may have room.
            continue;
        }
        sleep_until(at).await;
        let tell = move |fault: &_| {
            println!("{:>8}  {}", ui_time(began), paint(Style::Bad, fault));
        };
        for hurt in hurter.slot(number, &slot, tell).await? {
            let ready = hurt.ready.map_or_else(
                || paint(Style::Bad, "never became ready"),
                |ready| format!("ready {:.1} s after it was back", ms(ready - hurt.back)),
            );
            println!("{:>8}  {}: {ready}", ui_time(began), hurt.name);
            hurts.push(hurt);
        }
        number += 1;
    }
    Ok(hurts)
}

/// Waits until all that must come has come, or patience ends.
async fn settle(stage: &Stage, history: &mut History, end: Instant) {
    sleep_until(end).await;
    loop {
        let missing = is_missing(stage, history);
        if !missing || Instant::now() >= stage.curtain {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether something has yet to come, as far as is known now.
fn is_missing(stage: &Stage, history: &mut History) -> bool {
    history.ended = now();
    history.commands.clone_from(&stage.book.commands());
    // Lent, and the reader waits meanwhile: nothing may be noted elsewhere.
    let mut journal = stage.board.journal();
    std::mem::swap(&mut history.journal, &mut *journal);
    let missing = judge(history).is_missing();
    std::mem::swap(&mut history.journal, &mut *journal);
    missing
}

/// What is known in the end, moved into the history.
fn collect(stage: &Stage, history: &mut History) {
    history.ended = now();
    history.commands.clone_from(&stage.book.commands());
    history.journal = std::mem::take(&mut *stage.board.journal());
}

async fn tell_counts(stage: Arc<Stage>, began: Instant) {
    loop {
        sleep(TELL_EVERY).await;
        let (sent, answered) = (&stage.book.sent, &stage.book.answered);
        let (sent, answered) = (sent.load(Ordering::Relaxed), answered.load(Ordering::Relaxed));
        let (records, repeats) = {
            let journal = stage.board.journal();
            (journal.records, journal.ledger.repeats())
        };
        let counts = format!(
            "{sent} commands, {} of them open; {records} events read, {repeats} of them again",
            sent - answered
        );
        println!("{:>8}  {}", ui_time(began), paint(Style::Quiet, counts));
    }
}

fn ui_time(began: Instant) -> String {
    let passed = began.elapsed();
    if passed < Duration::from_secs(60) {
        seconds(passed)
    } else {
        format!("{}:{:02} min", passed.as_secs() / 60, passed.as_secs() % 60)
    }
}

#[expect(clippy::cast_precision_loss, reason = "minutes of milliseconds")]
fn ms(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}
