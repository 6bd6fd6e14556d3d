//! Events as `CloudEvents` 1.0 in structured mode, written and read.

mod encode;
mod event_type;

pub use encode::{encode, envelope};
pub use event_type::{EventType, Publisher};

use crate::data::{
    ReminderAcknowledged, ReminderExpired, ReminderFailed, ReminderRemoved, ReminderScheduled,
    ReminderSnoozed, ReminderTriggered, TaskAssigneeChanged, TaskCommentsUpdated, TaskEvent,
    TaskSync, TaskUpdated,
};
use crate::names;
use reminder_domain::{TaskId, Timestamp, Topic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The media type of an event in structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The `source` of the scheduler's events.
pub const SOURCE: &str = "/reminder-scheduler";

/// The `source` of the events of the service that owns the tasks.
pub const TODO_API_SOURCE: &str = "/todo-api";

/// The `source` of the events of the service that delivers what fired.
pub const NOTIFICATION_SOURCE: &str = "/notification-service";

/// The Kafka name of a topic.
pub const fn topic_name(topic: Topic) -> &'static str {
    match topic {
        Topic::Reminders => names::REMINDERS,
        Topic::TaskEvents => names::TASK_EVENTS,
        Topic::TaskUpdates => names::TASK_UPDATES,
    }
}

/// The Kafka key of a task's events: they share a partition, so their order survives.
pub fn partition_key(task: &TaskId) -> &str {
    task.as_str()
}

/// The identity of an event, the same on every retry.
pub fn event_id(task: &TaskId, incarnation: u32, topic: Topic, sequence: u64) -> String {
    format!("{task}:{incarnation}:{}-{sequence}", topic_name(topic))
}

/// An event in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudEvent<'a, D> {
    /// The version of the specification of this envelope, <https://cloudevents.io>.
    pub specversion: Cow<'a, str>,
    /// The identity of the event, the same on every retry. Drop an event whose id you have seen; ids
    /// are unique per `source`.
    #[schemars(length(min = 1), extend("examples" = ["milk-7:1:reminders-4"]))]
    pub id: Cow<'a, str>,
    /// Who tells it.
    pub source: Cow<'a, str>,
    /// What it tells.
    #[serde(rename = "type")]
    pub event_type: Cow<'a, str>,
    /// Whom it is about: `task:<task id>`.
    #[schemars(
        regex(pattern = "^task:[A-Za-z0-9][A-Za-z0-9_-]{0,127}$"),
        extend("examples" = ["task:milk-7"])
    )]
    pub subject: Cow<'a, str>,
    /// When it came to be, RFC 3339 in UTC.
    #[schemars(
        with = "String",
        extend("format" = "date-time", "examples" = ["2027-01-15T12:00:00.000Z"])
    )]
    pub time: Timestamp,
    /// The media type of `data`.
    pub datacontenttype: Cow<'a, str>,
    /// The schema of `data`.
    pub dataschema: Cow<'a, str>,
    /// The flow it belongs to, as the command that led to it gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<Cow<'a, str>>,
    /// Whose task it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userid: Option<Cow<'a, str>>,
    /// Orders the events of this source, task and topic; ten digits or more. The scheduler counts them
    /// from 1, without a gap; of an event of the todo-api it is the task's version there.
    #[schemars(regex(pattern = "^[0-9]{10,}$"), extend("examples" = ["0000000004"]))]
    pub sequence: Cow<'a, str>,
    /// The W3C trace context that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Cow<'a, str>>,
    /// The same, under Dapr's older name for it: the sidecar puts its own trace into events without
    /// this attribute, over a `traceparent` that is there as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceid: Option<Cow<'a, str>>,
    /// What happened.
    pub data: D,
}

