//! Many calls by callers that work side by side, and callers that are lent to one call at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::api::{Address, Caller, Reply};

/// Callers that look at tasks, or repeat commands, at the same time.
pub(super) const CALLERS: usize = 32;

/// How long a call is repeated while it is not answered, and the pause before each repetition.
const REPEAT_FOR: Duration = Duration::from_secs(90);
const REPEAT_AFTER: Duration = Duration::from_millis(500);

/// One call to be made.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The number of the task.
    pub(super) number: usize,
    pub(super) task: String,
    pub(super) method: &'static str,
    pub(super) body: Value,
}

/// Makes the calls, [`CALLERS`] at a time, and tells what came back, in no order.
pub(super) async fn all(
    address: &Address,
    calls: Vec<Call>,
) -> Result<Vec<(usize, Result<Reply>)>> {
    let calls = Arc::new(Mutex::new(calls));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (address, calls) = (address.clone(), Arc::clone(&calls));
        callers.spawn(async move {
            let mut caller = address.connect().await?;
            let mut replies = Vec::new();
            loop {
                let next = calls.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(Call { number, task, method, body }) = next else { break };
                let reply = caller.call(&task, method, &body).await;
                if reply.is_err() {
                    caller = address.connect().await?;
                }
                replies.push((number, reply));
            }
            Ok::<_, anyhow::Error>(replies)
        });
    }
    let mut replies = Vec::new();
    while let Some(done) = callers.join_next().await {
        replies.append(&mut done??);
    }
    Ok(replies)
}

/// Makes a call again and again until it is answered, as a careful client does.
pub(super) async fn until_answered(address: &Address, call: &Call) -> Result<Value> {
    let give_up = Instant::now() + REPEAT_FOR;
    loop {
        let reply = match address.connect().await {
            Ok(mut caller) => caller.call(&call.task, call.method, &call.body).await,
            Err(error) => Err(error),
        };
        let why = match reply.map(|reply| reply.outcome) {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(problem)) => anyhow::anyhow!("{} {}", problem.status, problem.detail),
            Err(error) => error,
        };
        if Instant::now() >= give_up {
            return Err(why).with_context(|| format!("{} stays unanswered", call.task));
        }
        sleep(REPEAT_AFTER).await;
    }
}

/// Callers that are lent. Their connections are kept, as a client's are.
#[derive(Clone)]
pub(super) struct Pool {
    address: Address,
    idle: Arc<Mutex<Vec<Caller>>>,
}

impl Pool {
    pub(super) fn new(address: Address) -> Self {
        Self { address, idle: Arc::default() }
    }

    /// Makes one call. A caller whose call failed may still wait for its reply, and is dropped.
    pub(super) async fn call(&self, call: &Call) -> Result<Reply> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut caller = match idle {
            Some(caller) => caller,
            None => self.address.connect().await?,
        };
        let reply = caller.call(&call.task, call.method, &call.body).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(caller);
        Ok(reply)
    }
}
