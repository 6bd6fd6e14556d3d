//! What iCalendar has no words for: our own properties.
//!
//! Such a property is believed as long as the ones beside it still say what was written with it: a
//! program that changes `DUE` but keeps what it does not know has changed the task.

use crate::times::{Times, When};
use crate::tree::Component;
use reminder_domain::Timestamp;
use reminder_domain::ids::Person;
use reminder_domain::reminder::Reminder;
use reminder_domain::task::{Priority, TaskFields};
use serde::{Deserialize, Serialize};

/// Exactly when the task is, in our JSON; beside `DTSTART`, `DUE`, `RRULE`, `EXDATE` and `RDATE`.
pub(crate) const SCHEDULE: &str = "X-REMINDER-SCHEDULE";
/// The description with all its characters, in JSON; beside `DESCRIPTION`.
pub(crate) const DESCRIPTION: &str = "X-REMINDER-DESCRIPTION";
/// The priority in our words; beside `PRIORITY`.
pub(crate) const PRIORITY: &str = "X-REMINDER-PRIORITY";
/// That the reminders are the default ones, and which; beside the `VALARM`s.
pub(crate) const DEFAULTS: &str = "X-REMINDER-DEFAULTS";
/// Reminders that count from what the task does not have, so that no `VALARM` may say them.
pub(crate) const ASLEEP: &str = "X-REMINDER-ASLEEP";
/// Those who have to do with the task, in the order of [`people`].
pub(crate) const PEOPLE: [&str; 3] =
    ["X-REMINDER-USER-ID", "X-REMINDER-ASSIGNEE", "X-REMINDER-CREATED-BY"];

/// A reminder without an alarm.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asleep {
    /// Its place among all reminders.
    pub(crate) index: usize,
    pub(crate) reminder: Reminder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) acknowledged: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) snoozed_until: Option<Timestamp>,
}

/// Those who have to do with the task.
pub(crate) fn people(fields: &TaskFields) -> [Option<&Person>; 3] {
    [fields.user_id.as_ref(), fields.assignee.as_ref(), fields.created_by.as_ref()]
}

/// A text as iCalendar may have it: its line breaks are escaped, other control characters have no
/// place but the tab.
pub(crate) fn plain(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|char| matches!(char, '\n' | '\t') || !char.is_control()).collect()
}

/// The `PRIORITY` of a task.
pub(crate) fn number_of(priority: Priority) -> u8 {
    match priority {
        Priority::Urgent => 1,
        Priority::High => 3,
        Priority::Normal => 5,
        Priority::Low => 9,
    }
}

/// What times mean by themselves; `None` for such as are refused.
pub(crate) fn meaning(times: &Times) -> Option<When> {
    let nowhere =
        Component { name: String::new(), line: 0, properties: Vec::new(), components: Vec::new() };
    times.meaning(&nowhere).ok()
}
