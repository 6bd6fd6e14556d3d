//! News to feed a feed with.

use frontend_sync::feed::{Change, Comments};
use reminder_contract::data::{TaskEvent, TaskSync};
use serde_json::json;

pub(crate) const USER: &str = "ada@example.org";

/// The scheduler tells a task of [`USER`].
pub(crate) fn synced(task: &str, version: u64, status: &str) -> Change {
    synced_of(task, version, status, USER)
}

/// The scheduler tells a task of somebody.
pub(crate) fn synced_of(task: &str, version: u64, status: &str, user: &str) -> Change {
    let sync: TaskSync<'static> = serde_json::from_value(json!({
        "taskId": task,
        "title": format!("{task} at {version}"),
        "description": null,
        "dueDate": "2027-01-15T18:00:00.000Z",
        "start": null,
        "recurrence": null,
        "priority": "normal",
        "tags": [],
        "status": status,
        "assignee": null,
        "createdBy": null,
        "userId": user,
        "version": version,
        "sourceVersion": version,
        "nextReminderAt": "2027-01-15T18:00:00.000Z",
        "reminders": [
            {"id": "due", "scheduledFor": "2027-01-15T18:00:00.000Z", "state": "scheduled"},
        ],
    }))
    .unwrap();
    Change::Synced(Box::new(sync))
}

/// The owner lists a task of [`USER`].
pub(crate) fn listed(task: &str, version: u64) -> Change {
    let listed: TaskEvent<'static> = serde_json::from_value(json!({
        "taskId": task,
        "title": format!("{task} at its owner"),
        "status": "pending",
        "userId": USER,
        "version": version,
    }))
    .unwrap();
    Change::Listed(Box::new(listed))
}

pub(crate) fn assigned(task: &str, version: u64) -> Change {
    let assignee = Some(format!("person {version}"));
    Change::Assigned { task_id: task.into(), assignee, version }
}

pub(crate) fn commented(task: &str, version: u64) -> Change {
    let count = u32::try_from(version).unwrap();
    let comments = Comments { count, last: None };
    Change::Commented { task_id: task.into(), comments, version }
}
