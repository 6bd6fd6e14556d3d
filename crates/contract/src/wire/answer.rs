//! What the actor methods answer.

use crate::data::{ReminderState, ReminderView, TaskStatus};
use crate::problem::Problem;
use reminder_domain::alarm::{Alarm, AlarmState};
use reminder_domain::{Answer, Rejection, Task, TaskId, TaskState, Timestamp, next_wake};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::to_json;

/// The answer to a command that was applied, now or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandAnswer<'a> {
    /// The task.
    pub task_id: Cow<'a, str>,
    /// The version that the command led to.
    pub version: u64,
    /// Where the task stands.
    pub status: TaskStatus,
    /// When its next reminder fires.
    pub next_reminder_at: Option<Timestamp>,
    /// Whether a `put` created the task; other commands do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
}

impl<'a> CommandAnswer<'a> {
    /// Words what the domain decided.
    pub fn new(task: &'a TaskId, answer: Answer) -> Self {
        Self {
            task_id: Cow::Borrowed(task.as_str()),
            version: answer.version,
            status: TaskStatus::from(answer.status),
            next_reminder_at: answer.next_reminder_at,
            created: answer.created,
        }
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The answer to `get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView<'a> {
    /// The task.
    pub task_id: Cow<'a, str>,
    /// The version it is at.
    pub version: u64,
    /// When its next reminder fires.
    pub next_reminder_at: Option<Timestamp>,
    /// The task as it was put, in its present status.
    pub task: Cow<'a, Task>,
    /// Its reminders and what became of them.
    pub reminders: Vec<ReminderView<'a>>,
}

impl<'a> TaskView<'a> {
    /// Shows a stored task.
    ///
    /// # Errors
    /// Unknown task, when there is none or it was deleted.
    pub fn new(task: &'a TaskId, state: Option<&'a TaskState>) -> Result<Self, Problem> {
        let unknown = || Problem::from(Rejection::UnknownTask(task.clone()));
        let state = state.ok_or_else(unknown)?;
        let live = state.live().ok_or_else(unknown)?;
        Ok(Self {
            task_id: Cow::Borrowed(task.as_str()),
            version: state.version,
            next_reminder_at: next_wake(state),
            task: Cow::Borrowed(&live.task),
            reminders: live.alarms.iter().map(|alarm| ReminderView::of(alarm, false)).collect(),
        })
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl<'a> ReminderView<'a> {
    /// Shows an alarm; with its task deleted, it will not fire any more.
    pub(crate) fn of(alarm: &'a Alarm, deleted: bool) -> Self {
        let state = match alarm.state {
            AlarmState::Scheduled if deleted => ReminderState::Removed,
            AlarmState::Scheduled => ReminderState::Scheduled,
            AlarmState::Fired { .. } => ReminderState::Fired,
            AlarmState::Cancelled => ReminderState::Removed,
        };
        let id = Cow::Borrowed(alarm.reminder_id.as_str());
        Self { id, scheduled_for: alarm.at, state }
    }
}
