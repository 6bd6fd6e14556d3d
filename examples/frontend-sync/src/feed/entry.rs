//! One task as it is put together from what its two writers tell, in whatever order that arrives.

use reminder_contract::data::{
    Comment, ReminderView, TaskEvent, TaskSnapshot, TaskStatus, TaskSync,
};
use serde::Serialize;
use std::borrow::Cow;

/// News about a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The scheduler tells the whole task.
    Synced(Box<TaskSync<'static>>),
    /// Its owner lists it; the scheduler may not have heard of it yet.
    Listed(Box<TaskEvent<'static>>),
    /// Its owner gave it to somebody.
    Assigned {
        /// The task.
        task_id: String,
        /// To whom; `None`: nobody.
        assignee: Option<String>,
        /// The version at its owner.
        version: u64,
    },
    /// Somebody commented on it.
    Commented {
        /// The task.
        task_id: String,
        /// What there is to read now.
        comments: Comments,
        /// The version at its owner.
        version: u64,
    },
}

impl Change {
    /// The task it is about.
    pub fn task_id(&self) -> &str {
        match self {
            Self::Synced(sync) => &sync.task.task_id,
            Self::Listed(listed) => &listed.task_id,
            Self::Assigned { task_id, .. } | Self::Commented { task_id, .. } => task_id,
        }
    }
}

/// The comments of a task in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comments {
    /// How many there are.
    pub count: u32,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Comment<'static>>,
}

/// A task as the page is told it: a `task.sync`, and what only its owner knows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The task with its reminders.
    #[serde(flatten)]
    pub sync: TaskSync<'static>,
    /// Its comments, if any were heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<Comments>,
}

impl Shown {
    /// Whether there is still something to do.
    pub fn is_open(&self) -> bool {
        matches!(self.sync.task.status, TaskStatus::Pending | TaskStatus::InProgress)
    }
}

/// What is known of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    synced: Option<Box<TaskSync<'static>>>,
    listed: Option<Box<TaskEvent<'static>>>,
    assigned: Option<(u64, Option<String>)>,
    commented: Option<(u64, Comments)>,
}

impl Entry {
    /// Takes in what is news; what is as old as what is known, or older, changes nothing.
    pub(super) fn take(&mut self, change: Change) {
        match change {
            Change::Synced(sync) => {
                let known = self.synced.as_ref().map(|known| known.task.version);
                if known.is_none_or(|known| sync.task.version > known) {
                    self.synced = Some(sync);
                    // From here on the scheduler tells all that a list could.
                    self.listed = None;
                }
            }
            Change::Listed(listed) => {
                let known = self.listed.as_ref().map(|known| known.version);
                if self.synced.is_none() && known.is_none_or(|known| listed.version > known) {
                    self.listed = Some(listed);
                }
            }
            Change::Assigned { assignee, version, .. } => {
                if self.assigned.as_ref().is_none_or(|(known, _)| version > *known) {
                    self.assigned = Some((version, assignee));
                }
            }
            Change::Commented { comments, version, .. } => {
                // A comment is no version of the task: there may be several at one.
                let news =
                    |(at, known): &(u64, Comments)| (version, comments.count) > (*at, known.count);
                if self.commented.as_ref().is_none_or(news) {
                    self.commented = Some((version, comments));
                }
            }
        }
    }

    /// The task, unless only bits of it are known.
    pub(super) fn shown(&self) -> Option<Shown> {
        let mut sync = match (&self.synced, &self.listed) {
            (Some(synced), _) => synced.as_ref().clone(),
            (None, Some(listed)) => not_yet_scheduled(listed),
            (None, None) => return None,
        };
        if let Some((version, assignee)) = &self.assigned
            && sync.task.source_version.is_none_or(|followed| *version > followed)
        {
            sync.task.assignee = assignee.clone().map(Cow::Owned);
        }
        let comments = self.commented.as_ref().map(|(_, comments)| comments.clone());
        Some(Shown { sync, comments })
    }
}

/// A task that its owner has and the scheduler does not, yet: at version 0, without reminders.
fn not_yet_scheduled(listed: &TaskEvent<'static>) -> TaskSync<'static> {
    let listed = listed.clone();
    let task = TaskSnapshot {
        task_id: listed.task_id,
        title: listed.title,
        description: listed.description,
        due_date: listed.due_date,
        start: listed.start,
        recurrence: listed.recurrence,
        priority: listed.priority,
        tags: listed.tags,
        status: listed.status,
        assignee: listed.assignee,
        created_by: listed.created_by,
        user_id: listed.user_id,
        version: 0,
        source_version: Some(listed.version),
        next_reminder_at: None,
        paused: None,
    };
    TaskSync { task, reminders: Vec::<ReminderView<'static>>::new() }
}
