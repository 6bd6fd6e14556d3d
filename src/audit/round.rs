//! One round: what is overdue, what was left behind, what must be registered.

use super::calls::each;
use super::paced::{FirstFailure, PassError};
use super::{Audit, measure, settings};
use crate::planted::{self, Bug};
use crate::ports::{CallError, Ports, Registered, ReminderIndex};
use crate::read_model::{FindingKind, Swept, Waking};
use reminder_domain::{TaskId, Timestamp};
use std::collections::HashSet;
use std::sync::Arc;

/// What a round found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Overdue tasks that were settled.
    pub(super) settled: usize,
    /// Tasks whose events a dead process had left.
    pub(super) republished: usize,
    /// Wakes that were registered.
    pub(super) armed: usize,
    /// Whether the scheduler had lost its data.
    pub(super) scheduler_lost: bool,
    /// Tasks that turned out to have a state that cannot be used.
    pub(super) parked: usize,
    /// Parked tasks that can be used again.
    pub(super) unparked: usize,
    /// Calls that failed; the next round tries again.
    pub(super) failed: usize,
}

impl Findings {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl<P: Ports + ReminderIndex> Audit<P> {
    pub(super) async fn round(&mut self, grace_ms: i64) -> Result<Findings, PassError> {
        let mut findings = Findings::default();
        let ended = self.go_round(grace_ms, &mut findings).await;
        // What a round did before it failed counts as well.
        measure::findings(&findings);
        self.keep_noted().await;
        ended.map(|()| findings)
    }

    /// Keeps what was found, for operators. They can do without; a round cannot wait for it twice.
    async fn keep_noted(&mut self) {
        let found = self.noted.take();
        if found.is_empty() {
            return;
        }
        if let Err(error) = self.model.note_findings(&found).await {
            tracing::warn!(%error, "what the audit found is not kept");
        }
    }

    pub(super) async fn go_round(
        &mut self,
        grace_ms: i64,
        findings: &mut Findings,
    ) -> Result<(), PassError> {
        let Some(swept) = self.model.lease(self.epoch, settings::LEASE).await? else {
            self.tried_parked = false;
            return Ok(());
        };
        self.held = true;
        // Tasks whose calls always fail, for the replica that hosts them is sick, must not keep a stage
        // from its turn.
        let mut failure = FirstFailure::default();
        if self.firing.borrow().everyone() {
            // Nobody looks now: what was told last would stand for as long as the stop lasts.
            self.oldest_overdue.set(0.0);
        } else {
            failure.put_off(self.settle_overdue(grace_ms, findings).await)?;
        }
        failure.put_off(self.try_parked(findings).await)?;
        failure.put_off(self.republish(findings).await)?;
        failure.put_off(self.sweep(swept, findings).await)?;
        failure.tell()
    }

    /// Has the events published that dead processes committed and did not publish.
    async fn republish(&mut self, findings: &mut Findings) -> Result<(), PassError> {
        let dead = self.model.dead_epochs(settings::DEAD_AFTER).await?;
        self.watermarks.retain(|epoch, _| dead.contains(epoch));
        self.resume_left.retain(|epoch, _| dead.contains(epoch));
        let mut failure = FirstFailure::default();
        for epoch in dead {
            if epoch == self.epoch || planted::is(Bug::DeadEpochForgotten) {
                continue;
            }
            failure.put_off(self.republish_of(epoch, findings).await)?;
        }
        failure.tell()
    }

    /// Has the events of one dead process published: first what comes after the place where the last
    /// round gave up.
    async fn republish_of(&mut self, epoch: u64, findings: &mut Findings) -> Result<(), PassError> {
        // Most have left nothing, in every round; who was taken for dead may go on all the same, and
        // then die. A watermark only rises, so an old one never hides anything.
        if let Some(known) = self.watermarks.get(&epoch)
            && self.model.left_pending(epoch, *known, 1).await?.is_empty()
        {
            return Ok(());
        }
        let watermark = self.ports.load_watermark(epoch).await?;
        self.watermarks.insert(epoch, watermark);
        let resume = self.resume_left.remove(&epoch);
        if let Some(place) = resume {
            self.republish_stretch(epoch, place.max(watermark), u64::MAX, findings).await?;
        }
        self.republish_stretch(epoch, watermark, resume.unwrap_or(u64::MAX), findings).await
    }

