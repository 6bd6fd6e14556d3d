//! Pages of tasks that are called, so many in a second, for as long as this replica holds the lease of the audit.
//!
//! What is to be called, rows say; so a page that is cut short, by calls that fail or with the process, is found
//! again by whoever has the lease next.

use super::calls::each;
use super::settings::{CONCURRENCY, FAILURES_MAX, LEASE};
use crate::ports::CallError;
use crate::read_model::{QueryError, TaskIndex};
use reminder_domain::TaskId;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// What the rate counts tasks in.
const RATE_UNIT: Duration = Duration::from_secs(1);

/// Why a round of the audit, or a pass over pages, ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("the lease went to another replica")]
    LeaseLost,
}

/// The first failure of calls: what comes after it has its turn all the same, and then it is told.
#[derive(Debug, Default)]
pub(crate) struct FirstFailure(Option<CallError>);

impl FirstFailure {
    /// Puts off failed calls. Any other error ends everything at once: nothing goes without the database,
    /// and without the lease it is the turn of somebody else.
    pub(crate) fn put_off(&mut self, ended: Result<(), PassError>) -> Result<(), PassError> {
        match ended {
            Err(PassError::Call(error)) => {
                self.0.get_or_insert(error);
                Ok(())
            }
            ended => ended,
        }
    }

    /// Tells what was put off.
    pub(crate) fn tell(self) -> Result<(), PassError> {
        self.0.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Calls tasks on behalf of one replica.
pub(crate) struct Paced {
    model: Arc<dyn TaskIndex>,
    epoch: u64,
    /// Tasks that may be called between two ticks of the pace.
    burst: usize,
    pace: Interval,
}

/// What is left of a page.
pub(crate) struct Page {
    left: Vec<TaskId>,
    failed: usize,
}

impl Paced {
    /// At most so many calls in a second, for the process run `epoch`.
    pub(crate) fn new(model: Arc<dyn TaskIndex>, epoch: u64, per_second: usize) -> Self {
        let (burst, every) = pace(per_second);
        let mut pace = tokio::time::interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { model, epoch, burst, pace }
    }

    /// Whether this replica holds the lease, or has just got it.
    pub(crate) async fn holds_lease(&self) -> Result<bool, QueryError> {
        Ok(self.model.lease(self.epoch, LEASE).await?.is_some())
    }

    /// Begins a page. The heartbeat of the audit keeps the lease meanwhile; should it have gone all the same, two
    /// replicas call some tasks twice, which changes nothing.
    pub(crate) async fn page(&self, mut tasks: Vec<TaskId>) -> Result<Page, PassError> {
        if !self.holds_lease().await? {
            return Err(PassError::LeaseLost);
        }
        tasks.reverse();
        Ok(Page { left: tasks, failed: 0 })
    }

    /// Calls the next tasks of a page, in its order, once it is time; `None`: it is done.
    pub(crate) async fn burst<T, F>(
        &mut self,
        page: &mut Page,
        call: impl Fn(TaskId) -> F,
    ) -> Option<Vec<Result<T, CallError>>>
    where
        F: Future<Output = Result<T, CallError>> + Send + 'static,
        T: Send + 'static,
    {
        if page.left.is_empty() {
            return None;
        }
        self.pace.tick().await;
        let rest = page.left.len().saturating_sub(self.burst);
        let burst: Vec<TaskId> = page.left.drain(rest..).rev().collect();
        Some(each(burst, call).await)
    }
}

impl Page {
    /// How many of its tasks have yet to be called.
    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// Gives the page up once too many of its calls have failed: when placement is dead, every one waits for its
    /// deadline.
    pub(crate) fn judge<T>(&mut self, results: Vec<Result<T, CallError>>) -> Result<(), PassError> {
        let mut errors = results.into_iter().filter_map(Result::err).peekable();
        let first = errors.peek().cloned();
        self.failed += errors.count();
        match first {
            Some(error) if self.failed >= FAILURES_MAX => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// How many tasks may be called at once, and how often, for so many in a second.
pub(crate) fn pace(per_second: usize) -> (usize, Duration) {
    let burst = CONCURRENCY.min(per_second).max(1);
    let seconds = u32::try_from(burst).unwrap_or(u32::MAX);
    let per_second = u32::try_from(per_second).unwrap_or(u32::MAX).max(1);
    (burst, RATE_UNIT * seconds / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_keeps_the_rate() {
        for rate in [1_u32, 3, 15, 16, 17, 200, 1_000, 100_000] {
            let (burst, every) = pace(rate as usize);
            let per_second = f64::from(u32::try_from(burst).unwrap()) / every.as_secs_f64();
            let wanted = f64::from(rate);
            assert!((per_second - wanted).abs() < wanted / 100.0, "{rate}: {per_second}");
            assert!(every <= Duration::from_secs(1) && burst <= CONCURRENCY);
        }
    }

    #[test]
    fn a_page_is_given_up_once_too_many_calls_have_failed() {
        let mut page = Page { left: Vec::new(), failed: 0 };
        let failed = || Err::<(), _>(CallError("no".into()));
        for _ in 1..FAILURES_MAX {
            page.judge(vec![Ok(()), failed(), Ok(())]).unwrap();
        }
        page.judge(vec![Ok(())]).unwrap();
        let ended = page.judge(vec![failed(), Ok(())]);
        assert!(matches!(ended, Err(PassError::Call(_))), "{ended:?}");
    }
}
