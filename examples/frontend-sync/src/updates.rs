//! What the topic `task-updates` says, for the feeds in memory. What is of no user, or of one who is not
//! looking, is of no interest here: it is loaded when somebody looks.

use crate::feed::{Change, Comments};
use crate::hub::Hub;
use reminder_contract::cloud_event::EventData;
use reminder_contract::names::TASK_UPDATES;
use reminder_member::{Delivered, Outcome, Sidecar, Subscriptions};
use std::sync::Arc;

/// Where the sidecar delivers the topic.
const ROUTE: &str = "/events/task-updates";

/// The subscription to the topic.
pub fn subscriptions(sidecar: Sidecar, hub: Arc<Hub>) -> Subscriptions {
    Subscriptions::new(sidecar).topic(TASK_UPDATES, ROUTE, move |delivered| {
        let outcome = take(&hub, delivered);
        async move { outcome }
    })
}

fn take(hub: &Hub, delivered: Delivered) -> Outcome {
    let event = delivered.event;
    let envelope_user = event.userid.map(std::borrow::Cow::into_owned);
    let (user, change) = match event.data {
        EventData::TaskSync(sync) => {
            let user = sync.task.user_id.as_deref().map(str::to_owned);
            (user.or(envelope_user), Change::Synced(Box::new(sync)))
        }
        EventData::TaskAssigneeChanged(changed) => {
            let assignee = changed.assignee.map(std::borrow::Cow::into_owned);
            let task_id = changed.task_id.into_owned();
            (envelope_user, Change::Assigned { task_id, assignee, version: changed.version })
        }
        EventData::TaskCommentsUpdated(updated) => {
            let task_id = updated.task_id.into_owned();
            let comments = Comments { count: updated.count, last: updated.last };
            (envelope_user, Change::Commented { task_id, comments, version: updated.version })
        }
        // The topic has no other types today. Another one is news for a later version of this service.
        _ => return Outcome::Done,
    };
    if let Some(user) = user {
        hub.apply(&user, &change);
    }
    Outcome::Done
}
