//! The event types: their names, topics and schemas, in one table.

use reminder_domain::{Fact, Topic};

/// Declares the event types as one table.
macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $type:literal on $topic:ident;)*) => {
        /// The types of event that the scheduler publishes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $($(#[$doc])* $name,)*
        }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The event's `type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $type,)* }
            }

            /// Where it is published.
            pub const fn topic(self) -> Topic {
                match self { $(Self::$name => Topic::$topic,)* }
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

event_types! {
    /// A reminder got a time, or another one.
    ReminderScheduled = "reminder.scheduled" on Reminders;
    /// A reminder fired.
    ReminderTriggered = "reminder.triggered" on Reminders;
    /// A firing was put off.
    ReminderSnoozed = "reminder.snoozed" on Reminders;
    /// Somebody has seen a firing.
    ReminderAcknowledged = "reminder.acknowledged" on Reminders;
    /// A reminder was past its late limit when its turn came.
    ReminderExpired = "reminder.expired" on Reminders;
    /// A reminder will not fire any more.
    ReminderRemoved = "reminder.removed" on Reminders;
    /// The scheduler changed a task.
    TaskUpdated = "task.updated" on TaskEvents;
    /// A whole task, for live front ends.
    TaskSync = "task.sync" on TaskUpdates;
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

    /// The type with this name, if it is one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name)
    }
}
