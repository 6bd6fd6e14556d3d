//! A task as the caller describes it, valid by construction.

use crate::ids::{Description, InvalidText, Person, ReminderId, Tag, Title};
use crate::limits;
use crate::reminder::{Reminder, Trigger};
use crate::time::DueTime;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::HashSet;
use std::fmt;

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
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

/// Through a string: derived code would also take `{"pending": null}`, and call a number bad syntax.
impl TryFrom<String> for Status {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let all = [Self::Pending, Self::InProgress, Self::Completed];
        all.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            InvalidText(format!("must be pending, in_progress or completed, but is {text:?}"))
        })
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
#[serde(rename_all = "snake_case", try_from = "String")]
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

impl Priority {
    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// Through a string, as [`Status`].
impl TryFrom<String> for Priority {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        let all = [Self::Low, Self::Normal, Self::High, Self::Urgent];
        all.into_iter().find(|priority| priority.as_str() == text).ok_or_else(|| {
            InvalidText(format!("must be low, normal, high or urgent, but is {text:?}"))
        })
    }
}

/// What the caller wants to be reminded of.
///
/// Its JSON is that of the actor API's `put` and of the stored state. It can only be built through
/// `Deserialize` or [`TryFrom<TaskFields>`], so its parts always fit together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TaskFields")]
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
    #[error("must be at most {max}, but there are {0}", max = limits::TAGS_MAX)]
    TooManyTags(usize),
    /// Too many reminders.
    #[error("must be at most {max}, but there are {0}", max = limits::REMINDERS_MAX)]
    TooManyReminders(usize),
    /// Two reminders share an id.
    #[error("must be distinct, but {id:?} occurs twice")]
    DuplicateReminder {
        /// The place of the second one.
        index: usize,
        /// The id they share.
        id: ReminderId,
    },
    /// A reminder counts back from a due date that is not there.
    #[error("must not count back from a dueDate that is not given")]
    NoDueDate {
        /// Its place.
        index: usize,
    },
}

impl InvalidTask {
    /// The field at fault, as a path into the task; the message reads on from it.
    pub fn field(&self) -> String {
        match self {
            Self::TooManyTags(_) => "tags".into(),
            Self::TooManyReminders(_) => "reminders".into(),
            Self::DuplicateReminder { index, .. } => format!("reminders[{index}].id"),
            Self::NoDueDate { index } => format!("reminders[{index}].before"),
        }
    }
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
        for (index, reminder) in fields.reminders.iter().enumerate() {
            if !seen.insert(&reminder.id) {
                return Err(InvalidTask::DuplicateReminder { index, id: reminder.id.clone() });
            }
            if matches!(reminder.trigger, Trigger::Before(_)) && fields.due_date.is_none() {
                return Err(InvalidTask::NoDueDate { index });
            }
        }
        Ok(Self(fields))
    }
}

impl Serialize for Task {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
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
        assert!(parse(twice).unwrap_err().contains("distinct"));
        let orphan = r#"{"title":"t","reminders":[{"id":"a","before":"PT1M"}]}"#;
        assert!(parse(orphan).unwrap_err().contains("dueDate"));
    }

    #[test]
    fn a_field_at_fault_is_named() {
        let fields = |json| serde_json::from_str::<TaskFields>(json).unwrap();
        let field = |json| Task::try_from(fields(json)).unwrap_err().field();
        let orphan = r#"{"title":"t","reminders":[{"id":"a","before":"PT1M"}]}"#;
        assert_eq!(field(orphan), "reminders[0].before");
    }

    #[test]
    fn words_are_strings_only() {
        assert!(parse(r#"{"title":"t","priority":"urgent","status":"completed"}"#).is_ok());
        for bad in [r#""priority":{"low":null}"#, r#""priority":5"#, r#""status":"done""#] {
            assert!(parse(&format!(r#"{{"title":"t",{bad}}}"#)).is_err(), "{bad}");
        }
    }

    #[test]
    fn survives_json() {
        let json = r#"{"title":"t","dueDate":{"local":"2027-01-01T09:00:00","zone":"Asia/Tokyo"},"priority":"high","tags":["a"],"status":"in_progress","reminders":[{"id":"a","before":"P1D"}]}"#;
        assert_eq!(serde_json::to_string(&parse(json).unwrap()).unwrap(), json);
    }
}
