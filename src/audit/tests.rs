//! A round among tasks that cannot be settled: nobody is kept from his turn.

use super::*;
use crate::firing::never_stopped;
use crate::ports::{
    Actors, Broker, CallError, CommitError, Message, Registered, Reminders, StateStore,
};
use crate::read_model::{Changed, Cursor, Finding, FindingKind, QueryError, Swept};
use crate::turn::firing::FiringStop;
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use reminder_domain::ids::Person;
use reminder_domain::{Retention, TaskId, Timestamp, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// Tasks that are overdue, by what a settle turn of them answers.
#[derive(Default)]
struct World {
    overdue: Mutex<BTreeMap<Waking, Result<u64, CallError>>>,
    settled: Mutex<BTreeSet<TaskId>>,
    parked: Mutex<BTreeSet<TaskId>>,
    /// What the one process that is taken for dead left pending, by the number of the commit.
    left: Mutex<BTreeMap<u64, TaskId>>,
    noted: Mutex<Vec<Finding>>,
    scheduler_lost: AtomicBool,
}

/// The process that is taken for dead.
const DEAD: u64 = 9;

impl World {
    fn add(&self, ms: i64, task: &str, answer: Result<u64, CallError>) {
        let task = TaskId::parse(task).unwrap();
        self.overdue
            .lock()
            .unwrap()
            .insert(Waking { at: Timestamp::from_millis(ms), task }, answer);
    }

    /// The tasks that were noted as found to be so.
    fn noted(&self, kind: FindingKind) -> Vec<String> {
        let noted = self.noted.lock().unwrap();
        let of_kind = noted.iter().filter(|finding| finding.kind == kind);
        of_kind.filter_map(|finding| finding.task.as_ref().map(ToString::to_string)).collect()
    }

    fn is_settled(&self, task: &str) -> bool {
        self.settled.lock().unwrap().contains(&TaskId::parse(task).unwrap())
    }
}

#[async_trait]
impl Actors for World {
    async fn settle(&self, id: &TaskId, _: u64) -> Result<u64, CallError> {
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
    async fn refresh(&self, _: &TaskId) -> Result<(), CallError> {
        Ok(())
    }
    async fn purge(&self, _: &TaskId, _: Retention) -> Result<bool, CallError> {
        Ok(false)
    }
}

#[async_trait]
impl TaskIndex for World {
    async fn waking(&self, _: &Waking, _: Timestamp, _: i64) -> Result<Vec<Waking>, QueryError> {
        Ok(Vec::new())
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
        Ok(vec![DEAD])
    }
    async fn left_pending(
        &self,
        epoch: u64,
        n: u64,
        limit: i64,
    ) -> Result<Vec<(TaskId, u64)>, QueryError> {
        assert_eq!(epoch, DEAD);
        let left = self.left.lock().unwrap();
        let page = left.range(n + 1..).map(|(n, task)| (task.clone(), *n));
        Ok(page.take(usize::try_from(limit).unwrap()).collect())
    }
    async fn changed_users(
        &self,
        _: Timestamp,
        _: Option<&Person>,
        _: i64,
    ) -> Result<Vec<Changed>, QueryError> {
        Ok(Vec::new())
    }
    async fn outdated_of(
        &self,
        _: &Changed,
        _: &Cursor<i64>,
        _: i64,
    ) -> Result<Vec<Cursor<i64>>, QueryError> {
        Ok(Vec::new())
    }
    async fn outdated_zones(
        &self,
        _: &str,
        _: &Cursor<String>,
        _: i64,
    ) -> Result<Vec<Cursor<String>>, QueryError> {
        Ok(Vec::new())
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

struct Noon;

impl crate::clock::Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000)
    }
}

fn audit(world: &Arc<World>, firing: Firing) -> Audit<World> {
    let settings =
        Settings { horizon_ms: None, grace_ms: 0, interval: settings::HEARTBEAT, refresh_rate: 1 };
    let (ports, model) = (Arc::clone(world), world.clone());
    Audit::new(ports, Arc::new(Noon), model, 1, settings, Signals::default(), firing)
}

fn failing() -> Result<u64, CallError> {
    Err(CallError("always".into()))
}

#[tokio::test]
async fn tasks_that_always_fail_keep_no_other_from_its_turn_for_long() {
    let world = Arc::new(World::default());
    // Twice as many as make a round give up, before and after the healthy ones.
    for n in 0..64 {
        world.add(n, &format!("bad-{n}"), failing());
        world.add(1_000 + n, &format!("worse-{n}"), failing());
    }
    world.add(500, "healthy", Ok(2));
    world.add(2_000, "last", Ok(2));
    let mut audit = audit(&world, never_stopped());
    let mut rounds = 0;
    while !(world.is_settled("healthy") && world.is_settled("last")) {
        rounds += 1;
        assert!(rounds <= 6, "each round gives up behind the last: 128 failures are 4 rounds");
        assert!(audit.round(0).await.is_err(), "a round that gives up says so");
    }
    world.add(0, "new", Ok(2));
    for _ in 0..6 {
        assert!(audit.round(0).await.is_err());
    }
    assert!(world.is_settled("new"), "what comes first has its turn as well");
}

#[tokio::test]
async fn a_task_without_a_state_is_parked_once_and_tried_again() {
    let world = Arc::new(World::default());
    for n in 0..100 {
        world.add(n, &format!("gone-{n}"), Ok(0));
    }
    world.add(500, "healthy", Ok(2));
    let mut audit = audit(&world, never_stopped());
    let findings = audit.round(0).await.unwrap();
    assert_eq!((findings.settled, findings.parked, findings.failed), (1, 100, 0));
    assert_eq!(world.noted(FindingKind::Settled), ["healthy"]);
    assert_eq!(world.noted(FindingKind::Parked).len(), 100);
    let before = world.noted.lock().unwrap().len();
    assert!(audit.round(0).await.unwrap().is_nothing(), "they are left alone");
    assert_eq!(world.noted.lock().unwrap().len(), before, "and not noted again");
    world.add(0, "gone-0", Ok(3));
    assert_eq!(audit.round(0).await.unwrap().unparked, 1);
    assert_eq!(world.noted(FindingKind::Unparked), ["gone-0"]);
}

#[tokio::test]
async fn while_everyone_is_stopped_nothing_is_settled() {
    let world = Arc::new(World::default());
    world.add(0, "due", Ok(2));
    let (switch, firing) = watch::channel(Arc::new(FiringStop::new(true, [])));
    let mut audit = audit(&world, firing);
    assert!(audit.round(0).await.unwrap().is_nothing());
    assert!(!world.is_settled("due"));
    switch.send_replace(Arc::default());
    assert_eq!(audit.round(0).await.unwrap().settled, 1);
}

#[tokio::test]
async fn a_process_that_was_taken_for_dead_and_goes_on_is_looked_after_again() {
    let world = Arc::new(World::default());
    let mut audit = audit(&world, never_stopped());
    assert!(audit.round(0).await.unwrap().is_nothing(), "it has left nothing");
    world.left.lock().unwrap().insert(1, TaskId::parse("late").unwrap());
    assert_eq!(audit.round(0).await.unwrap().republished, 1);
    assert_eq!(world.noted(FindingKind::Republished), ["late"]);
    assert!(audit.round(0).await.unwrap().is_nothing());
}

#[tokio::test]
async fn who_else_keeps_something_in_the_scheduler_is_told_when_it_has_lost_its_data() {
    let world = Arc::new(World::default());
    let mut audit = audit(&world, never_stopped());
    let lost = Arc::clone(&audit.signals.scheduler_lost);
    let mut told = pin!(lost.notified());
    audit.round(0).await.unwrap();
    assert!(told.as_mut().now_or_never().is_none(), "nothing was lost");
    world.scheduler_lost.store(true, Ordering::Relaxed);
    assert!(audit.round(0).await.unwrap().scheduler_lost);
    assert!(told.now_or_never().is_some());
    assert!(!audit.round(0).await.unwrap().scheduler_lost, "a canary is there again");
}
