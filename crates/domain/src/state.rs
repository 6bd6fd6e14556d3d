//! Everything one actor stores, under one key.

use crate::alarm::Alarm;
use crate::command::Origin;
use crate::event::{Event, Topic};
use crate::explain::Adjusted;
use crate::history::HistoryEntry;
use crate::ids::{Person, ReminderId, Traceparent};
use crate::ingested::Followed;
use crate::limits;
use crate::next_wake::earliest;
use crate::pause::Pause;
use crate::preferences::KnownPreferences;
use crate::recurrence::Cursor;
use crate::schedule::Schedule;
use crate::task::{Status, Task};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one `TaskActor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskState {
    /// Counts commits from 1. The database accepts a state only when its version is the stored one
    /// plus one, or the bytes are identical.
    pub version: u64,
    /// Raised when a backup is restored, so that event ids are never used twice; see
    /// [`restored`](crate::restored).
    pub incarnation: u32,
    /// When the last commit was decided.
    pub updated_at: Timestamp,
    /// The task, or what is left of it.
    pub lifecycle: Lifecycle,
    /// How many events each topic got.
    pub sequences: Sequences,
    /// The last commands applied, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandRecord>,
    /// What the owner of the task last said, if it ever did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Followed>,
    /// The wake that was registered before the last commit, if it is known to be registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub armed: Option<Timestamp>,
    /// Commits whose events the broker may not have acknowledged, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<PendingCommit>,
}

/// The task, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Lifecycle {
    /// There is a task.
    Live(Box<Live>),
    /// It was deleted: a tombstone, so that a repeated delete is recognised and a later `put`
    /// continues the version and the sequences.
    #[serde(rename_all = "camelCase")]
    Deleted {
        /// When.
        deleted_at: Timestamp,
        /// Whose it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_id: Option<Person>,
    },
}

/// A task and its alarms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Live {
    /// What the caller asked for.
    pub task: Task,
    /// Where its reminders stand.
    pub alarms: Vec<Alarm>,
    /// The occurrence that a recurring task is at; its due date says the same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Cursor>,
    /// Since when it is paused itself; its user may be paused as well, which the preferences tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// A copy of what the user prefers, so that firing waits for nobody. Its default reminders are
    /// those of the time when the task was made.
    #[serde(default, skip_serializing_if = "KnownPreferences::is_default")]
    pub preferences: KnownPreferences,
    /// The last firings and acknowledgements, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryEntry>,
    /// The flow in which the alarms were scheduled; a trigger links back to it.
    #[serde(default)]
    pub origin: Origin,
    /// The version of the zone database by which the alarms were resolved.
    pub zone_database: String,
}

impl Live {
    /// Everything its moments follow from.
    pub fn schedule(&self) -> Schedule<'_> {
        Schedule::new(&self.task, &self.preferences.preferences)
    }

    /// The alarm of a reminder.
    pub fn alarm(&self, id: &ReminderId) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.reminder_id == *id)
    }
}

/// How many events of each topic the task has, which is the last sequence number given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sequences {
    /// Events on `reminders`.
    pub reminders: u64,
    /// Events on `task-events`.
    pub task_events: u64,
    /// Events on `task-updates`.
    pub task_updates: u64,
}

impl Sequences {
    /// The last number given to a topic; 0: none.
    pub fn last(&self, topic: Topic) -> u64 {
        match topic {
            Topic::Reminders => self.reminders,
            Topic::TaskEvents => self.task_events,
            Topic::TaskUpdates => self.task_updates,
        }
    }

    /// Takes the next number of a topic.
    pub fn next(&mut self, topic: Topic) -> u64 {
        let counter = match topic {
            Topic::Reminders => &mut self.reminders,
            Topic::TaskEvents => &mut self.task_events,
            Topic::TaskUpdates => &mut self.task_updates,
        };
        *counter += 1;
        *counter
    }
}

/// A command that was applied, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// Hash of the caller's command id.
    #[serde(default, rename = "i", skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Hash of its kind and body.
    #[serde(rename = "f")]
    pub fingerprint: u64,
    /// How many events the task had on `task-updates` then.
    #[serde(default, rename = "q")]
    pub changes: u64,
    /// The version answered.
    #[serde(rename = "v")]
    pub version: u64,
    /// The next reminder answered.
    #[serde(default, rename = "n", skip_serializing_if = "Option::is_none")]
    pub next_reminder_at: Option<Timestamp>,
    /// The status answered; `None` for a deleted task.
    #[serde(default, rename = "s", skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether it created the task, if it was one that might.
    #[serde(default, rename = "c", skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// The resolutions explained, where a rule moved them.
    #[serde(default, rename = "a", skip_serializing_if = "Vec::is_empty")]
    pub adjusted: Vec<Adjusted>,
}

/// The events of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingCommit {
    /// Which process made the commit, and its how manieth.
    pub stamp: Stamp,
    /// When it was decided; the events' `time`.
    pub at: Timestamp,
    /// The flow it belongs to.
    #[serde(default)]
    pub origin: Origin,
    /// The task as the events tell it. `None` while it is the one beside it in the state; a later
    /// commit fills it in, so that a retried event never tells of a later task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Box<Snapshot>>,
    /// The incarnation that its events' ids name; `None`: that of the state. Set when a backup that
    /// holds it is restored: its events are told under the ids that they may have been told under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// The trace of the turn that committed them, where the clock led to it and not a command: the
    /// trace of the command that scheduled it ended long ago, and is a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Traceparent>,
    /// What happened.
    pub events: Vec<Event>,
}

/// A process's commits are numbered, so that one number says how far its events are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Names one run of a process.
    pub epoch: u64,
    /// Counts its commits that carry events, from 1.
    pub n: u64,
}

/// A task at one version, as events tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The commit's version.
    pub version: u64,
    /// The task.
    pub task: Task,
    /// Its alarms.
    pub alarms: Vec<Alarm>,
    /// Whether it was deleted by this commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Who had paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// The last version of the owner that it had followed by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<u64>,
}

impl Snapshot {
    /// When the next reminder is due.
    pub fn next_reminder_at(&self) -> Option<Timestamp> {
        if self.deleted || self.paused.is_some() { None } else { earliest(&self.alarms) }
    }
}

impl TaskState {
    /// The live task, unless it was deleted.
    pub fn live(&self) -> Option<&Live> {
        match &self.lifecycle {
            Lifecycle::Live(live) => Some(live),
            Lifecycle::Deleted { .. } => None,
        }
    }

    /// Whose it is, or was.
    pub fn owner(&self) -> Option<&Person> {
        match &self.lifecycle {
            Lifecycle::Live(live) => live.task.user_id.as_ref(),
            Lifecycle::Deleted { user_id, .. } => user_id.as_ref(),
        }
    }

    /// The task as events of this very version tell it; `None` when it was deleted.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let live = self.live()?;
        Some(Snapshot {
            version: self.version,
            task: live.task.clone(),
            alarms: live.alarms.clone(),
            deleted: false,
            paused: live.pause(),
            source_version: self.source_version(),
        })
    }

    /// The last version of the owner that it has followed.
    pub fn source_version(&self) -> Option<u64> {
        self.followed?.version.map(std::num::NonZeroU64::get)
    }

    /// Remembers a command, forgetting the oldest beyond the bound.
    pub(crate) fn remember(&mut self, record: CommandRecord) {
        limits::remember(&mut self.commands, [record], limits::COMMANDS_REMEMBERED);
    }
}
