//! Postgres as the read model: the rows of the index, the lease, who is alive.

use super::users::{self, Users};
use super::{State, millis};
use reminder_domain::ids::Person;
use reminder_domain::time::zone_database;
use reminder_domain::{TaskId, TaskState, Timestamp, next_wake};
use reminder_reference::calendar::since_start;
use reminder_scheduler::read_model::{Changed, Cursor, Swept, Waking};
use std::collections::BTreeMap;
use std::time::Duration;

/// The rows beside the states.
#[derive(Default)]
pub(super) struct Rows {
    lease: Option<Lease>,
    seen: BTreeMap<u64, i64>,
    /// Who has a round of the purge under way, and until when.
    purge: Option<(u64, i64)>,
}

struct Lease {
    holder: u64,
    until_ms: i64,
    swept: Swept,
}

impl Rows {
    pub(super) fn heartbeat(&mut self, epoch: u64, hold: Duration, now_ms: i64) {
        self.seen.insert(epoch, now_ms);
        let lease = self.lease.as_mut();
        if let Some(lease) = lease.filter(|l| l.holder == epoch && l.until_ms > now_ms) {
            lease.until_ms = now_ms + millis(hold);
        }
    }

    pub(super) fn lease(&mut self, epoch: u64, hold: Duration, now_ms: i64) -> Option<Swept> {
        let swept = match &self.lease {
            Some(lease) if lease.holder != epoch && lease.until_ms >= now_ms => return None,
            Some(lease) => lease.swept,
            None => Swept { until: Timestamp::from_millis(0), canary: 0 },
        };
        self.lease = Some(Lease { holder: epoch, until_ms: now_ms + millis(hold), swept });
        Some(swept)
    }

    pub(super) fn swept(&mut self, epoch: u64, swept: Swept) -> bool {
        let lease = self.lease.as_mut().filter(|lease| lease.holder == epoch);
        let lease = lease.filter(|lease| lease.swept.canary == swept.canary);
        lease.map(|lease| lease.swept = swept).is_some()
    }

    pub(super) fn begin_anew(&mut self, epoch: u64) -> Option<u64> {
        let lease = self.lease.as_mut().filter(|lease| lease.holder == epoch)?;
        let canary = lease.swept.canary + 1;
        lease.swept = Swept { until: Timestamp::from_millis(0), canary };
        Some(canary)
    }

    pub(super) fn hold(&mut self, epoch: u64, hold: Duration, now_ms: i64) -> bool {
        let free = self.purge.is_none_or(|(holder, until)| holder == epoch || until < now_ms);
        if free {
            self.purge = Some((epoch, now_ms + millis(hold)));
        }
        free
    }

    pub(super) fn holds(&self, epoch: u64, now_ms: i64) -> bool {
        self.purge.is_some_and(|(holder, until)| holder == epoch && until > now_ms)
    }

    pub(super) fn finished(&mut self, epoch: u64) {
        self.purge.take_if(|(holder, _)| *holder == epoch);
    }

    fn is_alive(&self, epoch: u64, unseen_for: Duration, now_ms: i64) -> bool {
        self.seen.get(&epoch).is_some_and(|seen| *seen > now_ms - millis(unseen_for))
    }
}

/// What the trigger does beside the fence: it notes users of whom a task with an older copy of the
/// preferences came to be open.
pub(super) fn note_behind(
    previous: Option<&TaskState>,
    next: &TaskState,
    users: &mut Users,
    now_ms: i64,
) {
    let open_of = |state: &TaskState| {
        let live = state.live().filter(|live| live.task.status.is_open())?;
        live.task.user_id.clone()
    };
    let (before, after) = (previous.and_then(open_of), open_of(next));
    let Some(user) = after.filter(|after| before.as_ref() != Some(after)) else { return };
    let (user, has) = (users::number(&user), follows(next));
    if users.current(user) > has {
        users.fell_behind(user, now_ms);
    }
}

/// Whether an open task has another copy of the preferences than its user has: no task begins so.
pub(super) fn is_outdated(next: &TaskState, users: &Users) -> bool {
    let live = next.live().filter(|live| live.task.status.is_open());
    let user = live.and_then(|live| live.task.user_id.as_ref());
    user.is_some_and(|user| users.current(users::number(user)) != follows(next))
}

/// The version of the preferences that a task has a copy of.
pub(super) fn follows(state: &TaskState) -> u64 {
    state.live().map_or(0, |live| live.preferences.version)
}

