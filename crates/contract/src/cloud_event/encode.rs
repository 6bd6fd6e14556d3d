//! From the facts of a commit to events, borrowing all they say.

use super::{CloudEvent, EventData, EventType, SOURCE, event_id};
use crate::data::{
    Paused, ReminderAcknowledged, ReminderExpired, ReminderRemoved, ReminderScheduled,
    ReminderSnoozed, ReminderTriggered, ReminderView, TaskSnapshot, TaskStatus, TaskSync,
    TaskUpdated,
};
use reminder_domain::event::{Triggered, UpdateReason};
use reminder_domain::ids::{Description, Person, Tag};
use reminder_domain::recurrence::{Cursor, LocalMoment};
use reminder_domain::state::{PendingCommit, Snapshot};
use reminder_domain::time::DueTime;
use reminder_domain::{Event, Fact, TaskId};
use std::borrow::Cow;

/// Room for a usual event, in bytes, so that its buffer rarely grows.
const EVENT_CAPACITY_BYTES: usize = 1_024;

/// Writes one event of a commit.
///
/// The origin of a commit by a wake is the flow in which its alarms were scheduled: the correlation
/// id goes on, but the trace ended long ago. So its events name that trace as a link in their data,
/// and that of the wake, if it is traced, as their parent.
pub fn encode(
    task: &TaskId,
    incarnation: u32,
    commit: &PendingCommit,
    snapshot: &Snapshot,
    event: &Event,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(EVENT_CAPACITY_BYTES);
    let event = envelope(task, incarnation, commit, snapshot, event);
    serde_json::to_writer(&mut bytes, &event).expect("strings, numbers and lists always serialise");
    bytes
}

/// One event of a commit, borrowed from it.
pub fn envelope<'a>(
    task: &'a TaskId,
    incarnation: u32,
    commit: &'a PendingCommit,
    snapshot: &'a Snapshot,
    event: &'a Event,
) -> CloudEvent<'a, EventData<'a>> {
    let event_type = EventType::of(&event.fact);
    let (correlation_id, traceparent) = (&commit.origin.correlation_id, &commit.origin.traceparent);
    let traceparent = traceparent.as_ref().map(|parent| Cow::Borrowed(parent.as_str()));
    let woken = by_wake(commit);
    let parent = if woken {
        commit.trace.as_ref().map(|trace| Cow::Borrowed(trace.as_str()))
    } else {
        traceparent.clone()
    };
    CloudEvent {
        specversion: Cow::Borrowed("1.0"),
        id: Cow::Owned(event_id(task, incarnation, event.topic(), event.sequence)),
        source: Cow::Borrowed(SOURCE),
        event_type: Cow::Borrowed(event_type.as_str()),
        subject: Cow::Owned(format!("task:{task}")),
        time: commit.at,
        datacontenttype: Cow::Borrowed("application/json"),
        dataschema: Cow::Borrowed(event_type.data_schema()),
        correlationid: correlation_id.as_ref().map(|id| Cow::Borrowed(id.as_str())),
        userid: person(snapshot.task.user_id.as_ref()),
        sequence: Cow::Owned(format!("{:010}", event.sequence)),
        traceparent: parent.clone(),
        traceid: parent,
        data: data(task, snapshot, &event.fact, traceparent.filter(|_| woken)),
    }
}

/// Whether no command, but the clock led to a commit.
fn by_wake(commit: &PendingCommit) -> bool {
    commit.events.iter().any(|event| {
        matches!(
            event.fact,
            Fact::ReminderTriggered(_)
                | Fact::ReminderExpired { .. }
                | Fact::TaskUpdated { reason: UpdateReason::ReminderTriggered }
        )
    })
}

