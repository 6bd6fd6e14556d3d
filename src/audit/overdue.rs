//! What is overdue is settled, which fires it; what cannot be used is left alone, so that it holds up
//! nobody, and tried again slowly.

use super::calls::each;
use super::paced::PassError;
use super::round::{Findings, start};
use super::{Audit, settings};
use crate::metrics::seconds;
use crate::ports::{CallError, Ports, ReminderIndex};
use crate::read_model::{FindingKind, Waking};
use crate::turn::oversight::alert;
use crate::turn::record::UnreadableState;
use reminder_domain::{TaskId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// What came of settling tasks.
#[derive(Default)]
pub(super) struct Settled {
    /// They are in order.
    pub(super) done: Vec<TaskId>,
    /// Their state turned out to be one that cannot be used.
    pub(super) parked: Vec<TaskId>,
    /// The calls failed.
    pub(super) failed: usize,
    /// How many have ended, about in their order.
    pub(super) ended: usize,
}

impl<P: Ports + ReminderIndex> Audit<P> {
    /// Fires what is overdue, with or without Dapr's scheduler: first what comes after the place where
    /// the last round gave up.
    pub(super) async fn settle_overdue(
        &mut self,
        grace_ms: i64,
        findings: &mut Findings,
    ) -> Result<(), PassError> {
        let until = self.clock.now().saturating_add_ms(-grace_ms);
        let beginning = start(Timestamp::from_millis(0));
        let oldest = self.model.overdue(&beginning, until, 1).await?;
        let late_ms = oldest.first().map_or(0, |waking| self.clock.now().millis_since(waking.at));
        self.oldest_overdue.set(seconds(late_ms));
        let resume = self.resume.take();
        if let Some(place) = resume.clone() {
            self.settle_stretch(place, None, until, findings).await?;
        }
        self.settle_stretch(beginning, resume.as_ref(), until, findings).await
    }

    /// Settles what wakes after `after`, up to and with `last`.
    async fn settle_stretch(
        &mut self,
        mut after: Waking,
        last: Option<&Waking>,
        until: Timestamp,
        findings: &mut Findings,
    ) -> Result<(), PassError> {
        loop {
            let mut page = self.model.overdue(&after, until, settings::PAGE).await?;
            page.retain(|waking| last.is_none_or(|last| waking <= last));
            let Some(end) = page.last().cloned() else { return Ok(()) };
            let tasks = page.iter().map(|waking| waking.task.clone()).collect();
            let settled = self.settle_all(tasks).await?;
            let (failed, ended) = (settled.failed, settled.ended);
            findings.settled += settled.done.len();
            self.count_rest(FindingKind::Settled, settled, findings);
            if failed >= settings::FAILURES_MAX {
                // What was still under way was dropped, so it comes first; those that ended make way.
                self.resume = page.into_iter().nth(ended.saturating_sub(1));
                return Err(CallError("overdue tasks cannot be settled now".into()).into());
            }
            after = end;
        }
    }

    /// Tries parked tasks again: at once when this process has just got the lease, for it may be of a
    /// newer version, then slowly.
    pub(super) async fn try_parked(&mut self, findings: &mut Findings) -> Result<(), PassError> {
        let untried_for = if self.tried_parked { settings::PARKED_RETRY } else { Duration::ZERO };
        let page = self.model.parked(untried_for, settings::PARKED_PAGE).await?;
        self.tried_parked = true;
        for result in settle_each(&self.ports, page).await {
            match result {
                Ok((_, 0)) => {}
                Ok((task, version)) => {
                    self.model.unpark(&task).await?;
                    findings.unparked += 1;
                    tracing::info!(task.id = %task, version, "a parked task can be used again");
                    self.noted.tasks(FindingKind::Unparked, [task]);
                }
                Err(_) => findings.failed += 1,
            }
        }
        Ok(())
    }

    /// Settles tasks. One that the index knows and that has no state is parked here; one whose state
    /// cannot be read, its turn has parked.
    pub(super) async fn settle_all(&self, tasks: Vec<TaskId>) -> Result<Settled, PassError> {
        let results = settle_each(&self.ports, tasks).await;
        let mut settled = Settled { ended: results.len(), ..Settled::default() };
        for result in results {
            match result {
                Ok((task, 0)) => {
                    if self.model.park(&task, &UnreadableState::Missing).await? {
                        alert(&task, &UnreadableState::Missing);
                    }
                    settled.parked.push(task);
                }
                Ok((task, _)) => settled.done.push(task),
                Err(_) => settled.failed += 1,
            }
        }
        Ok(settled)
    }

    /// Notes the tasks that are in order now, for which there is a word of their own, and counts the others.
    pub(super) fn count_rest(
        &mut self,
        done: FindingKind,
        settled: Settled,
        findings: &mut Findings,
    ) {
        findings.parked += settled.parked.len();
        findings.failed += settled.failed;
        self.noted.tasks(done, settled.done);
        self.noted.tasks(FindingKind::Parked, settled.parked);
    }
}

/// A task with its version, or why it was not settled.
type Settling = Result<(TaskId, u64), CallError>;

/// Settles many tasks; answers those that were with their versions.
async fn settle_each<P: Ports>(ports: &Arc<P>, tasks: Vec<TaskId>) -> Vec<Settling> {
    let settle = |task: TaskId| {
        let ports = Arc::clone(ports);
        async move { ports.settle(&task, 0).await.map(|version| (task, version)) }
    };
    each(tasks, settle).await
}
