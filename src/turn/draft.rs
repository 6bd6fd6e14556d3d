//! From a decision to the state that is written: which events stay pending, and under which stamp.

use crate::planted::{self, Bug};
use reminder_domain::event::Event;
use reminder_domain::ids::Traceparent;
use reminder_domain::state::{PendingCommit, Snapshot, Stamp};
use reminder_domain::{Change, Origin, TaskState, Timestamp};
use std::collections::BTreeMap;

/// What the process knows of its own stamps; the outbox.
pub trait Ledger {
    /// Names this run of the process.
    fn epoch(&self) -> u64;
    /// Where a stamp of this epoch stands.
    fn standing(&self, n: u64) -> Standing;
    /// Takes the next stamp; until it is enqueued or released, the watermark stays below it.
    fn reserve(&mut self) -> Stamp;
    /// Gives back a stamp that no state carries, nor ever will.
    fn release(&mut self, stamp: Stamp);
    /// Whether so many events wait for the broker that no more may be taken on.
    fn is_full(&self) -> bool;
    /// The incarnation that everything goes on in since a backup was last restored.
    fn incarnation(&self) -> u32;
    /// The incarnation in which a task begins that is not stored.
    fn births(&self) -> u32;
    /// Takes note that tasks are born in this incarnation, or a later one.
    fn raise_births(&mut self, births: u32);
}

/// Where a stamp stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Taken, but its events were not handed over.
    Reserved,
    /// Its events are on their way to the broker.
    Queued,
    /// The broker has its events.
    Published,
}

/// The pending commits of a loaded state, sorted by what is to be done with them.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Still on their way from this process.
    pub(super) queued: Vec<PendingCommit>,
    /// Left behind by another process, or by a commit of this one that was never confirmed: they
    /// must be stamped and published anew.
    pub(super) orphaned: Vec<PendingCommit>,
}

impl Pending {
    /// How many commits wait for the broker.
    pub(super) fn len(&self) -> usize {
        self.queued.len() + self.orphaned.len()
    }
}

/// An epoch whose watermark must be known before the pending commits can be sorted.
pub(super) fn unknown_epoch(
    state: &TaskState,
    own: u64,
    watermarks: &BTreeMap<u64, u64>,
) -> Option<u64> {
    let epochs = state.pending.iter().map(|commit| commit.stamp.epoch);
    epochs.filter(|epoch| *epoch != own).find(|epoch| !watermarks.contains_key(epoch))
}

/// Sorts the pending commits of a state; published ones are dropped.
pub(super) fn sort_pending(
    state: &TaskState,
    ledger: &dyn Ledger,
    watermarks: &BTreeMap<u64, u64>,
) -> Pending {
    let mut pending = Pending::default();
    for commit in &state.pending {
        let Stamp { epoch, n } = commit.stamp;
        let standing = if epoch == ledger.epoch() {
            ledger.standing(n)
        } else if planted::is(Bug::OrphansTakenForPublished)
            || n <= watermarks.get(&epoch).copied().unwrap_or(0)
        {
            Standing::Published
        } else {
            Standing::Reserved
        };
        // A commit without a snapshot tells of the task as it is beside it; the next state will
        // have another one.
        let kept = || PendingCommit {
            snapshot: commit.snapshot.clone().or_else(|| {
                let told = state.snapshot().filter(|_| !planted::is(Bug::SnapshotNotKept));
                told.map(Box::new)
            }),
            ..commit.clone()
        };
        match standing {
            Standing::Published => {}
            Standing::Queued => pending.queued.push(kept()),
            Standing::Reserved => pending.orphaned.push(kept()),
        }
    }
    pending
}

/// A state to write, and which of its pending commits must be handed over once it is written.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) state: TaskState,
    pub(super) handovers: std::ops::Range<usize>,
}

/// Puts the pending commits into the next state: those on their way as they are, orphans under new
/// stamps, then the new one. The order of a task's events is the order of this list.
///
/// Orphans follow queued commits in time: a process queues only what it committed, and whatever it
/// committed after adopting orphans was adopted and queued with them.
pub(super) fn compose(
    change: Change,
    origin: Origin,
    trace: Option<Traceparent>,
    pending: Pending,
    now: Timestamp,
    mut stamp: impl FnMut() -> Stamp,
) -> Draft {
    let Change { mut state, events, snapshot, .. } = change;
    state.pending = if planted::is(Bug::PendingOverwritten) { Vec::new() } else { pending.queued };
    let first = state.pending.len();
    for orphan in pending.orphaned {
        state.pending.push(PendingCommit { stamp: stamp(), ..orphan });
    }
    if !events.is_empty() {
        let commit = new_commit(stamp(), now, origin, snapshot, events);
        state.pending.push(PendingCommit { trace, ..commit });
    }
    let handovers = first..state.pending.len();
    Draft { state, handovers }
}

fn new_commit(
    stamp: Stamp,
    at: Timestamp,
    origin: Origin,
    snapshot: Option<Snapshot>,
    events: Vec<Event>,
) -> PendingCommit {
    let snapshot = snapshot.map(Box::new);
    PendingCommit { stamp, at, origin, snapshot, incarnation: None, trace: None, events }
}
