//! A task as the caller describes it, valid by construction.

use crate::ids::{Description, Person, Tag, Title};
use crate::limits;
use crate::reminder::{Reminder, Trigger};
use crate::time::DueTime;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    #[default]
    Pending,
    /// Begun.
    InProgress,
    /// Done: nothing of it fires any more.
    Completed,
}

impl Status {
    /// Whether reminders of a task in this status fire.
    pub fn is_open(self) -> bool {
        self != Self::Completed
    }

    /// The name used in JSON and in the read model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much a task matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Should not wait.
    High,
    /// Must not wait.
    Urgent,
}

/// What the caller wants to be reminded of.
///
/// Its JSON is that of the actor API's `put` and of the stored state. It can only be built through
/// `Deserialize` or [`TryFrom<TaskFields>`], so its parts always fit together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TaskFields", into = "TaskFields")]
pub struct Task(TaskFields);

/// The fields of a [`Task`], readable through it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFields {
    /// One line that says what it is.
    pub title: Title,
    /// More words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// When it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueTime>,
    /// How much it matters.
    #[serde(default)]
    pub priority: Priority,
    /// Labels, in the caller's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Where it stands.
    #[serde(default)]
    pub status: Status,
    /// Who shall do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Person>,
    /// Whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Person>,
    /// When to remind. None, with a due date, means once, at the due date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reminders: Vec<Reminder>,
}

/// Fields that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTask {
    /// Too many tags.
    #[error("tags must be at most {max}, but there are {0}", max = limits::TAGS_MAX)]
    TooManyTags(usize),
    /// Too many reminders.
    #[error("reminders must be at most {max}, but there are {0}", max = limits::REMINDERS_MAX)]
    TooManyReminders(usize),
    /// Two reminders share an id.
    #[error("reminders must have distinct ids, but {0:?} occurs twice")]
    DuplicateReminder(String),
    /// A reminder counts back from a due date that is not there.
    #[error("reminders must not count back (\"before\") from a dueDate that is not given: {0:?}")]
    NoDueDate(String),
}

impl TryFrom<TaskFields> for Task {
    type Error = InvalidTask;

    fn try_from(fields: TaskFields) -> Result<Self, InvalidTask> {
        if fields.tags.len() > limits::TAGS_MAX {
            return Err(InvalidTask::TooManyTags(fields.tags.len()));
        }
        if fields.reminders.len() > limits::REMINDERS_MAX {
            return Err(InvalidTask::TooManyReminders(fields.reminders.len()));
        }
        let mut seen = HashSet::new();
        for reminder in &fields.reminders {
            if !seen.insert(&reminder.id) {
                return Err(InvalidTask::DuplicateReminder(reminder.id.to_string()));
            }
            if matches!(reminder.trigger, Trigger::Before(_)) && fields.due_date.is_none() {
                return Err(InvalidTask::NoDueDate(reminder.id.to_string()));
            }
        }
        Ok(Self(fields))
    }
}

impl From<Task> for TaskFields {
    fn from(task: Task) -> Self {
        task.0
    }
}

impl std::ops::Deref for Task {
    type Target = TaskFields;
    fn deref(&self) -> &TaskFields {
        &self.0
    }
}

impl Task {
    /// The same task in another status.
    #[must_use]
    pub fn with_status(&self, status: Status) -> Self {
        Self(TaskFields { status, ..self.0.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Task, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn the_least_task_is_a_title() {
        let task = parse(r#"{"title":"Buy milk"}"#).unwrap();
        assert_eq!(task.status, Status::Pending);
        assert_eq!(task.priority, Priority::Normal);
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let twice = r#"{"title":"t","dueDate":"2027-01-01T00:00:00Z","reminders":[{"id":"a","before":"PT1M"},{"id":"a","before":"PT2M"}]}"#;
        assert!(parse(twice).unwrap_err().contains("distinct ids"));
        let orphan = r#"{"title":"t","reminders":[{"id":"a","before":"PT1M"}]}"#;
        assert!(parse(orphan).unwrap_err().contains("dueDate"));
    }

    #[test]
    fn survives_json() {
        let json = r#"{"title":"t","dueDate":{"local":"2027-01-01T09:00:00","zone":"Asia/Tokyo"},"priority":"high","tags":["a"],"status":"in_progress","reminders":[{"id":"a","before":"P1D"}]}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }
}
