//! An open loop: commands that are sent at fixed times, whether or not earlier ones are answered, and
//! what became of each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use reminder_contract::{Problem, ProblemKind};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::calls::{Call, Pool};
use super::samples::Samples;
use crate::api::Reply;

/// Calls that may be under way at the same time. The service lets 64 commands run and 512 wait, so this
/// is not the limit; should it be met all the same, what was held back is told.
const OUTSTANDING_MAX: usize = 7_000;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was done.
    Answered,
    /// It was not done, clearly: the caller is told when to come again.
    Refused,
    /// Nobody can tell: no answer in time, or none that says.
    Unknown(String),
    /// It was answered as it must not be.
    Wrong(String),
}

/// Tells them apart.
pub(super) fn fate(reply: &Result<Reply>) -> Fate {
    let problem = match reply.as_ref().map(|reply| &reply.outcome) {
        Ok(Ok(_)) => return Fate::Answered,
        Ok(Err(problem)) => problem,
        Err(error) => return Fate::Unknown(format!("{error:#}")),
    };
    match problem.kind() {
        _ if come_again(problem).is_some() => Fate::Refused,
        Some(ProblemKind::Unavailable) if problem.retry_after_seconds.is_some() => {
            Fate::Unknown(problem.detail.clone())
        }
        _ => Fate::Wrong(format!("{} {}", problem.status, problem.detail)),
    }
}

/// After how long to come again, when what was refused was refused for the crowd: it was not done.
pub(super) fn come_again(problem: &Problem) -> Option<Duration> {
    let seconds = problem.retry_after_seconds?;
    let crowded = problem.kind() == Some(ProblemKind::Overloaded);
    crowded.then(|| Duration::from_secs(seconds.into()))
}

/// One command that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) call: Call,
    pub(super) fate: Fate,
    /// From the moment it was to be sent, whether or not we were late: what a user waits for.
    pub(super) took: Duration,
}

/// What was sent in an open loop.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub(super) sent: Vec<Sent>,
    /// Commands that were due and not sent, since too many were under way.
    pub(super) held_back: usize,
    /// The most that were under way at the same time.
    pub(super) outstanding: usize,
}

impl Offered {
    /// How long those of one fate took.
    pub(super) fn samples(&self, wanted: impl Fn(&Fate) -> bool) -> Samples {
        let mut samples = Samples::default();
        self.sent.iter().filter(|sent| wanted(&sent.fate)).for_each(|sent| samples.add(sent.took));
        samples
    }

    pub(super) fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.sent.iter().filter(|sent| wanted(&sent.fate)).count()
    }
}

/// Sends a command at each interval until `stop`, then waits for what is under way.
pub(super) async fn offer(
    pool: Pool,
    every: Duration,
    make: impl Fn(usize) -> Call,
    stop: impl Future<Output = ()>,
) -> Result<Offered> {
    let places = Arc::new(Semaphore::new(OUTSTANDING_MAX));
    let mut timer = interval(every);
    // What is late is sent at once: the times stay as they were planned.
    timer.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut under_way, mut offered) = (JoinSet::new(), Offered::default());
    let mut number = 0;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(sent) = under_way.join_next() => offered.sent.push(sent?),
            intended = timer.tick() => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    offered.held_back += 1;
                    continue;
                };
                offered.outstanding =
                    offered.outstanding.max(OUTSTANDING_MAX - places.available_permits());
                let (pool, call) = (pool.clone(), make(number));
                number += 1;
                under_way.spawn(async move {
                    let reply = pool.call(&call).await;
                    drop(place);
                    Sent { call, fate: fate(&reply), took: intended.elapsed() }
                });
            }
        }
    }
    while let Some(sent) = under_way.join_next().await {
        offered.sent.push(sent?);
    }
    Ok(offered)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(kind: ProblemKind) -> Fate {
        fate(&Ok(Reply { took: Duration::ZERO, outcome: Err(Problem::new(kind, "why")) }))
    }

    #[test]
    fn refusals_doubts_and_mistakes_are_told_apart() {
        let answered = Ok(Reply { took: Duration::ZERO, outcome: Ok(json!({})) });
        assert_eq!(fate(&answered), Fate::Answered);
        assert_eq!(refused(ProblemKind::Overloaded), Fate::Refused);
        assert_eq!(refused(ProblemKind::Unavailable), Fate::Unknown("why".into()));
        assert_eq!(fate(&Err(anyhow::anyhow!("none"))), Fate::Unknown("none".into()));
        let wrong = refused(ProblemKind::InvalidInput);
        assert_eq!(wrong, Fate::Wrong("422 why".into()));
    }

    #[test]
    fn only_who_is_refused_for_the_crowd_comes_again_and_when_he_is_told_to() {
        let again = |kind| come_again(&Problem::new(kind, "why"));
        assert_eq!(again(ProblemKind::Overloaded), Some(Duration::from_secs(5)));
        assert_eq!(again(ProblemKind::Unavailable), None, "it may have been done");
    }

    #[test]
    fn a_refusal_that_does_not_say_when_to_come_again_is_a_mistake() {
        let problem = r#"{"type":"https://reminder-scheduler.dev/problems/overloaded",
                          "title":"t","status":503,"detail":"why"}"#;
        let problem: Problem = serde_json::from_str(problem).unwrap();
        let reply = Ok(Reply { took: Duration::ZERO, outcome: Err(problem) });
        assert_eq!(fate(&reply), Fate::Wrong("503 why".into()));
    }
}
