//! Postgres as the state store: values, the fence, watermarks.

use super::World;
use crate::near::Near;
use reminder_domain::restored::FIRST_INCARNATION;
use reminder_domain::{TaskId, TaskState};
use reminder_scheduler::planted::{self, Bug};
use reminder_scheduler::turn::effect::Numbers;
use reminder_scheduler::turn::record;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// The stored values.
#[derive(Default)]
pub(super) struct Store {
    tasks: BTreeMap<TaskId, (Vec<u8>, TaskState)>,
    watermarks: BTreeMap<u64, u64>,
    /// The incarnation in which tasks are born, since the first purge.
    births: Option<u32>,
}

/// The fence has refused a write.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

/// What the fence says of a write.
fn accepted(
    previous: Option<&TaskState>,
    next: &TaskState,
    begins: bool,
    births: u32,
) -> Result<(), Refused> {
    let (version, incarnation) = (next.version, next.incarnation);
    let refused = |why: String| Err(Refused(format!("version {version} of {incarnation}: {why}")));
    match previous {
        Some(_) if begins => refused("the task is there".into()),
        Some(stored) if version != stored.version + 1 => {
            refused(format!("expected {}", stored.version + 1))
        }
        None if incarnation < births => refused(format!("tasks are born in {births}")),
        None if incarnation == FIRST_INCARNATION && version != 1 => refused("expected 1".into()),
        _ => Ok(()),
    }
}

/// Whether the index line says that it is the first of its task.
fn begins(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.ends_with(br#","b":true}"#)
}

impl Store {
    /// The incarnation in which tasks are born.
    pub(super) fn births(&self) -> u32 {
        self.births.unwrap_or(FIRST_INCARNATION)
    }

    /// A purge is about to delete what was born before now.
    pub(super) fn raise_births(&mut self, second: u32) {
        if !planted::is(Bug::BirthsForgotten) {
            self.births = Some(second.max(self.births() + 1));
        }
    }

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
    /// A statement deletes what is stored of a task, if it is at these numbers.
    pub(super) fn remove(&self, task: &TaskId, numbers: Numbers) -> bool {
        let now_ms = self.now_ms();
        let mut state = self.state();
        let state = &mut *state;
        let Some((_, stored)) = state.store.tasks.get(task) else { return false };
        let is = Numbers { version: stored.version, incarnation: stored.incarnation };
        let born_before = stored.incarnation < state.store.births();
        if is != numbers || !(born_before || planted::is(Bug::BirthsForgotten)) {
            return false;
        }
        let verdict = state.judge.removed(task, stored);
        state.store.tasks.remove(task);
        if let Err(violation) = verdict {
            state.judge.violated(now_ms, violation);
        }
        true
    }

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
        if !planted::is(Bug::NoFence) {
            accepted(previous, &next, begins(bytes), state.store.births())?;
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
        let verdict = verdict.and(self.plan.erased.map_or(Ok(()), |erased| {
            let by_command =
                next.commands.last().is_some_and(|record| record.version == next.version);
            let before = known.map(|(stored, _)| stored.as_slice());
            let written = (before, bytes);
            state.erasures.written(task, written, erased.user, by_command, now_ms)
        }));
        state.store.tasks.insert(task.clone(), (bytes.to_vec(), next));
        if let Err(violation) = verdict {
            state.judge.violated(now_ms, violation);
        }
        Ok(())
    }
}
