//! Dapr's scheduler: one registration per actor, and the loop that wakes.

use super::{Part, World, key, sleep_ms};
use reminder_domain::{TaskId, Timestamp};
use reminder_reference::calendar::since_start;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Dapr repeats a wake that was not answered with 200 after this long, in ms.
const RETRY_MS: i64 = 1_000;
/// How long a call takes that reaches nobody, in ms.
const UNREACHABLE_MS: i64 = 500;

/// What is registered.
#[derive(Default)]
pub(super) struct Reminders {
    wakes: BTreeMap<TaskId, Wake>,
    canaries: BTreeSet<u64>,
    registrations: u64,
}

struct Wake {
    /// The time that was asked for.
    asked_ms: i64,
    /// When it wakes next: moved on by each try that is not answered.
    due_ms: i64,
    /// Which registration it is: one made meanwhile stays, whatever becomes of this one.
    number: u64,
    in_flight: bool,
}

impl Reminders {
    pub(super) fn arm(&mut self, task: &TaskId, at: Timestamp) {
        self.registrations += 1;
        let (number, due_ms) = (self.registrations, since_start(at));
        let wake = Wake { asked_ms: due_ms, due_ms, number, in_flight: false };
        self.wakes.insert(task.clone(), wake);
    }

    pub(super) fn arm_if_absent(&mut self, task: &TaskId, at: Timestamp) -> bool {
        let absent = !self.wakes.contains_key(task);
        if absent {
            self.arm(task, at);
        }
        absent
    }

    pub(super) fn disarm(&mut self, task: &TaskId) {
        self.wakes.remove(task);
    }

    pub(super) fn canaries(&mut self) -> &mut BTreeSet<u64> {
        &mut self.canaries
    }

    /// The time that a wake was registered for which has not been answered.
    pub(super) fn registered(&self, task: &TaskId) -> Option<i64> {
        self.wakes.get(task).map(|wake| wake.asked_ms)
    }
}

impl World {
    /// Wakes actors when they are due, for ever.
    pub async fn run_scheduler(self: Arc<Self>) {
        loop {
            let changed = self.reminders_changed.notified();
            let now = self.now_ms();
            let away_until = self.state().away.get(&Part::Scheduler).copied().unwrap_or(0);
            if away_until > now {
                sleep_ms(away_until - now).await;
                continue;
            }
            let next = {
                let mut state = self.state();
                let idle = state.reminders.wakes.iter_mut().filter(|(_, wake)| !wake.in_flight);
                let next = idle.min_by_key(|(_, wake)| wake.due_ms);
                next.map(|(task, wake)| {
                    let due = wake.due_ms <= now;
                    wake.in_flight |= due;
                    (task.clone(), wake.due_ms, wake.number, due)
                })
            };
            match next {
                None => changed.await,
                Some((task, _, number, true)) => {
                    tokio::spawn(Arc::clone(&self).deliver(task, number));
                }
                Some((_, due_ms, _, false)) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = sleep_ms(due_ms - now) => {}
                    }
                }
            }
        }
    }

    async fn deliver(self: Arc<Self>, task: TaskId, number: u64) {
        let (dice, rates) = (self.dice("deliver", key(&task)), self.rates());
        if dice.happens("lost", rates.wake_lost) {
            self.note(|| format!("the wake of {task} is lost"), ("lost", &task));
            let mut state = self.state();
            if state.reminders.wakes.get(&task).is_some_and(|wake| wake.number == number) {
                state.reminders.wakes.remove(&task);
            }
            return;
        }
        let late =
            if dice.happens("late", rates.wake_late) { dice.within("by", 100, 5_000) } else { 0 };
        sleep_ms(late + dice.within("latency", 0, 4)).await;
        if dice.happens("twice", rates.wake_twice) {
            let (world, task) = (Arc::clone(&self), task.clone());
            let pause = dice.within("pause", 0, 3_000);
            tokio::spawn(async move {
                sleep_ms(pause).await;
                // The scheduler itself has forgotten that it woke before.
                let _ = world.wake(&task).await;
            });
        }
        let answered = self.wake(&task).await.is_ok();
        if !answered {
            sleep_ms(UNREACHABLE_MS).await;
        }
        {
            let now = self.now_ms();
            let mut state = self.state();
            let wakes = &mut state.reminders.wakes;
            if let Some(wake) = wakes.get_mut(&task).filter(|wake| wake.number == number) {
                if answered {
                    wakes.remove(&task);
                } else {
                    wake.due_ms = (wake.due_ms + RETRY_MS).max(now);
                    wake.in_flight = false;
                }
            }
        }
        self.reminders_changed.notify_one();
    }

    /// The scheduler loses all that it knew.
    pub fn wipe_scheduler(&self) {
        self.note(|| "the scheduler is wiped".into(), "wiped");
        let mut state = self.state();
        state.reminders.wakes.clear();
        state.reminders.canaries.clear();
    }
}
