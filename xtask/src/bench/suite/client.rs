//! The one client of floor and service: the same code makes the calls to both, over HTTP or gRPC,
//! in a closed loop for throughput and in an open one for latency at a rate.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reminder_contract::Problem;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::api::{Address, Caller};
use crate::bench::offer::come_again;
use crate::bench::samples::Samples;
use crate::bench::sidecar::Grpc;

/// Callers that share one HTTP/2 connection, which would be the limit otherwise.
const CALLERS_PER_CHANNEL: usize = 32;

/// Calls of an open loop that may be under way; beyond it the run says so and counts for nothing.
const OUTSTANDING_MAX: usize = 4_000;

/// How long a call of an open loop is repeated that is refused since too many wait.
const REPEATED_FOR: Duration = Duration::from_secs(60);

/// How the sidecar is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::bench) enum Protocol {
    Http,
    Grpc,
}

/// A sidecar.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Target {
    pub(in crate::bench) address: Address,
    pub(in crate::bench) grpc_port: u16,
}

/// What one caller calls through.
pub(in crate::bench) enum Line {
    Http(Caller),
    Grpc(Grpc),
}

impl Target {
    pub(in crate::bench) async fn line(&self, protocol: Protocol) -> Result<Line> {
        Ok(match protocol {
            Protocol::Http => Line::Http(self.address.connect().await?),
            Protocol::Grpc => Line::Grpc(Grpc::at(self.grpc_port)?),
        })
    }

    async fn lines(&self, protocol: Protocol, count: usize) -> Result<Vec<Line>> {
        let mut lines: Vec<Line> = Vec::new();
        for number in 0..count {
            let shared = match lines.last() {
                Some(Line::Grpc(last)) if number % CALLERS_PER_CHANNEL != 0 => Some(last.clone()),
                _ => None,
            };
            lines.push(match shared {
                Some(shared) => Line::Grpc(shared),
                None => self.line(protocol).await?,
            });
        }
        Ok(lines)
    }
}

impl Line {
    /// Calls an actor. A refusal is an error with a [`Problem`] in it: but for [`insist`], nothing is refused
    /// that the benchmark asks for.
    pub(in crate::bench) async fn call(
        &mut self,
        actor_type: &str,
        id: &str,
        method: &str,
        body: &Value,
    ) -> Result<Value> {
        match self {
            Self::Http(caller) => {
                let reply = caller.invoke(actor_type, id, method, body).await?;
                reply.outcome.with_context(|| id.to_owned())
            }
            Self::Grpc(grpc) => {
                let data = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
                let answer = grpc.call(actor_type, id, method, data).await?;
                let answer: Value = serde_json::from_slice(&answer)?;
                // A refusal arrives as data, with the status in it as a number.
                if !answer["status"].is_u64() {
                    return Ok(answer);
                }
                Err(serde_json::from_value::<Problem>(answer)?).with_context(|| id.to_owned())
            }
        }
    }
}

/// One call to be made.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Job {
    pub(in crate::bench) actor_type: &'static str,
    pub(in crate::bench) id: String,
    pub(in crate::bench) method: &'static str,
    pub(in crate::bench) body: Value,
}

/// What came of a loop.
#[derive(Debug, Default)]
pub(in crate::bench) struct Done {
    /// Calls that were answered: those of the first so many numbers.
    pub(in crate::bench) count: usize,
    pub(in crate::bench) took: Duration,
    pub(in crate::bench) samples: Samples,
    /// How often a call was refused since too many wait, and was made again when the service said.
    pub(in crate::bench) repeated: usize,
    pub(in crate::bench) errors: Vec<String>,
}

impl Done {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
    pub(in crate::bench) fn per_second(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }
}

/// Where a closed loop ends, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Bound {
    pub(in crate::bench) count: usize,
    pub(in crate::bench) within: Duration,
}

