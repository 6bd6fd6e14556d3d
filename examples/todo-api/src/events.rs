//! What the scheduler tells: a task that it has moved on to its next occurrence.

use crate::store::{Store, StoreError};
use reminder_contract::cloud_event::{EventData, SOURCE};
use reminder_domain::TaskId;
use reminder_member::{Delivered, Outcome};

/// Handles an event of `task-events`. Most of them are our own.
pub(crate) async fn handle(store: Store, delivered: Delivered) -> Outcome {
    let event = delivered.event;
    let EventData::TaskUpdated(told) = event.data else { return Outcome::Done };
    if event.source != SOURCE {
        return Outcome::Done;
    }
    let id = match TaskId::parse(told.task.task_id.as_ref()) {
        Ok(id) => id,
        Err(error) => return Outcome::DeadLetter(format!("taskId {error}")),
    };
    match store.follow(&id, &told).await {
        Ok(true) => {
            tracing::info!("took over what the scheduler has changed");
            Outcome::Done
        }
        Ok(false) => Outcome::Done,
        Err(StoreError::Sidecar(error)) if error.is_transient() => {
            Outcome::Retry(error.to_string())
        }
        Err(error) => Outcome::DeadLetter(error.to_string()),
    }
}
