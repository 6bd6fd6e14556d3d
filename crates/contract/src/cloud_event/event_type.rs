//! The event types: their names, topics and schemas, in one table.

use super::{NOTIFICATION_SOURCE, SOURCE, TODO_API_SOURCE};
use reminder_domain::{Fact, Topic};

/// Declares the event types as one table.
macro_rules! event_types {
    ($($(#[doc = $doc:literal])+ $name:ident = $type:literal on $topic:ident by $publisher:ident;)*) => {
        /// The types of event on the three topics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $($(#[doc = $doc])+ $name,)*
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The event's `type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $type,)* }
            }

            /// What it tells, for people: the comments of the table, line by line.
            const fn lines(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($doc),+],)* }
            }

            /// Where it is published.
            pub const fn topic(self) -> Topic {
                match self { $(Self::$name => Topic::$topic,)* }
            }

            /// Who tells it.
            pub const fn publisher(self) -> Publisher {
                match self { $(Self::$name => Publisher::$publisher,)* }
            }

            /// The `$id` of its schema, which describes the whole event.
            pub const fn schema_id(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("https://reminder-scheduler.dev/schemas/", $type, "/v1.json"),)*
                }
            }

            /// The event's `dataschema`. `CloudEvents` wants the schema of `data` alone, which is a
            /// part of the event's schema with an anchor of its own.
            pub const fn data_schema(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("https://reminder-scheduler.dev/schemas/", $type, "/v1.json#data"),)*
                }
            }
        }
    };
}

/// Who tells a type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Publisher {
    /// The scheduler, and nobody else.
    Scheduler,
    /// The service that owns the tasks.
    TodoApi,
    /// Whoever changed the task: its owner, or the scheduler.
    Either,
    /// Who delivers what fired.
    NotificationService,
}

impl Publisher {
    /// The `source` of its events, where there is only one.
    pub const fn source(self) -> Option<&'static str> {
        match self.sources() {
            [source] => Some(source),
            _ => None,
        }
    }

    /// Every `source` that its events may have.
    pub const fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Scheduler => &[SOURCE],
            Self::TodoApi => &[TODO_API_SOURCE],
            Self::NotificationService => &[NOTIFICATION_SOURCE],
            Self::Either => &[SOURCE, TODO_API_SOURCE],
        }
    }
}

event_types! {
    /// A reminder got a time, or another one; also when a task is reopened.
    ReminderScheduled = "reminder.scheduled" on Reminders by Scheduler;
    /// A reminder fired. `scheduledFor` is the due time of this very firing; `original` is the moment
    /// of the schedule where quiet hours, a snooze or a nag made it another one, and `occurrence` the
    /// occurrence of a recurring task.
    ReminderTriggered = "reminder.triggered" on Reminders by Scheduler;
    /// A firing was put off until then. A second snooze replaces the first one; the schedule does not
    /// move.
    ReminderSnoozed = "reminder.snoozed" on Reminders by Scheduler;
    /// Somebody has seen a firing, or dismissed it: it does not nag any more, its snooze is forgotten,
    /// and whatever is replayed, it does not come again.
    ReminderAcknowledged = "reminder.acknowledged" on Reminders by Scheduler;
    /// A reminder's turn came later than its `lateLimit` allows, after an outage for instance. It did
    /// not fire.
    ReminderExpired = "reminder.expired" on Reminders by Scheduler;
    /// A reminder will not fire any more at that moment. A snooze that is called off is told so too,
    /// with its own time. A reminder that merely moves gets a new `reminder.scheduled` instead.
    ReminderRemoved = "reminder.removed" on Reminders by Scheduler;
    /// A firing could not be delivered to its user, after every retry.
    ReminderFailed = "reminder.failed" on Reminders by NotificationService;
    /// A task was made.
    TaskCreated = "task.created" on TaskEvents by TodoApi;
    /// A task was changed, by its owner or by the scheduler: `source` says by whom, and each tells it
    /// in its own way.
    TaskUpdated = "task.updated" on TaskEvents by Either;
    /// A task is gone; the data are its last words.
    TaskDeleted = "task.deleted" on TaskEvents by TodoApi;
    /// A task was begun, put back or reopened.
    TaskStatusChanged = "task.status.changed" on TaskEvents by TodoApi;
    /// A task is due at another time.
    TaskDueDateChanged = "task.due.date.changed" on TaskEvents by TodoApi;
    /// A task is done. A recurring task moves on to its next occurrence, which the scheduler tells
    /// with `task.updated`.
    TaskCompleted = "task.completed" on TaskEvents by TodoApi;
    /// A whole task with its reminders as they stand, with every change; for live front ends.
    TaskSync = "task.sync" on TaskUpdates by Scheduler;
    /// Another person shall do a task.
    TaskAssigneeChanged = "task.assignee.changed" on TaskUpdates by TodoApi;
    /// Somebody commented on a task.
    TaskCommentsUpdated = "task.comments.updated" on TaskUpdates by TodoApi;
}

impl EventType {
    /// The type of the event that tells a fact.
    pub fn of(fact: &Fact) -> Self {
        match fact {
            Fact::ReminderScheduled { .. } => Self::ReminderScheduled,
            Fact::ReminderTriggered(_) => Self::ReminderTriggered,
            Fact::ReminderSnoozed { .. } => Self::ReminderSnoozed,
            Fact::ReminderAcknowledged { .. } => Self::ReminderAcknowledged,
            Fact::ReminderExpired { .. } => Self::ReminderExpired,
            Fact::ReminderRemoved { .. } => Self::ReminderRemoved,
            Fact::TaskUpdated { .. } => Self::TaskUpdated,
            Fact::TaskSync => Self::TaskSync,
        }
    }

    /// What it tells, for people.
    pub fn about(self) -> String {
        self.lines().iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }

    /// The type with this name, if it is one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name)
    }
}
