//! The world that the audit's tests run in: tasks by what calls of them answer, kept in memory.

use crate::audit::*;
use crate::ports::{
    Actors, Broker, CallError, CommitError, Message, Registered, Reminders, StateStore,
};
use crate::read_model::{Changed, Cursor, Finding, FindingKind, QueryError, Swept};
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use reminder_domain::ids::Person;
use reminder_domain::{Retention, TaskId, Timestamp, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Tasks that are overdue, by what a settle turn of them answers.
#[derive(Default)]
pub(super) struct World {
    pub(super) overdue: Mutex<BTreeMap<Waking, Result<u64, CallError>>>,
    pub(super) settled: Mutex<BTreeSet<TaskId>>,
    pub(super) parked: Mutex<BTreeSet<TaskId>>,
    /// Tasks that a sick replica hosts: every call of them fails.
    pub(super) sick: Mutex<BTreeSet<TaskId>>,
    /// What the processes that are taken for dead left pending, by the numbers of the commits.
    pub(super) left: Mutex<BTreeMap<(u64, u64), TaskId>>,
    /// What comes within the horizon.
    pub(super) near: Mutex<BTreeSet<Waking>>,
    pub(super) noted: Mutex<Vec<Finding>>,
    /// The version that a user's preferences are at, and when tasks may last have fallen behind it.
    users: Mutex<BTreeMap<String, (u64, Timestamp)>>,
    /// Whose an open task is, and the version that it follows.
    follows: Mutex<BTreeMap<TaskId, (String, u64)>>,
    /// Open tasks of an older zone database.
    pub(super) old_zones: Mutex<BTreeSet<TaskId>>,
    /// Tasks that were refreshed, in this order.
    pub(super) refreshed: Mutex<Vec<TaskId>>,
    pub(super) scheduler_lost: AtomicBool,
}

/// The processes that are taken for dead.
pub(super) const DEAD: [u64; 2] = [9, 10];

impl World {
    pub(super) fn add(&self, ms: i64, task: &str, answer: Result<u64, CallError>) {
        let task = TaskId::parse(task).unwrap();
        self.overdue
            .lock()
            .unwrap()
            .insert(Waking { at: Timestamp::from_millis(ms), task }, answer);
    }

    /// A dead process left something of a task, which a sick replica hosts or not.
    pub(super) fn leave(&self, epoch: u64, n: u64, task: &str, sick: bool) {
        let task = TaskId::parse(task).unwrap();
        if sick {
            self.sick.lock().unwrap().insert(task.clone());
        }
        self.left.lock().unwrap().insert((epoch, n), task);
    }

    /// A user, who may be new, changes something.
    pub(super) fn change(&self, user: &str, at_ms: i64, tasks: &[String]) {
        let mut users = self.users.lock().unwrap();
        let (version, behind_at) =
            users.entry(user.to_owned()).or_insert((0, Timestamp::from_millis(0)));
        *version += 1;
        *behind_at = Timestamp::from_millis(at_ms);
        let mut follows = self.follows.lock().unwrap();
        for task in tasks {
            let task = TaskId::parse(task.clone()).unwrap();
            follows.entry(task).or_insert_with(|| (user.to_owned(), 0));
        }
    }

    /// How many tasks of a user have yet to follow.
    pub(super) fn behind(&self, user: &str) -> usize {
        let version = self.users.lock().unwrap().get(user).map_or(0, |(version, _)| *version);
        let follows = self.follows.lock().unwrap();
        follows.values().filter(|(whose, has)| whose == user && *has < version).count()
    }

    /// The tasks that were noted as found to be so.
    pub(super) fn noted(&self, kind: FindingKind) -> Vec<String> {
        let noted = self.noted.lock().unwrap();
        let of_kind = noted.iter().filter(|finding| finding.kind == kind);
        of_kind.filter_map(|finding| finding.task.as_ref().map(ToString::to_string)).collect()
    }

    fn reach(&self, id: &TaskId) -> Result<(), CallError> {
        if self.sick.lock().unwrap().contains(id) { failing().map(drop) } else { Ok(()) }
    }

    pub(super) fn is_settled(&self, task: &str) -> bool {
        self.settled.lock().unwrap().contains(&TaskId::parse(task).unwrap())
    }
}

#[async_trait]
impl Actors for World {
    async fn settle(&self, id: &TaskId, _: u64) -> Result<u64, CallError> {
        self.reach(id)?;
        let mut left = self.left.lock().unwrap();
        if let Some(n) = left.iter().find_map(|(n, task)| (task == id).then_some(*n)) {
            left.remove(&n);
            return Ok(2);
        }
        let mut overdue = self.overdue.lock().unwrap();
        let (waking, answer) = overdue.iter().find(|(waking, _)| waking.task == *id).unwrap();
        let (waking, answer) = (waking.clone(), answer.clone());
        if answer.as_ref().is_ok_and(|version| *version > 0) {
            overdue.remove(&waking);
            self.settled.lock().unwrap().insert(id.clone());
        }
        answer
    }
    async fn erase(&self, _: &TaskId, _: &Person) -> Result<u64, CallError> {
        Ok(1)
    }
    async fn refresh(&self, id: &TaskId) -> Result<(), CallError> {
        self.reach(id)?;
        if let Some((user, follows)) = self.follows.lock().unwrap().get_mut(id) {
            *follows = self.users.lock().unwrap()[user].0;
        }
        self.old_zones.lock().unwrap().remove(id);
        self.refreshed.lock().unwrap().push(id.clone());
        Ok(())
    }
    async fn purge(&self, _: &TaskId, _: Retention) -> Result<bool, CallError> {
        Ok(false)
    }
}

#[async_trait]
impl TaskIndex for World {
    async fn waking(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        let near = self.near.lock().unwrap();
        let page = near.iter().filter(|waking| *waking > after && waking.at <= until);
        Ok(page.take(usize::try_from(limit).unwrap()).cloned().collect())
    }
    async fn overdue(
        &self,
        after: &Waking,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Waking>, QueryError> {
        let (overdue, parked) = (self.overdue.lock().unwrap(), self.parked.lock().unwrap());
        let left = overdue.keys().filter(|waking| *waking > after && waking.at <= until);
        let left = left.filter(|waking| !parked.contains(&waking.task));
        Ok(left.take(usize::try_from(limit).unwrap()).cloned().collect())
    }
    async fn park(&self, task: &TaskId, why: &UnreadableState) -> Result<bool, QueryError> {
        assert_eq!(*why, UnreadableState::Missing);
        Ok(self.parked.lock().unwrap().insert(task.clone()))
    }
    async fn parked(&self, _: Duration, _: i64) -> Result<Vec<TaskId>, QueryError> {
        Ok(self.parked.lock().unwrap().iter().cloned().collect())
    }
    async fn unpark(&self, task: &TaskId) -> Result<(), QueryError> {
        self.parked.lock().unwrap().remove(task);
        Ok(())
    }
    async fn note_findings(&self, found: &[Finding]) -> Result<(), QueryError> {
        self.noted.lock().unwrap().extend_from_slice(found);
        Ok(())
    }
    async fn heartbeat(&self, _: u64, _: Duration, _: Duration) -> Result<(), QueryError> {
        Ok(())
    }
    async fn lease(&self, _: u64, _: Duration) -> Result<Option<Swept>, QueryError> {
        Ok(Some(Swept { until: Timestamp::from_millis(0), canary: 1 }))
    }
    async fn begin_anew(&self, _: u64) -> Result<Option<u64>, QueryError> {
        Ok(Some(2))
    }
    async fn swept(&self, _: u64, _: Swept) -> Result<bool, QueryError> {
        Ok(true)
    }
    async fn dead_epochs(&self, _: Duration) -> Result<Vec<u64>, QueryError> {
        Ok(DEAD.to_vec())
    }
    async fn left_pending(
        &self,
        epoch: u64,
        n: u64,
        limit: i64,
    ) -> Result<Vec<(TaskId, u64)>, QueryError> {
        let left = self.left.lock().unwrap();
        let page =
            left.range((epoch, n + 1)..=(epoch, u64::MAX)).map(|((_, n), task)| (task.clone(), *n));
        Ok(page.take(usize::try_from(limit).unwrap()).collect())
    }
    async fn changed_users(
        &self,
        since: Timestamp,
        after: Option<&Person>,
        limit: i64,
    ) -> Result<Vec<Changed>, QueryError> {
        let users = self.users.lock().unwrap().clone();
        let after = after.map_or("", Person::as_str);
        let listed = users.into_iter().filter(|(user, (_, behind_at))| {
            *behind_at >= since && user.as_str() > after && self.behind(user) > 0
        });
        let changed =
            |(user, (version, _))| Changed { user: Person::parse(user).unwrap(), version };
        Ok(listed.map(changed).take(usize::try_from(limit).unwrap()).collect())
    }
    async fn outdated_of(
        &self,
        changed: &Changed,
        after: &Cursor<i64>,
        limit: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError> {
        let parked = self.parked.lock().unwrap();
        let follows = self.follows.lock().unwrap();
        let theirs = follows.iter().filter(|(task, (user, has))| {
            user == changed.user.as_str() && *has < changed.version && !parked.contains(task)
        });
        let mut places: Vec<(i64, String)> = theirs
            .map(|(task, (_, has))| (i64::try_from(*has).unwrap(), task.to_string()))
            .filter(|place| *place > (after.follows, after.task.clone()))
            .collect();
        places.sort();
        places.truncate(usize::try_from(limit).unwrap());
        Ok(places.into_iter().map(|(follows, task)| Cursor { follows, task }).collect())
    }
    async fn is_behind(&self, changed: &Changed) -> Result<bool, QueryError> {
        Ok(self.behind(changed.user.as_str()) > 0)
    }
    async fn outdated_zones(
        &self,
        _: &str,
        after: &Cursor<String>,
        limit: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError> {
        let old = self.old_zones.lock().unwrap();
        let left = old.iter().map(ToString::to_string).filter(|task| *task > after.task);
        let place = |task| Cursor { follows: "2020a".to_owned(), task };
        Ok(left.map(place).take(usize::try_from(limit).unwrap()).collect())
    }
}

#[async_trait]
impl StateStore for World {
    async fn load(&self, _: &TaskId) -> Result<Option<Vec<u8>>, CallError> {
        Ok(None)
    }
    async fn commit(&self, _: &TaskId, _: Vec<u8>) -> Result<(), CommitError> {
        Ok(())
    }
    async fn load_watermark(&self, _: u64) -> Result<u64, CallError> {
        Ok(0)
    }
    async fn save_watermark(&self, _: u64, _: u64) -> Result<(), CallError> {
        Ok(())
    }
}

#[async_trait]
impl Reminders for World {
    async fn arm(&self, _: &TaskId, _: Timestamp) -> Result<(), CallError> {
        Ok(())
    }
    async fn arm_if_absent(&self, _: &TaskId, _: Timestamp) -> Result<Registered, CallError> {
        Ok(Registered::Now)
    }
    async fn disarm(&self, _: &TaskId) -> Result<(), CallError> {
        Ok(())
    }
}

#[async_trait]
impl ReminderIndex for World {
    async fn canary_is_alive(&self, _: u64) -> Result<bool, CallError> {
        Ok(!self.scheduler_lost.load(Ordering::Relaxed))
    }
    async fn release_canary(&self, _: u64) -> Result<(), CallError> {
        self.scheduler_lost.store(false, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Broker for World {
    async fn publish(&self, _: Topic, _: Vec<Message>) -> Result<(), CallError> {
        Ok(())
    }
}

pub(super) struct Noon;

impl crate::clock::Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000)
    }
}

pub(super) fn failing() -> Result<u64, CallError> {
    Err(CallError("always".into()))
}
