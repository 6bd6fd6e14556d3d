//! What goes in and out of the turn machine: requests, effects, outcomes, and how a turn ends.

use super::record::UnreadableState;
use crate::quota::OverQuota;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::state::{PendingCommit, Snapshot, Stamp};
use reminder_domain::{Answer, Command, CommandKind, Rejection, Retention, TaskState, Timestamp};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// What a turn is asked for.
#[derive(Clone, Debug)]
pub enum Request {
    /// Read the task.
    Get,
    /// Change the task.
    Command(Box<Command>),
    /// The preferences of the user changed, or the zone database: resolve again.
    Refresh,
    /// The reminder fired: look at the clock.
    Wake,
    /// Put the task in order: publish what is pending, fire what is due, register the wake, and
    /// make sure that no statement for a version up to `at_least` can still take effect.
    Settle {
        /// The version that must be reached.
        at_least: u64,
    },
    /// Remove the task for good, if it has been over for long enough.
    Purge(Retention),
    /// Leave nothing of the user: of a task of that user's, or of the name in one of somebody else's.
    Erase(Person),
}

impl Request {
    /// Whether it makes the task, should there be none.
    pub(super) fn may_be_of_a_new_task(&self) -> bool {
        matches!(self, Self::Command(command)
            if matches!(command.kind, CommandKind::Put(_)) && command.if_version.is_none())
    }
}

/// What the driver shall do next.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Read the state from the store.
    Load,
    /// Read how far a process published its commits.
    LoadWatermark(u64),
    /// Find out what a user prefers.
    LoadPreferences {
        /// Who.
        user: Person,
        /// Whether it may be what was read once, for the fence would refuse what it is no more.
        may_be_old: bool,
    },
    /// Ask whether a user may have a command done.
    Admit {
        /// Who.
        user: Person,
        /// Whether it leaves one more open task.
        opens: bool,
    },
    /// Wait until the clock shows this.
    WaitUntil(Timestamp),
    /// Register the wake.
    Arm(Timestamp),
    /// Register the wake, unless one is registered.
    ArmIfAbsent(Timestamp),
    /// Unregister the wake.
    Disarm,
    /// Write the state.
    Commit(Arc<TaskState>),
    /// Write the state of a task that is not stored.
    Create(Arc<TaskState>),
    /// Read in which incarnation tasks are born.
    LoadBirths,
    /// Delete what is stored, if it is still at these numbers.
    Remove(Numbers),
    /// Hand committed events to the outbox.
    Publish(Vec<Handover>),
    /// The turn is over.
    Finish(Box<Finish>),
}

/// Which commit a stored state is of: no two states of a task have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// The version.
    pub version: u64,
    /// The incarnation.
    pub incarnation: u32,
}

/// What came of the last effect.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing yet: the first step.
    Start,
    /// Of [`Effect::Load`].
    Loaded(Option<Arc<TaskState>>),
    /// Of [`Effect::LoadWatermark`].
    Watermark(u64),
    /// Of [`Effect::LoadPreferences`].
    Preferences(Box<KnownPreferences>),
    /// The same, as it was once.
    Recalled(Box<KnownPreferences>),
    /// Of the effects that answer nothing: it is done.
    Done,
    /// Of [`Effect::ArmIfAbsent`]: a wake is registered already, and was left as it is.
    ArmedAlready,
    /// Of [`Effect::LoadBirths`].
    Births(u32),
    /// Of [`Effect::Commit`], [`Effect::Create`] and [`Effect::Remove`]: refused, and it will never take
    /// effect.
    Fenced,
    /// Of [`Effect::Admit`]: the user may not.
    OverQuota(OverQuota),
    /// Of [`Effect::Load`]: there is a state that cannot be used.
    Unreadable(UnreadableState),
    /// Of any effect: it failed, and may still take effect.
    Failed(String),
}

/// One commit's events, with what is needed to write them out.
#[derive(Clone, Debug)]
pub struct Handover {
    state: Arc<TaskState>,
    index: usize,
    snapshot: OnceLock<Snapshot>,
    taken_on: Option<Instant>,
}

impl Handover {
    /// The events of the pending commit number `index` of a committed state.
    pub fn new(state: Arc<TaskState>, index: usize) -> Self {
        let handover = Self { state, index, snapshot: OnceLock::new(), taken_on: None };
        // The other commits have handovers of their own. With this one's state they would be kept as often as
        // there are some, each time with all that they tell.
        if handover.state.pending.len() > 1 { handover.apart(|_| ()) } else { handover }
    }