impl State {
    pub(super) fn waking(&self, after: &Waking, until: Timestamp, limit: i64) -> Vec<Waking> {
        let waking = |(task, state): (&TaskId, &TaskState)| {
            Some(Waking { at: next_wake(state)?, task: task.clone() })
        };
        let mut page: Vec<Waking> = self.store.states().filter_map(waking).collect();
        page.retain(|waking| waking > after && waking.at <= until);
        page.sort();
        page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        page
    }

    /// As [`Self::waking`], without those whose firing is stopped.
    pub(super) fn overdue(&self, after: &Waking, until: Timestamp, limit: i64) -> Vec<Waking> {
        let mut page = self.waking(after, until, i64::MAX);
        let withheld = |task: &TaskId| {
            let state = self.store.state(task);
            let live = state.and_then(TaskState::live);
            live.is_some_and(|live| self.stop.stops(live.task.user_id.as_ref()))
        };
        page.retain(|waking| !withheld(&waking.task));
        page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        page
    }

    pub(super) fn dead_epochs(&self, unseen_for: Duration, now_ms: i64) -> Vec<u64> {
        let stamps = self.store.states().filter_map(|(_, state)| state.pending.last());
        let mut epochs: Vec<u64> = stamps.map(|commit| commit.stamp.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs.retain(|epoch| !self.index.is_alive(*epoch, unseen_for, now_ms));
        epochs
    }

    pub(super) fn left_pending(&self, epoch: u64, n: u64, limit: i64) -> Vec<(TaskId, u64)> {
        let left = |(task, state): (&TaskId, &TaskState)| {
            let stamp = state.pending.last()?.stamp;
            (stamp.epoch == epoch && stamp.n > n).then(|| (task.clone(), stamp.n))
        };
        let mut page: Vec<_> = self.store.states().filter_map(left).collect();
        page.sort_by_key(|(_, n)| *n);
        page.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        page
    }

    pub(super) fn changed_users(&self, since: Timestamp, after: Option<&Person>) -> Vec<Changed> {
        let behind = self.users.behind_since(since_start(since));
        let mut changed: Vec<Changed> = behind
            .into_iter()
            .filter(|(user, version)| self.open_of(*user).any(|state| follows(state) < *version))
            .filter_map(|(user, version)| {
                Some(Changed { user: Person::parse(format!("u{user}")).ok()?, version })
            })
            .filter(|changed| after.is_none_or(|after| changed.user.as_str() > after.as_str()))
            .collect();
        changed.sort_by(|a, b| a.user.as_str().cmp(b.user.as_str()));
        changed
    }

    fn open_of(&self, user: u64) -> impl Iterator<Item = &TaskState> {
        self.store.states().map(|(_, state)| state).filter(move |state| {
            let live = state.live().filter(|live| live.task.status.is_open());
            let person = live.and_then(|live| live.task.user_id.as_ref());
            person.is_some_and(|person| users::number(person) == user)
        })
    }

    pub(super) fn outdated_of(&self, changed: &Changed, after: &Cursor<i64>) -> Vec<Cursor<i64>> {
        let user = users::number(&changed.user);
        let mut page = Vec::new();
        for (task, state) in self.store.states() {
            let live = state.live().filter(|live| live.task.status.is_open());
            let person = live.and_then(|live| live.task.user_id.as_ref());
            let is_theirs = person.is_some_and(|person| users::number(person) == user);
            if is_theirs && follows(state) < changed.version {
                let follows = i64::try_from(follows(state)).unwrap_or(i64::MAX);
                page.push(Cursor { follows, task: task.to_string() });
            }
        }
        page.retain(|cursor| (cursor.follows, &cursor.task) > (after.follows, &after.task));
        page.sort_by(|a, b| (a.follows, &a.task).cmp(&(b.follows, &b.task)));
        page
    }

    pub(super) fn is_behind(&self, changed: &Changed) -> bool {
        self.open_of(users::number(&changed.user)).any(|state| follows(state) < changed.version)
    }

    /// Whether every open task follows what its user prefers now.
    pub(super) fn everyone_follows(&self) -> bool {
        self.store.states().all(|(_, state)| {
            let live = state.live().filter(|live| live.task.status.is_open());
            let person = live.and_then(|live| live.task.user_id.as_ref());
            let zones = live.is_none_or(|live| live.zone_database == zone_database());
            let current = person.map_or(0, |person| self.users.current(users::number(person)));
            zones && follows(state) >= current
        })
    }
}
