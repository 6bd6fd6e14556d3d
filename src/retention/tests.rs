//! Rounds against a world in which everything works but what a test says.

use super::*;
use crate::clock::Clock;
use crate::retention::job::{JOB, Jobs, keep_registered};
use crate::retention::settings::Settings;
use async_trait::async_trait;
use reminder_domain::ids::Person;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// The time is the first hour of 1970.
const NOW_MS: i64 = 3_600_000;
/// What 1,200 tasks take at the rate, but for the first of them.
const AT_THE_RATE: Duration = Duration::from_secs(5);
/// How often the job is to come.
const EVERY: Duration = Duration::from_secs(60);
const RETENTION: Retention = Retention { completed_ms: None, tombstones_ms: Some(1_000) };

#[derive(Default)]
struct World {
    /// What is over, and what its turn answers.
    ended: Mutex<BTreeMap<Ended, Result<bool, CallError>>>,
    holder: Mutex<Option<u64>>,
    births: Mutex<u32>,
    asked: Mutex<Vec<TaskId>>,
}

struct Then;

impl Clock for Then {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW_MS)
    }
}

#[async_trait]
impl Purges for World {
    async fn hold(&self, epoch: u64, _: Duration) -> Result<bool, QueryError> {
        Ok(*self.holder.lock().unwrap().get_or_insert(epoch) == epoch)
    }
    async fn raise_births(&self, _: u64) -> Result<bool, QueryError> {
        *self.births.lock().unwrap() += 1;
        Ok(true)
    }
    async fn ended(
        &self,
        over: Over,
        before: Timestamp,
        after: Option<&Ended>,
        limit: i64,
    ) -> Result<Vec<Ended>, QueryError> {
        assert_eq!((over, before.as_millis()), (Over::Tombstone, NOW_MS - 1_000));
        let ended = self.ended.lock().unwrap();
        let left = ended.keys().filter(|ended| after.is_none_or(|after| *ended > after));
        let left = left.filter(|ended| ended.at < before);
        Ok(left.take(usize::try_from(limit).unwrap()).cloned().collect())
    }
    async fn finished(&self, _: u64) -> Result<(), QueryError> {
        *self.holder.lock().unwrap() = None;
        Ok(())
    }
    async fn last_finished(&self) -> Result<Option<Timestamp>, QueryError> {
        Ok(None)
    }
}

#[async_trait]
impl Actors for World {
    async fn settle(&self, _: &TaskId, _: u64) -> Result<u64, CallError> {
        Ok(1)
    }
    async fn erase(&self, _: &TaskId, _: &Person) -> Result<u64, CallError> {
        Ok(1)
    }
    async fn refresh(&self, _: &TaskId) -> Result<(), CallError> {
        Ok(())
    }
    async fn purge(&self, id: &TaskId, retention: Retention) -> Result<bool, CallError> {
        assert_eq!(retention, RETENTION);
        assert!(*self.births.lock().unwrap() > 0, "nothing goes before the births are raised");
        self.asked.lock().unwrap().push(id.clone());
        let mut ended = self.ended.lock().unwrap();
        let (key, answer) = ended.iter().find(|(ended, _)| ended.task == id.as_str()).unwrap();
        let (key, answer) = (key.clone(), answer.clone());
        if answer == Ok(true) {
            ended.remove(&key);
        }
        answer
    }
}

impl World {
    fn with(tasks: impl IntoIterator<Item = (i64, String, Result<bool, CallError>)>) -> Arc<Self> {
        let world = Self::default();
        for (ms, task, answer) in tasks {
            let ended = Ended { at: Timestamp::from_millis(ms), task };
            world.ended.lock().unwrap().insert(ended, answer);
        }
        Arc::new(world)
    }

    fn purge(self: &Arc<Self>, epoch: u64) -> Purge<Self> {
        Purge::new(Arc::clone(self), Arc::new(Then), Arc::clone(self) as _, epoch, RETENTION)
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_looks_at_everything_that_is_old_enough_and_goes_past_what_stays() {
    let all = (0..1_200).map(|n| (n, format!("t{n}"), Ok(n % 100 != 0)));
    let young = [(NOW_MS - 999, "young".to_owned(), Ok(true))];
    let world = World::with(all.chain(young));
    let began = Instant::now();
    let round = world.purge(1).round(&|_| {}).await.unwrap();
    let purged = Purged { tombstones: 1_188, completed: 0, kept: 12, failed: 0 };
    assert_eq!(round, Round::Done(purged));
    assert_eq!(*world.births.lock().unwrap(), 1, "raised once");
    assert_eq!(world.ended.lock().unwrap().len(), 13);
    assert!(began.elapsed() >= AT_THE_RATE, "no faster than the rate allows");
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_old_enough_nothing_is_raised() {
    let world = World::with([(NOW_MS, "young".to_owned(), Ok(true))]);
    assert_eq!(world.purge(1).round(&|_| {}).await.unwrap(), Round::Done(Purged::default()));
    assert_eq!(*world.births.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_round_at_a_time_and_the_next_goes_on() {
    let failing = (0..600).map(|n| (n, format!("t{n}"), Err(CallError("away".into()))));
    let world = World::with(failing);
    let error = world.purge(1).round(&|_| {}).await.unwrap_err();
    assert!(matches!(error, RoundError::Call(_)), "{error}");
    assert!(world.asked.lock().unwrap().len() < 100, "the rest is left alone");
    // The first one died without giving its right back.
    assert_eq!(world.purge(2).round(&|_| {}).await.unwrap(), Round::Left);
    *world.holder.lock().unwrap() = None;
    for answer in world.ended.lock().unwrap().values_mut() {
        *answer = Ok(true);
    }
    let purged = Purged { tombstones: 600, ..Purged::default() };
    assert_eq!(world.purge(2).round(&|_| {}).await.unwrap(), Round::Done(purged));
}

/// Dapr's scheduler, as far as the one job goes.
struct Scheduler(watch::Sender<Option<String>>);

#[async_trait]
impl Jobs for Scheduler {
    async fn schedule_of(&self, job: &'static str) -> Result<Option<String>, CallError> {
        assert_eq!(job, JOB);
        Ok(self.0.borrow().clone())
    }
    async fn schedule(&self, _: &'static str, schedule: String) -> Result<(), CallError> {
        self.0.send_replace(Some(schedule));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_job_is_there_again_as_soon_as_the_scheduler_is_found_to_have_lost_it() {
    let (jobs, mut job) = watch::channel(None);
    let jobs = Arc::new(Scheduler(jobs));
    let lost = Arc::new(Notify::new());
    let settings = Settings { retention: RETENTION, history_ms: None, every: EVERY };
    let world = World::with([]);
    let keeping = keep_registered(jobs.clone(), world, Arc::new(Then), settings, lost.clone());
    tokio::spawn(keeping);
    job.wait_for(Option::is_some).await.unwrap();
    let began = Instant::now();
    jobs.0.send_replace(None);
    lost.notify_one();
    job.wait_for(|job| job.as_deref() == Some("@every 60s")).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "it does not wait for the next look");
    jobs.0.send_replace(None);
    job.wait_for(Option::is_some).await.unwrap();
    assert!(began.elapsed() > Duration::ZERO, "it looks by itself as well");
}