    /// Whether its events name one of these users.
    pub fn names(&self, users: &[Person]) -> bool {
        users.iter().any(|user| self.snapshot().task.names(user))
    }

    /// The same events without these users.
    #[must_use]
    pub fn without(&self, users: &[Person]) -> Self {
        self.apart(|commit| users.iter().for_each(|user| commit.leave_out(user)))
    }

    /// The same events with a state of nothing else, once this is done to their commit.
    fn apart(&self, change: impl FnOnce(&mut PendingCommit)) -> Self {
        let mut commit = self.commit().clone();
        commit.snapshot = Some(Box::new(self.snapshot().clone()));
        commit.incarnation = Some(self.incarnation());
        change(&mut commit);
        let TaskState { incarnation, updated_at, .. } = *self.state;
        let state =
            TaskState { pending: vec![commit], ..TaskState::unborn(incarnation, updated_at) };
        Self { taken_on: self.taken_on, ..Self::new(Arc::new(state), 0) }
    }

    /// Notes when the outbox took it on, for the time that publishing took.
    #[must_use]
    pub fn taken_on(self, at: Instant) -> Self {
        Self { taken_on: Some(at), ..self }
    }

    /// When that was, if it was noted.
    pub fn since(&self) -> Option<Instant> {
        self.taken_on
    }

    /// How long ago that was, when it was noted.
    pub fn waited(&self) -> Option<Duration> {
        self.taken_on.map(|at| at.elapsed())
    }

    /// The commit handed over.
    pub fn commit(&self) -> &PendingCommit {
        &self.state.pending[self.index]
    }

    /// The task as the events of this commit tell it.
    ///
    /// # Panics
    /// When a deleted task's commit lacks its snapshot, which the decision never leaves out.
    pub fn snapshot(&self) -> &Snapshot {
        if let Some(snapshot) = &self.commit().snapshot {
            return snapshot;
        }
        self.snapshot.get_or_init(|| {
            self.state.snapshot().expect("a commit without a snapshot is that of a live task")
        })
    }

    /// About how many bytes it keeps, where the task as it tells it has so many: the state that it is of has it once more,
    /// with the history and the commands.
    pub fn kept_bytes(&self, told: usize) -> usize {
        let live = self.state.live();
        let history = live.map_or(0, |live| told + size_of_val(&*live.history));
        let commands = size_of_val(&*self.state.commands);
        told + history + commands + size_of_val(&*self.commit().events)
    }

    /// The incarnation that the ids of its events name.
    pub fn incarnation(&self) -> u32 {
        self.commit().incarnation.unwrap_or(self.state.incarnation)
    }

    /// The state whose commit it is, or one that holds it still.
    pub fn state(&self) -> &TaskState {
        &self.state
    }
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct Finish {
    /// What to answer.
    pub reply: Reply,
    /// What is known of the stored state now.
    pub known: Known,
    /// What a later settle turn must put in order, if anything.
    pub recovery: Option<Recovery>,
    /// How many wakes of this actor failed in a row.
    pub wake_failures: u32,
}

/// What is known of the stored state.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nothing: the next turn must load it.
    #[default]
    Nothing,
    /// That there is none.
    Absent,
    /// What it is.
    State(Arc<TaskState>),
}

/// What to answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The command's answer.
    Answer(Answer),
    /// The task as it is.
    View(Arc<TaskState>),
    /// The command was refused.
    Rejected(Rejection),
    /// The user has had too much already; nothing was done.
    OverQuota(OverQuota),
    /// Too much is waiting; nothing was done.
    Overloaded(String),
    /// Something needed did not answer; the caller should try again. For a command it may be
    /// unknown whether it took effect: a repeat finds out.
    Unavailable(String),
    /// A wake, settle or refresh turn is over; the version that the task is at, 0 when there is none.
    Awake(u64),
    /// The stored state cannot be used; nothing was done, and repeating it does not help.
    Unreadable(UnreadableState),
}

/// What a later settle turn must put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// A statement for this version may still take effect; 0: none.
    pub at_least: u64,
    /// Stamps that such a statement carries.
    pub stamps: Vec<Stamp>,
    /// The wake may not be registered as it should be.
    pub misarmed: bool,
}

impl Recovery {
    /// Whether nothing is in doubt.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what came into doubt later, or was in doubt before.
    pub fn merge(&mut self, other: Self) {
        self.at_least = self.at_least.max(other.at_least);
        self.stamps.extend(other.stamps);
        self.misarmed |= other.misarmed;
    }
}
