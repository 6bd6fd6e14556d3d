//! The load: short-lived tasks, each driven by its script, and the ledger of their commands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::body::{self, Putting};
use super::client::Client;
use super::consumer::{Board, Seen};
use super::history::{Answer, Ask, Command, Ms, now};
use super::pending::Pending;
use super::random::Random;
use super::script::{Act, Script, Step, When};

/// Tasks whose scripts run at the same time; while parts are away they pile up.
const TASKS_MAX: usize = 4_000;

/// Between two looks whether there are fewer.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a script waits for what is overdue before it gives up: the task is left as it is then.
const OVERDUE_DEADLINE: Duration = Duration::from_secs(120);

/// What every script works with.
pub(super) struct Stage {
    pub(super) seed: u64,
    /// Names the tasks of this run.
    pub(super) run: String,
    pub(super) client: Client,
    pub(super) board: Arc<Board>,
    pub(super) book: Book,
    /// When nobody tries any longer.
    pub(super) curtain: Instant,
}

/// The ledger of the commands.
#[derive(Default)]
pub(super) struct Book {
    commands: Mutex<BTreeMap<String, Vec<Command>>>,
    pub(super) sent: AtomicUsize,
    pub(super) answered: AtomicUsize,
}

impl Book {
    /// All commands so far.
    pub(super) fn commands(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Command>>> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, task: &str, ask: Ask) {
        let command = Command { ask, sent: now(), attempts: 0, answer: None, took: 0 };
        self.commands().entry(task.to_owned()).or_default().push(command);
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn close(&self, task: &str, attempts: u32, took: Ms, at: Ms, answer: Answer) {
        let mut commands = self.commands();
        if let Some(command) = commands.get_mut(task).and_then(|all| all.last_mut()) {
            command.answer = Some((at, answer));
            (command.attempts, command.took) = (attempts, took);
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How much is offered, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Commands a second, on the average.
    pub(super) rate: f64,
    /// No new task after it.
    pub(super) until: Instant,
    /// When the last moment may be due.
    pub(super) last_due: Instant,
}

/// Offers the load until it ends and all scripts are through. Gives how often a task had to wait
/// because too many were under way.
pub(super) async fn offer(stage: Arc<Stage>, load: Load) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let commands_per_task = Script::mean_commands_percent(stage.seed) as f64 / 100.0;
    let pause = Duration::from_secs_f64(commands_per_task / load.rate.max(f64::MIN_POSITIVE));
    let began = Instant::now();
    let mut held_back = 0;
    let mut running = JoinSet::new();
    for number in 0_u32.. {
        let at = began + pause * number;
        if at >= load.until {
            break;
        }
        sleep_until(at).await;
        while running.try_join_next().is_some() {}
        while running.len() >= TASKS_MAX && Instant::now() < load.until {
            held_back += 1;
            sleep(LOOK_EVERY).await;
            while running.try_join_next().is_some() {}
        }
        // By the plan, not by the clock, so that the script is the same in every run.
        let room = load.last_due.saturating_duration_since(at);
        let room = i64::try_from(room.as_millis()).unwrap_or(i64::MAX);
        let script = Script::of(stage.seed, number.into(), room);
        running.spawn(perform(Arc::clone(&stage), number.into(), script));
    }
    while running.join_next().await.is_some() {}
    held_back
}

/// One task, while its script runs.
struct Actor {
    stage: Arc<Stage>,
    id: String,
    random: Random,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// The last `put`.
    put: Option<Putting>,
    pending: Pending,
    /// How many commands were sent.
    count: usize,
}

async fn perform(stage: Arc<Stage>, number: u64, script: Script) {
    let id = format!("{}-{number}", stage.run);
    let random = Random::of(stage.seed, "client", number);
    let seen = stage.board.watch(&id);
    let mut actor =
        Actor { stage, id, random, seen, put: None, pending: Pending::default(), count: 0 };
    for step in script.steps {
        if actor.take(step).await.is_none() {
            break;
        }
    }
    actor.stage.board.forget(&actor.id);
}

impl Actor {
    /// Does a step; `None` when time is up.
    async fn take(&mut self, Step { when, act }: Step) -> Option<()> {
        match when {
            When::After(pause) => sleep(millis(pause)).await,
            When::Due(offset) => {
                let due = self.put.as_ref().map_or(0, |put| put.due);
                sleep(millis(due + offset - now())).await;
            }
            When::Fired(pause) => {
                self.all_fired().await?;
                sleep(millis(pause)).await;
            }
        }
        if matches!(act, Act::Put(_) | Act::Complete | Act::Delete | Act::Dismiss) {
            self.nothing_overdue().await?;
        }
        if Instant::now() >= self.stage.curtain {
            return None;
        }
        self.send(&act).await
    }

    async fn all_fired(&mut self) -> Option<()> {
        while !self.pending.is_empty() {
            let seen = timeout_at(self.stage.curtain, self.seen.recv()).await.ok()??;
            self.pending.fired(&seen);
        }
        Some(())
    }

    async fn nothing_overdue(&mut self) -> Option<()> {
        while let Ok(seen) = self.seen.try_recv() {
            self.pending.fired(&seen);
        }
        let limit = self.stage.curtain.min(Instant::now() + OVERDUE_DEADLINE);
        while self.pending.is_overdue(now()) {
            let seen = timeout_at(limit, self.seen.recv()).await.ok()??;
            self.pending.fired(&seen);
        }
        Some(())
    }

    async fn send(&mut self, act: &Act) -> Option<()> {
        self.count += 1;
        let command_id = format!("c-{}", self.count);
        let (ask, body) = self.prepare(act, &command_id);
        let method = ask.method();
        let stage = Arc::clone(&self.stage);
        stage.book.open(&self.id, ask);
        let called =
            stage.client.call(&self.id, method, &body, &mut self.random, stage.curtain).await?;
        let answer = match called.answer {
            Ok(answer) => Answer::Accepted { version: answer["version"].as_u64().unwrap_or(0) },
            Err(problem) => {
                Answer::Refused { status: problem.status, detail: problem.detail.clone() }
            }
        };
        match act {
            Act::Put(_) => self.pending.promised(called.answered),
            Act::Complete if self.put.as_ref().is_some_and(Putting::recurs) => {
                self.pending.called_off(called.answered);
            }
            Act::Complete | Act::Delete | Act::Dismiss => self.pending.called_off(Ms::MAX),
            Act::Reopen | Act::Acknowledge | Act::Snooze(_) => {}
        }
        stage.book.close(&self.id, called.attempts, called.took, called.answered, answer);
        Some(())
    }

    /// The command and its body; what it is to bring about is awaited from now on.
    fn prepare(&mut self, act: &Act, command_id: &str) -> (Ask, serde_json::Value) {
        let plain = |ask| (ask, serde_json::json!({ "commandId": command_id }));
        match act {
            Act::Put(draft) => {
                let title = format!("Task {}, {command_id}", self.id);
                let putting = Putting::new(draft, title, now(), self.put.as_ref());
                self.pending.asked(putting.awaited());
                let prepared = (putting.ask(), putting.body(command_id));
                self.put = Some(putting);
                prepared
            }
            Act::Snooze(pause) => {
                let until = now() + pause;
                let reminder = body::DEFAULT_REMINDER.to_owned();
                let body = body::snooze(command_id, &reminder, until);
                (Ask::Snooze { reminder, until }, body)
            }
            Act::Complete => plain(Ask::Complete),
            Act::Reopen => plain(Ask::Reopen),
            Act::Delete => plain(Ask::Delete),
            Act::Dismiss => plain(Ask::Dismiss),
            Act::Acknowledge => plain(Ask::Acknowledge),
        }
    }
}

/// A pause; none if it is over.
fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