fn data<'a>(
    task: &'a TaskId,
    snapshot: &'a Snapshot,
    fact: &'a Fact,
    schedule_traceparent: Option<Cow<'a, str>>,
) -> EventData<'a> {
    let fields = &snapshot.task;
    let version = snapshot.version;
    let task_id = Cow::Borrowed(task.as_str());
    let title = Cow::Borrowed(fields.title.as_str());
    match fact {
        Fact::ReminderScheduled { reminder_id, scheduled_for } => {
            EventData::ReminderScheduled(ReminderScheduled {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                title,
                version,
            })
        }
        Fact::ReminderTriggered(triggered) => {
            let Triggered { reminder_id, scheduled_for, fired_at, .. } = triggered;
            EventData::ReminderTriggered(ReminderTriggered {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                fired_at: *fired_at,
                late_by_ms: u64::try_from(fired_at.millis_since(*scheduled_for)).unwrap_or(0),
                cause: triggered.cause.into(),
                coalesced: triggered.coalesced,
                original: triggered.original,
                nag: triggered.nag,
                occurrence: triggered.occurrence.map(|cursor| occurrence(snapshot, cursor)),
                title,
                description: description(fields.description.as_ref()),
                priority: fields.priority,
                tags: tags(&fields.tags),
                assignee: person(fields.assignee.as_ref()),
                user_id: person(fields.user_id.as_ref()),
                due_date: fields.due_date.as_ref().map(Cow::Borrowed),
                version,
                schedule_traceparent,
            })
        }
        Fact::ReminderSnoozed { reminder_id, scheduled_for, until } => {
            EventData::ReminderSnoozed(ReminderSnoozed {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                until: *until,
                version,
            })
        }
        Fact::ReminderAcknowledged { reminder_id, scheduled_for, acknowledged_at } => {
            EventData::ReminderAcknowledged(ReminderAcknowledged {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                acknowledged_at: *acknowledged_at,
                version,
            })
        }
        Fact::ReminderExpired { reminder_id, scheduled_for, expired_at, coalesced } => {
            EventData::ReminderExpired(ReminderExpired {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                expired_at: *expired_at,
                coalesced: *coalesced,
                title,
                version,
            })
        }
        Fact::ReminderRemoved { reminder_id, scheduled_for, reason } => {
            EventData::ReminderRemoved(ReminderRemoved {
                task_id,
                reminder_id: Cow::Borrowed(reminder_id.as_str()),
                scheduled_for: *scheduled_for,
                reason: (*reason).into(),
                version,
            })
        }
        Fact::TaskUpdated { reason } => EventData::TaskUpdated(TaskUpdated {
            task: task_snapshot(task, snapshot),
            reason: (*reason).into(),
        }),
        Fact::TaskSync => EventData::TaskSync(TaskSync {
            task: task_snapshot(task, snapshot),
            reminders: reminder_views(snapshot),
        }),
    }
}

fn task_snapshot<'a>(task: &'a TaskId, snapshot: &'a Snapshot) -> TaskSnapshot<'a> {
    let fields = &snapshot.task;
    let status = (!snapshot.deleted).then_some(fields.status);
    TaskSnapshot {
        task_id: Cow::Borrowed(task.as_str()),
        title: Cow::Borrowed(fields.title.as_str()),
        description: description(fields.description.as_ref()),
        due_date: fields.due_date.as_ref().map(Cow::Borrowed),
        start: fields.start.as_ref().map(Cow::Borrowed),
        recurrence: fields.recurrence.as_ref().map(Cow::Borrowed),
        priority: fields.priority,
        tags: tags(&fields.tags),
        status: TaskStatus::from(status),
        assignee: person(fields.assignee.as_ref()),
        created_by: person(fields.created_by.as_ref()),
        user_id: person(fields.user_id.as_ref()),
        version: snapshot.version,
        source_version: snapshot.source_version,
        next_reminder_at: snapshot.next_reminder_at(),
        paused: snapshot.paused.map(Paused::from),
    }
}

fn reminder_views(snapshot: &Snapshot) -> Vec<ReminderView<'_>> {
    snapshot.alarms.iter().map(|alarm| ReminderView::of(alarm, snapshot.deleted)).collect()
}

/// An occurrence as the caller knows it: a date where the task is due on dates.
fn occurrence(snapshot: &Snapshot, cursor: Cursor) -> LocalMoment {
    match snapshot.task.due_date {
        Some(DueTime::Date(_)) => LocalMoment::Date(cursor.local.date()),
        _ => LocalMoment::DateTime(cursor.local),
    }
}

fn description(text: Option<&Description>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

fn person(person: Option<&Person>) -> Option<Cow<'_, str>> {
    person.map(|person| Cow::Borrowed(person.as_str()))
}

fn tags(tags: &[Tag]) -> Vec<Cow<'_, str>> {
    tags.iter().map(|tag| Cow::Borrowed(tag.as_str())).collect()
}
