//! What is over goes: what a process asks of the world for it, and the job that begins the rounds.

use super::ports::HostPorts;
use super::{Part, World, key, sleep_ms};
use async_trait::async_trait;
use reminder_domain::retention::Over;
use reminder_domain::{Retention, TaskId, TaskState, Timestamp};
use reminder_reference::calendar;
use reminder_scheduler::ports::{CallError, Removal};
use reminder_scheduler::read_model::{Ended, Purges, QueryError};
use reminder_scheduler::retention::Purge;
use reminder_scheduler::turn::effect::Numbers;
use std::sync::Arc;
use std::time::Duration;

/// How long what is over is kept, in ms: longer than any command is sent again, as it is in earnest.
const KEPT_MS: i64 = 60_000;
/// The pause between two rounds, in ms.
const EVERY_MS: i64 = 7_000;

#[async_trait]
impl Removal for HostPorts {
    async fn births(&self) -> Result<u32, CallError> {
        self.call(Part::Postgres, "births", 0, |world| world.state().store.births()).await
    }

    async fn remove(&self, id: &TaskId, numbers: Numbers) -> Result<bool, CallError> {
        let task = id.clone();
        let remove = move |world: &World| world.remove(&task, numbers);
        self.call(Part::Postgres, "remove", key(id), remove).await
    }
}

#[async_trait]
impl Purges for HostPorts {
    async fn hold(&self, epoch: u64, hold: Duration) -> Result<bool, QueryError> {
        let hold = move |world: &World| {
            let now = world.now_ms();
            world.state().index.hold(epoch, hold, now)
        };
        self.query("hold the purge", hold).await
    }

    async fn raise_births(&self, epoch: u64) -> Result<bool, QueryError> {
        let raise = move |world: &World| {
            let now = world.now_ms();
            let second = calendar::instant(now).as_millis() / 1_000;
            let mut state = world.state();
            let holds = state.index.holds(epoch, now);
            if holds {
                state.store.raise_births(u32::try_from(second).unwrap_or(u32::MAX));
            }
            holds
        };
        self.query("raise births", raise).await
    }

    async fn ended(
        &self,
        over: Over,
        before: Timestamp,
        after: Option<&Ended>,
        limit: i64,
    ) -> Result<Vec<Ended>, QueryError> {
        let after = after.cloned();
        let page = move |world: &World| {
            let state = world.state();
            let ended = |(task, state): (&TaskId, &TaskState)| {
                let ended = Ended { at: state.updated_at, task: task.to_string() };
                let fits = state.over() == Some(over) && ended.at < before;
                (fits && after.as_ref().is_none_or(|after| ended > *after)).then_some(ended)
            };
            let mut page: Vec<Ended> = state.store.states().filter_map(ended).collect();
            page.sort();
            page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            page
        };
        self.query("ended", page).await
    }

    async fn finished(&self, epoch: u64) -> Result<(), QueryError> {
        self.query("purged", move |world| world.state().index.finished(epoch)).await
    }

    async fn last_finished(&self) -> Result<Option<Timestamp>, QueryError> {
        // Only metrics tell it, and nobody looks at those here.
        Ok(None)
    }
}

impl World {
    /// Begins a round on some host again and again, as the scheduler would.
    pub async fn run_purges(self: Arc<Self>) {
        let retention = Retention { completed_ms: Some(KEPT_MS), tombstones_ms: Some(KEPT_MS) };
        for round in 0_u64.. {
            sleep_ms(EVERY_MS).await;
            let dice = self.dice("purge", 0);
            let running = {
                let state = self.state();
                let running: Vec<_> =
                    state.hosts.iter().filter_map(|host| host.running.clone()).collect();
                let chosen = dice.below(("host", round), running.len().max(1) as u64);
                running.get(usize::try_from(chosen).unwrap_or(0)).cloned()
            };
            let Some(running) = running else { continue };
            let ports = running.ports(&self);
            let (clock, model) =
                (Arc::clone(&self.clocks[running.process.host]), Arc::clone(&ports));
            let mut purge = Purge::new(ports, clock, model, running.process.epoch, retention);
            let died = running.process.died.clone();
            drop(running);
            tokio::spawn(async move {
                // A round that fails is followed by the next one.
                let _ = died.run_until_cancelled(purge.round(&|_| {})).await;
            });
        }
    }
}
