//! What operators have a say in, and what they are told of: handed to the driver, so that turns need
//! no database of their own for it.

use super::effect::Numbers;
use super::record::UnreadableState;
use crate::firing::{Firing, never_stopped};
use crate::ports::{CallError, Parking, Removal};
use async_trait::async_trait;
use reminder_domain::TaskId;
use reminder_domain::restored::FIRST_INCARNATION;
use std::sync::Arc;

/// What operators have a say in, and what they are told of.
#[derive(Clone)]
pub struct Oversight {
    /// Whose reminders shall not fire now.
    pub firing: Firing,
    /// Where it is noted that a task's state cannot be used.
    pub parking: Arc<dyn Parking>,
    /// How tasks go for good.
    pub removal: Arc<dyn Removal>,
}

/// Nobody stops anything, and nobody is told anything.
impl Default for Oversight {
    fn default() -> Self {
        Self { firing: never_stopped(), parking: Arc::new(Nobody), removal: Arc::new(Nobody) }
    }
}

struct Nobody;

#[async_trait]
impl Parking for Nobody {
    async fn park(&self, _: &TaskId, _: &UnreadableState) -> Result<bool, CallError> {
        Ok(false)
    }
}

/// Nothing ever goes.
#[async_trait]
impl Removal for Nobody {
    async fn births(&self) -> Result<u32, CallError> {
        Ok(FIRST_INCARNATION)
    }

    async fn remove(&self, _: &TaskId, _: Numbers) -> Result<bool, CallError> {
        Ok(false)
    }
}

impl Oversight {
    /// Notes that a task's state cannot be used, and alerts once; tells whether it is noted.
    pub(crate) async fn park(&self, id: &TaskId, why: &UnreadableState) -> bool {
        match self.parking.park(id, why).await {
            Ok(is_news) => {
                if is_news {
                    alert(id, why);
                }
                true
            }
            // The next turn tries again.
            Err(error) => {
                tracing::warn!(task.id = %id, %why, %error, "a task could not be parked");
                false
            }
        }
    }
}

/// The one line that is logged when a task is parked.
pub(crate) fn alert(id: &TaskId, why: &UnreadableState) {
    let reason = why.reason();
    tracing::error!(task.id = %id, reason, detail = %why, "a task was parked: its state cannot be used");
}