/// So many callers, each with one call after the other.
pub(in crate::bench) async fn closed(
    target: &Target,
    protocol: Protocol,
    concurrency: usize,
    bound: Bound,
    make: impl Fn(usize) -> Job + Clone + Send + 'static,
) -> Result<Done> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    // Connections are made before the clock starts.
    let lines = target.lines(protocol, concurrency).await?;
    let began = Instant::now();
    let until = began + bound.within;
    for mut line in lines {
        let (next, make) = (Arc::clone(&next), make.clone());
        callers.spawn(async move {
            let mut done = Done::default();
            while Instant::now() < until {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= bound.count {
                    break;
                }
                let job = make(number);
                let sent = Instant::now();
                match line.call(job.actor_type, &job.id, job.method, &job.body).await {
                    Ok(_) => {
                        done.count += 1;
                        done.samples.add(sent.elapsed());
                    }
                    Err(error) => done.errors.push(format!("{error:#}")),
                }
            }
            done
        });
    }
    gather(&mut callers, began).await
}

/// Calls at fixed times, whether or not earlier ones are answered; each is measured from the moment at
/// which it was to be made, so that a stall counts for all that had to wait.
pub(in crate::bench) async fn open(
    target: &Target,
    protocol: Protocol,
    rate: f64,
    count: usize,
    make: impl Fn(usize) -> Job,
) -> Result<Done> {
    let idle = Arc::new(Mutex::new(target.lines(protocol, CALLERS_PER_CHANNEL).await?));
    let places = Arc::new(Semaphore::new(OUTSTANDING_MAX));
    let mut callers = JoinSet::new();
    let began = Instant::now();
    for number in 0..count {
        let intended = began + after(number, rate);
        sleep_until(intended).await;
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            bail!("more than {OUTSTANDING_MAX} calls are under way: {rate:.0}/s is too much");
        };
        let (idle, job, target) = (Arc::clone(&idle), make(number), target.clone());
        callers.spawn(async move {
            let mut done = Done::default();
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let line = match free {
                Some(line) => Ok(line),
                None => target.line(protocol).await,
            };
            let called = match line {
                Ok(mut line) => {
                    let called = insist(&mut line, &job, &mut done.repeated).await;
                    idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                    called
                }
                Err(error) => Err(error),
            };
            match called {
                Ok(_) => {
                    done.count = 1;
                    done.samples.add(intended.elapsed());
                }
                Err(error) => done.errors.push(format!("{error:#}")),
            }
            drop(place);
            done
        });
    }
    gather(&mut callers, began).await
}

/// Calls, and comes again when it is refused since too many wait, as a caller does; the wait counts.
async fn insist(line: &mut Line, job: &Job, repeated: &mut usize) -> Result<Value> {
    let give_up = Instant::now() + REPEATED_FOR;
    loop {
        let called = line.call(job.actor_type, &job.id, job.method, &job.body).await;
        let problem = called.as_ref().err().and_then(|error| error.downcast_ref());
        match problem.and_then(come_again) {
            Some(pause) if Instant::now() + pause < give_up => {
                *repeated += 1;
                sleep(pause).await;
            }
            _ => return called,
        }
    }
}

/// When the call of that number is to be made.
#[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
fn after(number: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

async fn gather(callers: &mut JoinSet<Done>, began: Instant) -> Result<Done> {
    let mut all = Done::default();
    while let Some(done) = callers.join_next().await {
        let mut done = done?;
        all.count += done.count;
        all.repeated += done.repeated;
        all.samples.append(&mut done.samples);
        all.errors.append(&mut done.errors);
    }
    all.took = began.elapsed();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_keeps_to_its_times() {
        assert_eq!(after(0, 250.0), Duration::ZERO);
        assert_eq!(after(500, 250.0), Duration::from_secs(2));
    }

    #[test]
    fn a_rate_is_what_was_answered() {
        let done = Done { count: 50, took: Duration::from_millis(500), ..Done::default() };
        assert!((done.per_second() - 100.0).abs() < 1e-9);
    }
}
