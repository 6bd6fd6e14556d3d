//! A task as the caller describes it, valid by construction.

mod recurrence;
mod words;

pub use recurrence::{Recurrence, RecursFrom};
pub use words::{Priority, Status};

use crate::ids::{Description, Person, Tag, Title};
use crate::limits;
use crate::reminder::{self, InvalidReminders, Reminder};
use crate::time::DueTime;
use serde::{Deserialize, Serialize, Serializer};

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
    /// When it is due; of a recurring task, its present occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueTime>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DueTime>,
    /// When it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
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
    /// When to remind. `None` means the default reminders of the user; without such, with a due
    /// date, once, at the due date. An empty list means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminders: Option<Vec<Reminder>>,
}

/// Fields that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTask {
    /// Too many tags.
    #[error("must be at most {max}, but there are {0}", max = limits::TAGS_MAX)]
    TooManyTags(usize),
    /// Reminders that do not go together.
    #[error("{0}")]
    Reminders(#[from] InvalidReminders),
    /// A recurrence has nothing to recur.
    #[error("must come with a dueDate, which is its first occurrence")]
    RecursWithoutDueDate,
    /// A recurrence that cannot be used.
    #[error("{0}")]
    Recurrence(#[from] recurrence::InvalidRecurrence),
}

impl InvalidTask {
    /// The field at fault, as a path into the task; the message reads on from it.
    pub fn field(&self) -> String {
        match self {
            Self::TooManyTags(_) => "tags".into(),
            Self::Reminders(invalid) => invalid.field("reminders"),
            Self::RecursWithoutDueDate => "recurrence".into(),
            Self::Recurrence(invalid) => format!("recurrence.{}", invalid.field()),
        }
    }
}

impl TryFrom<TaskFields> for Task {
    type Error = InvalidTask;

    fn try_from(fields: TaskFields) -> Result<Self, InvalidTask> {
        if fields.tags.len() > limits::TAGS_MAX {
            return Err(InvalidTask::TooManyTags(fields.tags.len()));
        }
        reminder::check_list(fields.reminders.as_deref().unwrap_or_default())?;
        match (&fields.recurrence, &fields.due_date) {
            (Some(_), None) => return Err(InvalidTask::RecursWithoutDueDate),
            (Some(recurrence), Some(due)) => recurrence.check(due)?,
            (None, _) => {}
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

    /// The same task with other reminders.
    ///
    /// # Errors
    /// When they do not fit together.
    pub fn with_reminders(&self, reminders: Vec<Reminder>) -> Result<Self, InvalidTask> {
        Self::try_from(TaskFields { reminders: Some(reminders), ..self.0.clone() })
    }

    /// Whether it is that user's, or the user shall do it or asked for it.
    pub fn names(&self, user: &Person) -> bool {
        [&self.assignee, &self.created_by, &self.user_id].into_iter().flatten().any(|is| is == user)
    }

    /// The same task, which that user neither shall do nor asked for.
    #[must_use]
    pub fn without(&self, user: &Person) -> Self {
        let mut fields = self.0.clone();
        fields.assignee.take_if(|assignee| assignee == user);
        fields.created_by.take_if(|creator| creator == user);
        Self(fields)
    }

    /// The same task at another of its occurrences, not begun.
    pub(crate) fn at_occurrence(&self, due: DueTime, start: Option<DueTime>) -> Self {
        let (due_date, status) = (Some(due), Status::Pending);
        Self(TaskFields { due_date, start, status, ..self.0.clone() })
    }

    /// The same task with another recurrence; it must fit the due date as the present one does.
    pub(crate) fn with_recurrence(&self, recurrence: Recurrence) -> Self {
        Self(TaskFields { recurrence: Some(recurrence), ..self.0.clone() })
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
        let orphan = r#"{"title":"t","recurrence":{"rule":"FREQ=DAILY"}}"#;
        assert!(parse(orphan).unwrap_err().contains("dueDate"));
    }

    #[test]
    fn a_field_at_fault_is_named() {
        let fields = |json| serde_json::from_str::<TaskFields>(json).unwrap();
        let field = |json| Task::try_from(fields(json)).unwrap_err().field();
        let twice =
            r#"{"title":"t","reminders":[{"id":"a","before":"PT1M"},{"id":"a","after":"PT1M"}]}"#;
        assert_eq!(field(twice), "reminders[1].id");
        let never = r#"{"title":"t","dueDate":{"date":"2027-01-01"},"recurrence":{"rule":"FREQ=DAILY;BYHOUR=9"}}"#;
        assert_eq!(field(never), "recurrence.rule");
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
