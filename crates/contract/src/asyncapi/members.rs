//! The members of the mesh: who tells what, and who listens to what.

use crate::cloud_event::{EventType, Publisher};
use crate::names::{APP_ID, FRONTEND_APP_ID, NOTIFICATION_APP_ID, TODO_API_APP_ID};
use reminder_domain::Topic;

/// A service of the mesh.
pub(super) struct Member {
    /// Its Dapr app id, which is its consumer group too.
    pub(super) app_id: &'static str,
    /// What it is there for.
    pub(super) about: &'static str,
    /// As whom it publishes.
    publishes_as: &'static [Publisher],
    /// What it consumes.
    consumes: &'static [EventType],
    /// The topics whose dead letters it keeps for operators.
    pub(super) keeps_dead_letters_of: &'static [Topic],
}

impl Member {
    /// What it publishes on a topic.
    pub(super) fn sends(&self, topic: Topic) -> Vec<EventType> {
        let all = EventType::ALL.iter().copied().filter(|event_type| event_type.topic() == topic);
        all.filter(|event_type| self.publishes_as.contains(&event_type.publisher())).collect()
    }

    /// What it consumes of a topic.
    pub(super) fn receives(&self, topic: Topic) -> Vec<EventType> {
        let all = self.consumes.iter().copied();
        all.filter(|event_type| event_type.topic() == topic).collect()
    }
}

/// All of them.
pub(super) const MEMBERS: [Member; 4] = [
    Member {
        app_id: APP_ID,
        about: "keeps the reminders of every task, and tells when one fires",
        publishes_as: &[Publisher::Scheduler, Publisher::Either],
        consumes: &[
            EventType::TaskCreated,
            EventType::TaskUpdated,
            EventType::TaskDeleted,
            EventType::TaskStatusChanged,
            EventType::TaskDueDateChanged,
            EventType::TaskCompleted,
        ],
        keeps_dead_letters_of: &[Topic::TaskEvents, Topic::Reminders, Topic::TaskUpdates],
    },
    Member {
        app_id: TODO_API_APP_ID,
        about: "owns the tasks",
        publishes_as: &[Publisher::TodoApi, Publisher::Either],
        // What the scheduler has moved on.
        consumes: &[EventType::TaskUpdated],
        keeps_dead_letters_of: &[],
    },
    Member {
        app_id: NOTIFICATION_APP_ID,
        about: "delivers what fired to the user",
        publishes_as: &[Publisher::NotificationService],
        // What fired; and what makes a delivery needless that still waits.
        consumes: &[
            EventType::ReminderTriggered,
            EventType::ReminderSnoozed,
            EventType::ReminderAcknowledged,
            EventType::ReminderRemoved,
        ],
        keeps_dead_letters_of: &[],
    },
    Member {
        app_id: FRONTEND_APP_ID,
        about: "shows tasks and reminders live",
        publishes_as: &[],
        consumes: &[
            EventType::TaskSync,
            EventType::TaskAssigneeChanged,
            EventType::TaskCommentsUpdated,
        ],
        keeps_dead_letters_of: &[],
    },
];
