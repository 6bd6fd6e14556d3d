//! A task as it is stored, with the events that are still to be published: one value, so that both
//! change together or not at all.

use reminder_contract::EventType;
use reminder_contract::cloud_event::{CloudEvent, neighbour, topic_name};
use reminder_contract::data::{
    Comment, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent, TaskStatus,
};
use reminder_domain::ids::Person;
use reminder_domain::task::{Status, Task};
use reminder_domain::{TaskId, Timestamp};
use reminder_member::Flow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// Events of one task that may wait for the broker. One too many is refused rather than lost.
pub(crate) const PENDING_MAX: usize = 100;

/// Comments that are kept of a task; the oldest go first.
pub(crate) const COMMENTS_MAX: usize = 200;

/// A stored task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub(crate) task_id: TaskId,
    pub(crate) task: Task,
    /// Counts what its owner changes: the version that events tell, and the scheduler follows.
    pub(crate) version: u64,
    /// Counts whatever changes, comments and the scheduler's advances too: what an `ETag` names.
    pub(crate) revision: u64,
    /// The version at which the owner last changed when the task is due, recurs or is done. What the
    /// scheduler says having followed that one still holds.
    pub(crate) schedule_version: u64,
    /// The last version of the scheduler's that was taken over.
    #[serde(default)]
    pub(crate) scheduler_version: u64,
    /// The task as it was made, as a hash: the same creation once more is told apart from another one.
    #[serde(default)]
    pub(crate) made_from: Option<u32>,
    /// What is left of a deleted task: its version must not begin anew with its id.
    #[serde(default)]
    pub(crate) deleted: bool,
    #[serde(default)]
    pub(crate) comments: Vec<Comment<'static>>,
    /// How many comments there ever were.
    #[serde(default)]
    pub(crate) comment_count: u32,
    /// Counts events, to know which are published.
    #[serde(default)]
    pub(crate) last_event: u64,
    #[serde(default)]
    pub(crate) pending: Vec<Pending>,
}

/// An event that the broker does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pending {
    pub(crate) number: u64,
    pub(crate) topic: String,
    pub(crate) event: CloudEvent<'static, Value>,
}

impl Document {
    /// What its owner knows, as events and answers tell it.
    pub(crate) fn told(&self) -> TaskEvent<'_> {
        let task = &self.task;
        let person = |person: &Option<Person>| {
            person.as_ref().map(|person| Cow::Owned(person.as_str().to_owned()))
        };
        TaskEvent {
            task_id: Cow::Borrowed(self.task_id.as_str()),
            title: Cow::Borrowed(task.title.as_str()),
            description: task.description.as_ref().map(|text| Cow::Borrowed(text.as_str())),
            due_date: task.due_date.as_ref().map(Cow::Borrowed),
            start: task.start.as_ref().map(Cow::Borrowed),
            recurrence: task.recurrence.as_ref().map(Cow::Borrowed),
            priority: task.priority,
            tags: task.tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect(),
            status: TaskStatus::from((!self.deleted).then_some(task.status)),
            assignee: person(&task.assignee),
            created_by: person(&task.created_by),
            user_id: person(&task.user_id),
            reminders: task.reminders.clone(),
            version: self.version,
            previous_status: None,
            previous_due_date: None,
        }
    }

    /// The owner's next version, with the events that tell of it. `before` is what there was.
    pub(crate) fn tell(&mut self, before: Option<&Self>, flow: &Flow, now: Timestamp) {
        let before = before.filter(|before| !before.deleted);
        let event_type = what_changed(before, self);
        let mut data = self.told();
        if let Some(before) = before {
            if event_type == EventType::TaskStatusChanged {
                data.previous_status = Some(TaskStatus::from(Some(before.task.status)));
            }
            if event_type == EventType::TaskDueDateChanged {
                data.previous_due_date = before.task.due_date.as_ref().map(Cow::Borrowed);
            }
        }
        let event = self.event(event_type, self.version, flow, now, &data);
        let person = |document: &Self| {
            document.task.assignee.as_ref().map(|person| Cow::Owned(person.as_str().to_owned()))
        };
        let (assignee, previous) = (person(self), before.and_then(person));
        self.append(event_type, event);
        if assignee == previous || self.deleted {
            return;
        }
        let event_type = EventType::TaskAssigneeChanged;
        let data = TaskAssigneeChanged {
            task_id: Cow::Borrowed(self.task_id.as_str()),
            assignee,
            previous,
            version: self.version,
        };
        let event = self.event(event_type, self.version, flow, now, &data);
        self.append(event_type, event);
    }

    /// Adds a comment and the event that tells of it.
    pub(crate) fn comment(&mut self, comment: Comment<'static>, flow: &Flow) {
        let now = comment.at;
        self.comment_count += 1;
        self.comments.push(comment);
        if self.comments.len() > COMMENTS_MAX {
            self.comments.remove(0);
        }
        let event_type = EventType::TaskCommentsUpdated;
        let data = TaskCommentsUpdated {
            task_id: Cow::Borrowed(self.task_id.as_str()),
            count: self.comment_count,
            last: self.comments.last().cloned(),
            version: self.version,
        };
        // A comment is no version of the task, so comments are counted by themselves.
        let event = self.event(event_type, u64::from(self.comment_count), flow, now, &data);
        self.append(event_type, event);
    }

    fn event(
        &self,
        event_type: EventType,
        sequence: u64,
        flow: &Flow,
        now: Timestamp,
        data: &impl Serialize,
    ) -> CloudEvent<'static, Value> {
        let data = serde_json::to_value(data).unwrap_or_default();
        let user = self.task.user_id.as_ref().map(Person::as_str);
        let event = neighbour(event_type, &self.task_id, sequence, now, flow.event(user), ());
        owned(event).with_data(data)
    }

    fn append(&mut self, event_type: EventType, event: CloudEvent<'static, Value>) {
        self.last_event += 1;
        let topic = topic_name(event_type.topic()).to_owned();
        self.pending.push(Pending { number: self.last_event, topic, event });
    }
}

/// One event for each version: whoever has followed a version ignores a second event of it. Each tells
/// the whole task, so nothing is lost by the choice.
fn what_changed(before: Option<&Document>, after: &Document) -> EventType {
    let Some(before) = before else { return EventType::TaskCreated };
    if after.deleted {
        return EventType::TaskDeleted;
    }
    match (before.task.status, after.task.status) {
        (from, to) if from == to => {}
        (_, Status::Completed) => return EventType::TaskCompleted,
        _ => return EventType::TaskStatusChanged,
    }
    if before.task.due_date == after.task.due_date {
        EventType::TaskUpdated
    } else {
        EventType::TaskDueDateChanged
    }
}

fn owned(event: CloudEvent<'_, ()>) -> CloudEvent<'static, ()> {
    let text = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    CloudEvent {
        specversion: text(event.specversion),
        id: text(event.id),
        // `task.updated` is told by two; here it is the owner who does.
        source: Cow::Borrowed(reminder_contract::cloud_event::TODO_API_SOURCE),
        event_type: text(event.event_type),
        subject: text(event.subject),
        time: event.time,
        datacontenttype: text(event.datacontenttype),
        dataschema: text(event.dataschema),
        correlationid: event.correlationid.map(text),
        userid: event.userid.map(text),
        sequence: text(event.sequence),
        traceparent: event.traceparent.map(text),
        traceid: event.traceid.map(text),
        data: event.data,
    }
}