/// The payload of any of our events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventData<'a> {
    /// A reminder got a time, or another one.
    ReminderScheduled(ReminderScheduled<'a>),
    /// A reminder fired.
    ReminderTriggered(ReminderTriggered<'a>),
    /// A firing was put off.
    ReminderSnoozed(ReminderSnoozed<'a>),
    /// Somebody has seen a firing.
    ReminderAcknowledged(ReminderAcknowledged<'a>),
    /// A reminder was past its late limit.
    ReminderExpired(ReminderExpired<'a>),
    /// A reminder will not fire any more.
    ReminderRemoved(ReminderRemoved<'a>),
    /// A firing could not be delivered.
    ReminderFailed(ReminderFailed<'a>),
    /// The scheduler changed a task.
    TaskUpdated(TaskUpdated<'a>),
    /// The owner of a task made it, changed it, completed it or deleted it.
    Task(TaskEvent<'a>),
    /// A whole task, for live front ends.
    TaskSync(TaskSync<'a>),
    /// Another person shall do a task.
    TaskAssigneeChanged(TaskAssigneeChanged<'a>),
    /// Somebody commented on a task.
    TaskCommentsUpdated(TaskCommentsUpdated<'a>),
}

/// An event of one of the scheduler's neighbours, in the same envelope as its own.
///
/// `sequence` orders the events of this source, task and topic; for the todo-api it is the version of
/// the task. The id follows from it, so that whatever is told twice has one identity.
pub fn neighbour<'a, D>(
    event_type: EventType,
    task: &TaskId,
    sequence: u64,
    time: Timestamp,
    flow: Flow<'a>,
    data: D,
) -> CloudEvent<'a, D> {
    let source = event_type.publisher().source().unwrap_or(TODO_API_SOURCE);
    let name = source.trim_start_matches('/');
    CloudEvent {
        specversion: Cow::Borrowed("1.0"),
        id: Cow::Owned(format!("{task}:{name}:{}-{sequence}", event_type.as_str())),
        source: Cow::Borrowed(source),
        event_type: Cow::Borrowed(event_type.as_str()),
        subject: Cow::Owned(format!("task:{task}")),
        time,
        datacontenttype: Cow::Borrowed("application/json"),
        dataschema: Cow::Borrowed(event_type.data_schema()),
        correlationid: flow.correlation_id,
        userid: flow.user_id,
        sequence: Cow::Owned(format!("{sequence:010}")),
        traceid: flow.traceparent.clone(),
        traceparent: flow.traceparent,
        data,
    }
}

/// What an event belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow<'a> {
    /// The id of the flow.
    pub correlation_id: Option<Cow<'a, str>>,
    /// Whose task it is.
    pub user_id: Option<Cow<'a, str>>,
    /// The W3C trace context.
    pub traceparent: Option<Cow<'a, str>>,
}

/// Why bytes could not be read as one of our events.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not an event in structured mode, or its data do not fit its type.
    #[error("not a readable event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// An event of a type that is not ours.
    #[error("an event of the unknown type {0:?}")]
    UnknownType(String),
}

impl CloudEvent<'static, EventData<'static>> {
    /// Reads any of our events.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let event: CloudEvent<'static, Box<RawValue>> = serde_json::from_slice(bytes)?;
        let event_type = EventType::parse(&event.event_type)
            .ok_or_else(|| ReadError::UnknownType(event.event_type.clone().into_owned()))?;
        let raw = event.data.get();
        let data = match event_type {
            EventType::ReminderScheduled => {
                EventData::ReminderScheduled(serde_json::from_str(raw)?)
            }
            EventType::ReminderTriggered => {
                EventData::ReminderTriggered(serde_json::from_str(raw)?)
            }
            EventType::ReminderSnoozed => EventData::ReminderSnoozed(serde_json::from_str(raw)?),
            EventType::ReminderAcknowledged => {
                EventData::ReminderAcknowledged(serde_json::from_str(raw)?)
            }
            EventType::ReminderExpired => EventData::ReminderExpired(serde_json::from_str(raw)?),
            EventType::ReminderRemoved => EventData::ReminderRemoved(serde_json::from_str(raw)?),
            EventType::ReminderFailed => EventData::ReminderFailed(serde_json::from_str(raw)?),
            EventType::TaskUpdated if event.source == SOURCE => {
                EventData::TaskUpdated(serde_json::from_str(raw)?)
            }
            EventType::TaskCreated
            | EventType::TaskUpdated
            | EventType::TaskDeleted
            | EventType::TaskStatusChanged
            | EventType::TaskDueDateChanged
            | EventType::TaskCompleted => EventData::Task(serde_json::from_str(raw)?),
            EventType::TaskSync => EventData::TaskSync(serde_json::from_str(raw)?),
            EventType::TaskAssigneeChanged => {
                EventData::TaskAssigneeChanged(serde_json::from_str(raw)?)
            }
            EventType::TaskCommentsUpdated => {
                EventData::TaskCommentsUpdated(serde_json::from_str(raw)?)
            }
        };
        Ok(event.with_data(data))
    }
}

impl<'a, D> CloudEvent<'a, D> {
    /// The same envelope around other data.
    pub fn with_data<E>(self, data: E) -> CloudEvent<'a, E> {
        CloudEvent {
            specversion: self.specversion,
            id: self.id,
            source: self.source,
            event_type: self.event_type,
            subject: self.subject,
            time: self.time,
            datacontenttype: self.datacontenttype,
            dataschema: self.dataschema,
            correlationid: self.correlationid,
            userid: self.userid,
            sequence: self.sequence,
            traceparent: self.traceparent,
            traceid: self.traceid,
            data,
        }
    }
}
