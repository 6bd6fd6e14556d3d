//! A careful client: each command is sent again, to one replica or the other, until it is answered.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reminder_contract::Problem;
use reminder_stack::Manifest;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::history::{Ms, now};
use super::random::Random;
use crate::api::{Address, Caller};

/// For one attempt; while placement is away calls hang. What is given up may still take effect.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(8);

/// Pauses between attempts, in milliseconds: the first one, which doubles up to the longest.
const PAUSE_FIRST_MS: i64 = 100;
const PAUSE_MAX_MS: i64 = 2_000;

/// Calls under way at the same time.
const CALLS_MAX: usize = 96;

/// The status of a refusal that passes.
const UNAVAILABLE: u16 = 503;

/// All replicas, as clients see them.
pub(super) struct Client {
    addresses: Vec<Address>,
    /// Connections nobody uses, by replica.
    idle: Vec<Mutex<Vec<Caller>>>,
    calls: Semaphore,
}

/// What became of a call.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) attempts: u32,
    /// How long the last attempt took, in milliseconds.
    pub(super) took: Ms,
    pub(super) answered: Ms,
    pub(super) answer: Result<Value, Problem>,
}

impl Client {
    pub(super) fn of(manifest: &Manifest) -> Result<Self> {
        let numbers = manifest.replicas.keys();
        let addresses: Vec<Address> =
            numbers.map(|number| Address::of_replica(manifest, *number)).collect::<Result<_>>()?;
        let idle = addresses.iter().map(|_| Mutex::default()).collect();
        Ok(Self { addresses, idle, calls: Semaphore::new(CALLS_MAX) })
    }

    /// Calls until there is an answer that does not pass; `None` when time is up first.
    pub(super) async fn call(
        &self,
        task: &str,
        method: &str,
        body: &Value,
        random: &mut Random,
        deadline: Instant,
    ) -> Option<Called> {
        let mut pause = PAUSE_FIRST_MS;
        let mut attempts = 0;
        let start = random.between(0, i64::try_from(self.addresses.len()).unwrap_or(1) - 1);
        let start = usize::try_from(start).unwrap_or(0);
        while Instant::now() < deadline {
            let permit = self.calls.acquire().await.ok()?;
            let replica = (start + attempts as usize) % self.addresses.len();
            attempts += 1;
            let began = now();
            let outcome =
                timeout(ATTEMPT_DEADLINE, self.attempt(replica, task, method, body)).await;
            drop(permit);
            let answered = now();
            if let Ok(Ok(answer)) = outcome
                && !matches!(&answer, Err(problem) if problem.status == UNAVAILABLE)
            {
                return Some(Called { attempts, took: answered - began, answered, answer });
            }
            sleep(random.millis(pause / 2, pause)).await;
            pause = (pause * 2).min(PAUSE_MAX_MS);
        }
        None
    }

    async fn attempt(
        &self,
        replica: usize,
        task: &str,
        method: &str,
        body: &Value,
    ) -> Result<Result<Value, Problem>> {
        let kept = self.idle(replica)?.pop();
        let mut caller = match kept {
            Some(caller) => caller,
            None => self.addresses[replica].connect().await?,
        };
        let reply = caller.call(task, method, body).await?;
        // A connection that had no proper answer is not used again.
        self.idle(replica)?.push(caller);
        Ok(reply.outcome)
    }

    fn idle(&self, replica: usize) -> Result<MutexGuard<'_, Vec<Caller>>> {
        let idle = self.idle.get(replica).context("there is no such replica")?;
        Ok(idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
