//! What a call may say beside its task.

use reminder_domain::command::{Delay, IfPast};
use reminder_domain::ids::{CorrelationId, ReminderId, Traceparent};
use serde_json::{Map, Value, json};

/// What every command may say; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Names the command. Without one the client makes a key, which holds for the retries of this call.
    pub idempotency_key: Option<CorrelationId>,
    /// What the task must be at.
    pub if_version: Option<IfVersion>,
    /// What to do with reminders that are past already; of those methods only that set reminders.
    pub if_past: Option<IfPast>,
    /// Names the flow; it is in every event that follows.
    pub correlation_id: Option<CorrelationId>,
    /// The trace that the call belongs to.
    pub traceparent: Option<Traceparent>,
}

/// What a task must be at for a command to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfVersion {
    /// This version.
    At(u64),
    /// Any version: it must exist.
    Existing,
    /// None: it must not exist.
    Absent,
}

/// Which of the reminders that rang; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// This one only.
    pub reminder_id: Option<ReminderId>,
}

/// How long what rang shall be put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// This reminder only; without it, all that rang.
    pub reminder_id: Option<ReminderId>,
    /// How long.
    pub delay: Delay,
}

impl Ring {
    pub(crate) fn body(&self) -> Value {
        Value::Object(of_reminder(self.reminder_id.as_ref()))
    }
}

impl Snooze {
    pub(crate) fn body(&self) -> Value {
        let mut body = of_reminder(self.reminder_id.as_ref());
        let (name, value) = match &self.delay {
            Delay::For(delay) => ("for", json!(delay)),
            Delay::Until(until) => ("until", json!(until)),
            Delay::Preset(name) => ("preset", json!(name)),
        };
        body.insert(name.into(), value);
        Value::Object(body)
    }
}

fn of_reminder(reminder: Option<&ReminderId>) -> Map<String, Value> {
    reminder.map(|id| ("reminderId".to_owned(), json!(id))).into_iter().collect()
}
