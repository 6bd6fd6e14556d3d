//! What commands answer.

use crate::data::{Rule, TaskStatus, shown};
use reminder_domain::explain::Adjusted;
use reminder_domain::{Answer, TaskId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::to_json;

/// The answer to a command that was applied, now or before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandAnswer<'a> {
    /// The task.
    #[schemars(with = "shown::TaskId")]
    pub task_id: Cow<'a, str>,
    /// The version that the command led to.
    pub version: u64,
    /// Where the task stands.
    pub status: TaskStatus,
    /// When something of it fires next.
    #[schemars(with = "Option<shown::Instant>")]
    pub next_reminder_at: Option<Timestamp>,
    /// Whether a `put` created the task; other commands do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
    /// The moments to come that a rule moved, and how; the first five of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjusted: Vec<AdjustedView>,
}

/// A moment that a rule moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustedView {
    /// The reminder.
    #[schemars(with = "shown::ReminderId")]
    pub reminder_id: String,
    /// When it fires.
    #[schemars(with = "shown::Instant")]
    pub scheduled_for: Timestamp,
    /// The rule: `gap`, `overlap` or `quietHours`.
    pub rule: Rule,
    /// What it did, in words.
    pub text: String,
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
            adjusted: answer.adjusted.into_iter().map(AdjustedView::new).collect(),
        }
    }

    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

impl AdjustedView {
    fn new(adjusted: Adjusted) -> Self {
        let Adjusted { reminder_id, at, step } = adjusted;
        let rule = step.rule.into();
        Self { reminder_id: reminder_id.to_string(), scheduled_for: at, rule, text: step.text }
    }
}
