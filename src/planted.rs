//! Bugs that the simulation plants on purpose, to show that it would find them.
//!
//! Only a build with the feature `planted-bugs` has them; everywhere else [`is`] is `false` at compile
//! time, and nothing is left of them.

use crate::turn::effect::{Handover, Request};
use reminder_domain::TaskState;
#[cfg(feature = "planted-bugs")]
use reminder_domain::state::Lifecycle;
use std::sync::Arc;

/// A bug that somebody might have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "planted-bugs", derive(clap::ValueEnum))]
pub enum Bug {
    /// Events go to the outbox before their commit.
    PublishBeforeCommit,
    /// A command registers an earlier wake after its commit.
    ArmAfterCommit,
    /// The table accepts any version.
    NoFence,
    /// A commit drops what the one before left pending.
    PendingOverwritten,
    /// A lane sends its next event before the last one is acknowledged.
    TwoInFlight,
    /// The watermark is the last number taken, published or not.
    WatermarkTooHigh,
    /// A registration or its removal that was not confirmed is taken for made.
    LateCallForgotten,
    /// An earlier wake that is left to fire, or taken away, stays on record as registered.
    ArmedKept,
    /// A wake that failed counts as done.
    FailedWakeForgotten,
    /// A commit that was not confirmed is taken for refused.
    UnknownTakenForRefused,
    /// What another process left pending is taken for published.
    OrphansTakenForPublished,
    /// Stamps are given back although a stored state carries them.
    StampsReleasedThoughStored,
    /// A wake shortly before the due time fires.
    FiresEarly,
    /// A wake fires what a pause holds back.
    FiresWhilePaused,
    /// Commands are answered from memory, whatever the store says.
    AnsweredFromMemory,
    /// The wake after the one that fired is not registered.
    NextWakeForgotten,
    /// Events that wait are told of the task as it is later.
    SnapshotNotKept,
    /// A batch that failed is taken for published.
    FailedBatchForgotten,
    /// Turns that end in doubt are not looked after.
    DoubtForgotten,
    /// A command's id is not remembered.
    CommandIdForgotten,
    /// Nobody looks for the canary.
    CanaryIgnored,
    /// What a dead process left is taken for published once it was looked at.
    DeadEpochForgotten,
    /// The wake of a task that is taken for new takes the place of whatever is registered.
    PresumedWakeOverwrites,
    /// The sweep moves on past wakes that could not be registered.
    SweepSkipsFailures,
    /// A purge does not raise the incarnation in which tasks are born.
    BirthsForgotten,
    /// What waits in the outbox is told as it was, although its user is erased.
    OutboxNotErased,
    /// A user is erased from the user's own tasks alone.
    NamesNotErased,
}

#[cfg(feature = "planted-bugs")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in what this thread runs, or takes it out again.
#[cfg(feature = "planted-bugs")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether a bug is planted.
#[cfg(feature = "planted-bugs")]
pub fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// A request as a planted bug has it.
#[cfg(feature = "planted-bugs")]
pub(crate) fn request(request: Request) -> Request {
    match request {
        Request::Command(mut command) if is(Bug::CommandIdForgotten) => {
            command.id = None;
            Request::Command(command)
        }
        request => request,
    }
}

/// A request as it is.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) fn request(request: Request) -> Request {
    request
}

/// A state as [`Bug::FiresWhilePaused`] has it.
#[cfg(feature = "planted-bugs")]
pub(crate) fn unpaused(state: &TaskState) -> std::borrow::Cow<'_, TaskState> {
    let mut state = std::borrow::Cow::Borrowed(state);
    if is(Bug::FiresWhilePaused)
        && let Lifecycle::Live(live) = &mut state.to_mut().lifecycle
    {
        (live.paused_since, live.preferences.paused_since) = (None, None);
    }
    state
}

/// A state as it is.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) fn unpaused(state: &TaskState) -> std::borrow::Cow<'_, TaskState> {
    std::borrow::Cow::Borrowed(state)
}

/// What a state tells of its own commit, for [`Bug::PublishBeforeCommit`].
pub(crate) fn handovers(state: &Arc<TaskState>) -> Vec<Handover> {
    let last = state.pending.len().checked_sub(1);
    last.map(|index| Handover::new(Arc::clone(state), index)).into_iter().collect()
}

/// Whether a bug is planted: never.
#[cfg(not(feature = "planted-bugs"))]
pub const fn is(_bug: Bug) -> bool {
    false
}