    /// Has published what an epoch stamped after `n`, up to and with `last`.
    async fn republish_stretch(
        &mut self,
        epoch: u64,
        mut n: u64,
        last: u64,
        findings: &mut Findings,
    ) -> Result<(), PassError> {
        loop {
            let mut page = self.model.left_pending(epoch, n, settings::PAGE).await?;
            page.retain(|(_, stamp)| *stamp <= last);
            let Some((_, end)) = page.last() else { return Ok(()) };
            n = *end;
            let (tasks, stamps): (Vec<_>, Vec<_>) = page.into_iter().unzip();
            let settled = self.settle_all(tasks).await?;
            let (failed, ended) = (settled.failed, settled.ended);
            findings.republished += settled.done.len();
            self.count_rest(FindingKind::Republished, settled, findings);
            if failed >= settings::FAILURES_MAX {
                // As with what is overdue: those that ended make way.
                if let Some(place) = stamps.get(ended.saturating_sub(1)) {
                    self.resume_left.insert(epoch, *place);
                }
                return Err(CallError("what was left cannot be published now".into()).into());
            }
        }
    }

    /// Registers the wakes that came within the horizon since the last round; all that are within
    /// it when the scheduler has lost its data.
    async fn sweep(&mut self, swept: Swept, findings: &mut Findings) -> Result<(), PassError> {
        let Swept { until: place, mut canary } = swept;
        let alive = self.ports.canary_is_alive(canary).await?;
        let data_lost = !alive && !planted::is(Bug::CanaryIgnored);
        findings.scheduler_lost = data_lost;
        let edge_begins = |edge: Timestamp| edge.saturating_add_ms(-settings::EDGE_MS);
        let from = if data_lost { Timestamp::from_millis(0) } else { edge_begins(place) };
        let until = self.horizon(self.clock.now());
        if data_lost {
            self.edge.clear();
            self.noted.itself(FindingKind::SchedulerLost);
            // Should this replica die in between, the next one goes on from there.
            canary = self.model.begin_anew(self.epoch).await?.ok_or(PassError::LeaseLost)?;
            // Before anything else is registered: should the data be lost again meanwhile, it is gone
            // with them. An earlier one, whose registration was given up and takes effect only now, has
            // another name.
            self.ports.release_canary(canary).await?;
            self.signals.scheduler_lost.notify_one();
        }
        let mut after = start(from);
        let mut edge = HashSet::new();
        loop {
            let page = self.model.waking(&after, until, settings::PAGE).await?;
            let Some(last) = page.last().cloned() else { break };
            let known = &self.edge;
            let new: Vec<Waking> = page.iter().filter(|w| !known.contains(*w)).cloned().collect();
            let ports = &self.ports;
            let arm = |waking: Waking| {
                let ports = Arc::clone(ports);
                async move { ports.arm_if_absent(&waking.task, waking.at).await }
            };
            let results = each(new, arm).await;
            let count = |wanted| results.iter().filter(|r| r.as_ref() == Ok(&wanted)).count();
            findings.armed += count(Registered::Now);
            let failed = results.iter().filter(|result| result.is_err()).count();
            findings.failed += failed;
            let skips = planted::is(Bug::SweepSkipsFailures);
            if let Some(Err(error)) = results.into_iter().find(|result| result.is_err() && !skips) {
                // The place is not moved past what could not be registered.
                return Err(error.into());
            }
            edge.extend(page.into_iter().filter(|waking| waking.at > edge_begins(until)));
            after = last;
            self.note_swept(Swept { until: after.at, canary }).await?;
        }
        self.note_swept(Swept { until, canary }).await?;
        self.edge = edge;
        Ok(())
    }

    fn horizon(&self, now: Timestamp) -> Timestamp {
        self.settings.horizon_ms.map_or(Timestamp::MAX, |ms| now.saturating_add_ms(ms))
    }

    async fn note_swept(&self, swept: Swept) -> Result<(), PassError> {
        let kept = self.model.swept(self.epoch, swept).await?;
        if kept { Ok(()) } else { Err(PassError::LeaseLost) }
    }
}

/// The place before everything that wakes after `at`.
pub(super) fn start(at: Timestamp) -> Waking {
    let task = TaskId::parse("0").expect("a digit is a valid id");
    Waking { at, task }
}
