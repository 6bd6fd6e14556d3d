//! Does the faults to the stack, and starts again what ends, as Kubernetes would.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Result;
use reminder_stack::{Part, Signal, Stack};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::faults::{Fault, How, Slot};
use super::history::{Hurt, Ms, now};

/// Until a part does its work again; the scheduler waits out a lease of 20 s first, and a sidecar
/// waits for what it needs.
const READY_DEADLINE: Duration = Duration::from_secs(180);

/// One look whether it does, so that one that has ended meanwhile is noticed.
const READY_LOOK: Duration = Duration::from_secs(5);

/// Between two looks, and between two looks of the supervisor.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The stack, and which of its parts are meant to be away.
pub(super) struct Hurter {
    stack: Stack,
    replicas: u32,
    /// Held while a part is started, so that two do not start the same one.
    away: Mutex<BTreeSet<Part>>,
    /// Parts that ended by themselves, and when.
    ended: std::sync::Mutex<Vec<(Ms, Part)>>,
}

impl Hurter {
    pub(super) fn new(stack: Stack, replicas: u32) -> Arc<Self> {
        // Every stop would be told in the middle of our own lines.
        let stack = stack.with_progress(reminder_stack::silent());
        let (away, ended) = (Mutex::default(), std::sync::Mutex::default());
        Arc::new(Self { stack, replicas, away, ended })
    }

    /// Parts that ended by themselves, and when.
    pub(super) fn ended(&self) -> Vec<(Ms, Part)> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts whatever ends without being meant to, until it is aborted.
    pub(super) async fn supervise(&self) {
        loop {
            sleep(LOOK_EVERY).await;
            let Ok(manifest) = self.stack.manifest() else { continue };
            let away = self.away.lock().await;
            for part in manifest.parts() {
                if manifest.alive(part).is_some() || away.contains(&part) {
                    continue;
                }
                self.note_end(part);
                // One that does not start is looked at again.
                self.stack.start(part).await.ok();
            }
        }
    }

    fn note_end(&self, part: Part) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push((now(), part));
    }

    /// Does the faults of a slot, and waits until their parts do their work again. `tell` is called
    /// as each begins.
    pub(super) async fn slot(
        self: &Arc<Self>,
        number: usize,
        slot: &Slot,
        tell: impl Fn(&Fault) + Clone + Send + 'static,
    ) -> Result<Vec<Hurt>> {
        let mut faults = JoinSet::new();
        for fault in slot.faults.clone() {
            let (hurter, tell) = (Arc::clone(self), tell.clone());
            faults.spawn(async move {
                sleep(fault.later).await;
                tell(&fault);
                hurter.fault(number, &fault).await
            });
        }
        let mut hurts = Vec::new();
        while let Some(done) = faults.join_next().await {
            hurts.push(done??);
        }
        hurts.sort_by_key(|hurt| hurt.began);
        Ok(hurts)
    }

    async fn fault(&self, slot: usize, fault: &Fault) -> Result<Hurt> {
        let began = now();
        let parts = fault.parts(self.replicas);
        match fault.kind.0 {
            How::Stall => {
                self.signal(&parts, Signal::Stop).await;
                sleep(fault.away).await;
                self.signal(&parts, Signal::Cont).await;
            }
            How::Kill | How::Wipe => {
                self.away.lock().await.extend(&parts);
                self.signal(&parts, Signal::Kill).await;
                if fault.kind.0 == How::Wipe {
                    parts.iter().try_for_each(|part| self.stack.wipe(*part))?;
                }
                sleep(fault.away).await;
                self.bring_back(&parts).await?;
            }
            How::Restart => self.restart(&parts).await?,
            How::Rollout => {
                for replica in 1..=self.replicas {
                    let parts = [Part::Sidecar(replica), Part::App(replica)];
                    self.restart(&parts).await?;
                    // As a rollout waits for one pod before it goes on to the next.
                    self.until_ready(&parts).await;
                }
            }
        }
        let back = now();
        let ready = self.until_ready(&parts).await;
        Ok(Hurt { label: fault.to_string(), name: fault.name(), slot, began, back, ready })
    }

    /// One that has ended by itself meanwhile is hurt enough.
    async fn signal(&self, parts: &[Part], signal: Signal) {
        for part in parts {
            self.stack.kill(*part, signal).await.ok();
        }
    }

    /// The service first: it drains through its sidecar.
    async fn restart(&self, parts: &[Part]) -> Result<()> {
        self.away.lock().await.extend(parts);
        for part in parts.iter().rev() {
            self.stack.stop(*part).await?;
        }
        self.bring_back(parts).await
    }

    async fn bring_back(&self, parts: &[Part]) -> Result<()> {
        let mut away = self.away.lock().await;
        for part in parts {
            away.remove(part);
            if self.stack.manifest()?.alive(*part).is_none() {
                self.stack.start(*part).await?;
            }
        }
        Ok(())
    }

    /// When all of them do their work; `None` if not within the deadline.
    async fn until_ready(&self, parts: &[Part]) -> Option<Ms> {
        let deadline = Instant::now() + READY_DEADLINE;
        for part in parts {
            while self.stack.wait_ready_within(*part, READY_LOOK).await.is_err() {
                if Instant::now() >= deadline {
                    return None;
                }
                sleep(LOOK_EVERY).await;
            }
        }
        Some(now())
    }
}
