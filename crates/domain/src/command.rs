//! What a turn is asked to do.

use crate::ids::{CorrelationId, Person, PresetName, ReminderId, Traceparent};
use crate::ingested::{Ingested, News};
use crate::pause::IfMissed;
use crate::preferences::SnoozeDelay;
use crate::reminder::Reminder;
use crate::task::Task;
use crate::time::{DueTime, Timestamp};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// A command, parsed and complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub kind: CommandKind,
    /// Hash of the caller's `commandId`; a known one is answered and not applied again.
    pub id: Option<u64>,
    /// Hash of the kind and body without the ids: two commands with the same one ask for the same.
    pub fingerprint: u64,
    /// The version that the task must be at; 0 means it must not exist.
    pub if_version: Option<u64>,
    /// On whose behalf it is sent: tasks of others are none, and what is put is this user's. `None`: the
    /// caller may do everything.
    pub as_user: Option<Person>,
    /// The flow that the command belongs to.
    pub origin: Origin,
}

impl Command {
    /// The same command as a part of a flow.
    #[must_use]
    pub fn in_flow(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Whether who sends it takes for granted that there is no such task yet: it asks for that, or its
    /// owner tells of the first version.
    pub fn tells_of_a_new_task(&self) -> bool {
        match &self.kind {
            CommandKind::Ingest(event) => event.version == Some(NonZeroU64::MIN),
            _ => self.if_version == Some(0),
        }
    }
}

/// The kinds of command that change a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Create the task or replace all of it.
    Put(Box<Put>),
    /// It is done; a recurring task moves on to its next occurrence.
    Complete,
    /// It is not done after all.
    Reopen,
    /// Forget it.
    Delete,
    /// An occurrence of a recurring task does not take place.
    Skip {
        /// Which, by its nominal wall time; `None`: the present one.
        occurrence: Option<NaiveDateTime>,
    },
    /// Add a reminder, or change the one of that id.
    PutReminder {
        /// What it shall be.
        reminder: Box<Reminder>,
        /// What to do when it is past already.
        if_past: IfPast,
    },
    /// Take a reminder off.
    RemoveReminder(ReminderId),
    /// Put off what rang.
    Snooze {
        /// Which reminder; `None`: all that rang.
        reminder_id: Option<ReminderId>,
        /// For how long.
        delay: Delay,
    },
    /// What rang was seen: stop nagging, forget the snooze.
    Acknowledge {
        /// Which reminder; `None`: all that rang.
        reminder_id: Option<ReminderId>,
    },
    /// As acknowledging; and what has not rang yet will not.
    Dismiss {
        /// Which reminder; `None`: all of this occurrence.
        reminder_id: Option<ReminderId>,
    },
    /// Nothing fires until it is resumed.
    Pause,
    /// It fires again.
    Resume {
        /// What to do with what fell due meanwhile.
        missed: IfMissed,
    },
    /// Follow what the owner of the task says of it.
    Ingest(Box<Ingested>),
}

/// A task to create or replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The task.
    pub task: Task,
    /// What to do with reminders that are past already.
    pub if_past: IfPast,
    /// What an imported calendar says of its alarms.
    pub restored: Vec<RestoredAlarm>,
}

/// What a calendar says of an alarm beside its schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredAlarm {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// When it was last acknowledged.
    pub acknowledged: Option<Timestamp>,
    /// When its snooze ends.
    pub snoozed_until: Option<Timestamp>,
}

/// What to do with a reminder that is past already when it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "String")]
pub enum IfPast {
    /// It fires at once, unless it is past its late limit.
    #[default]
    Fire,
    /// It stays silent.
    Skip,
    /// The command is refused.
    Reject,
}

/// Through a string, so that nothing else is taken for one.
impl TryFrom<String> for IfPast {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "fire" => Ok(Self::Fire),
            "skip" => Ok(Self::Skip),
            "reject" => Ok(Self::Reject),
            _ => Err(format!("must be fire, skip or reject, but is {text:?}")),
        }
    }
}

/// How long a snooze shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delay {
    /// So long.
    For(SnoozeDelay),
    /// Until then.
    Until(DueTime),
    /// As the user's preferences say under this name.
    Preset(PresetName),
}

impl CommandKind {
    /// The name used in the actor API, logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Complete => "complete",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
            Self::Skip { .. } => "skip",
            Self::PutReminder { .. } => "putReminder",
            Self::RemoveReminder(_) => "removeReminder",
            Self::Snooze { .. } => "snooze",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Dismiss { .. } => "dismiss",
            Self::Pause => "pause",
            Self::Resume { .. } => "resume",
            Self::Ingest(_) => "ingest",
        }
    }

    /// Whose preferences it needs, fresh ones; other commands go by the copy that the task has.
    pub fn needs_preferences_of(&self) -> Option<&Person> {
        match self {
            Self::Put(put) => put.task.user_id.as_ref(),
            Self::Ingest(event) => match &event.news {
                News::Task { task, .. } => task.user_id.as_ref(),
                News::Deleted => None,
            },
            _ => None,
        }
    }
}

/// The flow that a command belongs to; carried to the events that follow from it, days later too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The caller's id for the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<CorrelationId>,
    /// The caller's trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
}
