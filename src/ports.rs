//! What the turn needs of the world outside, as traits; `dapr::outbound` is the real thing.
//!
//! Every call has a deadline of its own inside the implementation, so none of these hangs.

use crate::turn::effect::Numbers;
use crate::turn::record::UnreadableState;
use async_trait::async_trait;
use reminder_domain::ids::Person;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{Retention, TaskId, Timestamp, Topic};
use std::num::NonZeroU32;

/// A call that did not succeed. It may still take effect, now or later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CallError(pub String);

/// A commit that was not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The database refused it, since the stored version is not the one it was decided on. It has
    /// not taken effect and never will.
    #[error("refused by the fence: {0}")]
    Fenced(String),
    /// It may have taken effect, or may yet.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// One event, ready for the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names the entry within its batch; the event's id.
    pub id: String,
    /// The Kafka key.
    pub key: TaskId,
    /// The `CloudEvent` in structured mode.
    pub body: Vec<u8>,
}

/// The actor state store.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Reads an actor's state; `None` when there is none.
    async fn load(&self, id: &TaskId) -> Result<Option<Vec<u8>>, CallError>;
    /// Writes an actor's state in one statement.
    async fn commit(&self, id: &TaskId, state: Vec<u8>) -> Result<(), CommitError>;
    /// Reads how far a process published its commits; 0 when it never said.
    async fn load_watermark(&self, epoch: u64) -> Result<u64, CallError>;
    /// Writes how far this process published its commits.
    async fn save_watermark(&self, epoch: u64, n: u64) -> Result<(), CallError>;
}

/// What became of a registration that must not replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It was made.
    Now,
    /// There was one already.
    Already,
}

/// The one reminder of each actor.
#[async_trait]
pub trait Reminders: Send + Sync {
    /// Registers the wake at `at`, replacing an earlier registration. A time in the past wakes at
    /// once.
    async fn arm(&self, id: &TaskId, at: Timestamp) -> Result<(), CallError>;
    /// Registers the wake at `at` unless one is registered.
    async fn arm_if_absent(&self, id: &TaskId, at: Timestamp) -> Result<Registered, CallError>;
    /// Unregisters the wake.
    async fn disarm(&self, id: &TaskId) -> Result<(), CallError>;
}

/// The reminders as a whole, for the sweep and the audit.
#[async_trait]
pub trait ReminderIndex: Send + Sync {
    /// Whether the reminder that stands for all others is still registered; each has a number.
    async fn canary_is_alive(&self, number: u64) -> Result<bool, CallError>;
    /// Registers the reminder that stands for all others.
    async fn release_canary(&self, number: u64) -> Result<(), CallError>;
}

/// The broker.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Publishes a batch to one topic; an error says nothing about which entries arrived.
    async fn publish(&self, topic: Topic, batch: Vec<Message>) -> Result<(), CallError>;
}

/// Actors as callers reach them: wherever they live now.
#[async_trait]
pub trait Actors: Send + Sync {
    /// Runs a settle turn and answers the version that the task is at then; 0 when there is no state,
    /// or none that can be used.
    async fn settle(&self, id: &TaskId, at_least: u64) -> Result<u64, CallError>;
    /// Has the task follow its user's present preferences and the present rules of its zones.
    async fn refresh(&self, id: &TaskId) -> Result<(), CallError>;
    /// Removes the task for good if it has been over for long enough; `false`: it is kept.
    async fn purge(&self, id: &TaskId, retention: Retention) -> Result<bool, CallError>;
    /// Leaves nothing of a user in a task, be it that user's or not; the version that it is at then, 0 when there is no state, or
    /// none that can be used.
    async fn erase(&self, id: &TaskId, user: &Person) -> Result<u64, CallError>;
}

/// Actors as the REST edge calls them, by the bodies of the actor API.
#[async_trait]
pub trait ActorApi: Send + Sync + 'static {
    /// Calls a method of an actor. What it answers may be a problem.
    async fn call(
        &self,
        actor_type: &'static str,
        id: String,
        method: &'static str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, CallError>;
}

/// The state store of users.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Reads a user's state; `None` when there is none.
    async fn load_user(&self, user: &Person) -> Result<Option<Vec<u8>>, CallError>;
    /// Writes a user's state in one statement.
    async fn commit_user(&self, user: &Person, state: Vec<u8>) -> Result<(), CommitError>;
}

/// How far a user's tasks have followed the last change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Tasks that are pending or in progress.
    pub open: u64,
    /// Those that still follow older preferences, or older rules of their zones.
    pub outdated: u64,
}

/// What is known of users beside their actors, so that no turn of a task waits for one.
#[async_trait]
pub trait Users: Send + Sync {
    /// The preferences, as of the last commit that was answered; version 0 and the defaults for a
    /// user who never said anything.
    async fn preferences(&self, user: &Person) -> Result<KnownPreferences, CallError>;
    /// The highest version that a user had who is gone, be it this one or another; the first version of a user who is
    /// not stored comes after it. 0: nobody has gone yet.
    async fn gone(&self, user: &Person) -> Result<u64, CallError>;
    /// How far the tasks are.
    async fn progress(&self, user: &Person) -> Result<Progress, CallError>;
    /// How many tasks are open, counted up to `at_most`.
    async fn open_tasks(&self, user: &Person, at_most: NonZeroU32) -> Result<u32, CallError>;
    /// Whose task it is, as of the last commit; `None`: nobody's, or there is none.
    async fn owner(&self, task: &TaskId) -> Result<Option<Person>, CallError>;
}

/// Where it is noted that a task's state cannot be used.
#[async_trait]
pub trait Parking: Send + Sync {
    /// Parks a task at the version that is known of it; tells whether that is news.
    async fn park(&self, id: &TaskId, why: &UnreadableState) -> Result<bool, CallError>;
}

/// How tasks go for good. The sidecar could delete a row, but whatever is in it: a statement that was
/// given up and takes effect late must not take a later life of the task with it.
#[async_trait]
pub trait Removal: Send + Sync {
    /// The incarnation in which tasks are born that are not stored.
    async fn births(&self) -> Result<u32, CallError>;
    /// Deletes what is stored of a task, if it is still at these numbers and was born before tasks are
    /// born now; `false`: it is not.
    async fn remove(&self, id: &TaskId, numbers: Numbers) -> Result<bool, CallError>;
}

/// All of it.
pub trait Ports: StateStore + Reminders + Broker + Actors + 'static {}
impl<T: StateStore + Reminders + Broker + Actors + 'static> Ports for T {}
