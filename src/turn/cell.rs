//! An actor as this process knows it between its turns.

use super::effect::Known;
use reminder_domain::TaskId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

/// One actor as this process knows it.
#[derive(Debug)]
pub struct Cell {
    pub(super) id: TaskId,
    pub(super) memory: Mutex<Memory>,
    /// Set when the actor may have lived on another host meanwhile.
    pub(super) stale: AtomicBool,
}

/// What is kept between the turns of an actor.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) known: Known,
    /// The place of `known` among those that are kept.
    pub(super) kept: Option<OwnedSemaphorePermit>,
    pub(super) wake_failures: u32,
    /// Whether it is noted that its state cannot be used, so that every call need not note it again.
    pub(super) parked: bool,
}

impl Memory {
    /// Keeps what is known of a state for the next turn, while there is room for it.
    pub(super) fn keep(&mut self, known: Known, room: &Arc<Semaphore>) {
        self.kept = match &known {
            Known::State(_) => {
                self.kept.take().or_else(|| Arc::clone(room).try_acquire_owned().ok())
            }
            Known::Absent | Known::Nothing => None,
        };
        let has_room = self.kept.is_some() || !matches!(known, Known::State(_));
        self.known = if has_room { known } else { Known::Nothing };
    }
}

impl Cell {
    /// An actor of which nothing is known yet.
    pub fn new(id: TaskId) -> Arc<Self> {
        Arc::new(Self { id, memory: Mutex::default(), stale: AtomicBool::new(false) })
    }

    /// Makes the next turn load the state whatever is known of it.
    pub fn forget(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// The task it is.
    pub fn id(&self) -> &TaskId {
        &self.id
    }
}
