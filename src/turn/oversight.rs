//! What operators have a say in, and what they are told of: handed to the driver, so that turns need
//! no database of their own for it.

use super::effect::Numbers;
use super::record::UnreadableState;
use crate::firing::{Firing, never_stopped};
use crate::ports::{CallError, Parking, Removal, Users};
use crate::quota::{Admitted, Quotas};
use async_trait::async_trait;
use reminder_domain::TaskId;
use reminder_domain::ids::Person;
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
    /// What users may have; `None`: as much as there is.
    pub quotas: Option<Arc<Quotas>>,
}

/// Nobody stops anything, and nobody is told anything.
impl Default for Oversight {
    fn default() -> Self {
        let (parking, removal) = (Arc::new(Nobody), Arc::new(Nobody));
        Self { firing: never_stopped(), parking, removal, quotas: None }
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
    /// Whether a user may have a command done, which may leave one more open task.
    pub(crate) async fn admit(&self, users: &dyn Users, user: &Person, opens: bool) -> Admitted {
        match &self.quotas {
            Some(quotas) => quotas.admit(users, user, opens).await,
            None => Admitted::Yes,
        }
    }

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
