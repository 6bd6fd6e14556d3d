//! Postgres as the state store: values, the fence, watermarks.

use super::World;
use crate::near::Near;
use reminder_domain::{TaskId, TaskState};
use reminder_scheduler::planted::{self, Bug};
use reminder_scheduler::turn::record;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The stored values.
#[derive(Default)]
pub(super) struct Store {
    tasks: BTreeMap<TaskId, (Vec<u8>, TaskState)>,
    watermarks: BTreeMap<u64, u64>,
}

/// The fence has refused a write.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl Store {
    pub(super) fn load(&self, task: &TaskId) -> Option<Vec<u8>> {
        self.tasks.get(task).map(|(bytes, _)| bytes.clone())
    }

    pub(super) fn state(&self, task: &TaskId) -> Option<&TaskState> {
        self.tasks.get(task).map(|(_, state)| state)
    }

    pub(super) fn states(&self) -> impl Iterator<Item = (&TaskId, &TaskState)> {
        self.tasks.iter().map(|(task, (_, state))| (task, state))
    }

    pub(super) fn watermark(&self, epoch: u64) -> u64 {
        self.watermarks.get(&epoch).copied().unwrap_or(0)
    }

    pub(super) fn save_watermark(&mut self, epoch: u64, n: u64) {
        self.watermarks.insert(epoch, n);
    }
}

impl World {
    /// A write reaches the table.
    pub(super) fn commit(&self, host: usize, task: &TaskId, bytes: &[u8]) -> Result<(), Refused> {
        let next = record::decode(bytes).expect("a host writes what it can read");
        let now_ms = self.now_ms();
        let latest_ms = self.clocks[host].latest_ms.load(Ordering::Relaxed);
        let mut state = self.state();
        let state = &mut *state;
        let known = state.store.tasks.get(task);
        if known.is_some_and(|(stored, _)| stored == bytes) {
            return Ok(());
        }
        let previous = known.map(|(_, stored)| stored);
        let expected = previous.map_or(0, |stored| stored.version) + 1;
        if next.version != expected && !planted::is(Bug::NoFence) {
            return Err(Refused(format!("version {}, expected {expected}", next.version)));
        }
        if previous.is_none() && super::index::is_outdated(&next, &state.users) {
            return Err(Refused("other preferences by now".into()));
        }
        let registered = state.reminders.registered(task);
        let (horizon_ms, class) = (self.plan.horizon_ms, self.plan.class);
        let near = Near { horizon_ms, registered, class };
        let users = &state.users;
        let prefs = |user: u64, version| users.version(user, version);
        let verdict = state.judge.committed(task, previous, &next, latest_ms, &near, prefs);
        super::index::note_behind(previous, &next, &mut state.users, now_ms);
        state.store.tasks.insert(task.clone(), (bytes.to_vec(), next));
        if let Err(violation) = verdict {
            state.judge.violated(now_ms, violation);
        }
        Ok(())
    }
}
