//! What an erasure cannot read is replaced by a deleted task of nobody's.

use super::{Place, RepairError, Replacement, repair};
use crate::erasure::Unreadable;
use crate::ports::CallError;
use crate::read_model::{ReadModel, UserLookup};
use async_trait::async_trait;
use reminder_domain::TaskId;
use std::sync::Arc;

/// Where that is done.
pub(crate) struct Burying {
    /// The database.
    pub(crate) model: Arc<ReadModel>,
    /// The state table.
    pub(crate) table: String,
    /// The incarnation that everything goes on in.
    pub(crate) incarnation: u32,
    /// What is known of users.
    pub(crate) users: Arc<UserLookup>,
}

#[async_trait]
impl Unreadable for Burying {
    async fn bury(&self, task: &TaskId) -> Result<(), CallError> {
        let Self { model, table, incarnation, users } = self;
        let place = Place { model, table, incarnation: *incarnation, users };
        match repair(place, task, &Replacement::Erased).await {
            Ok(_) => Ok(()),
            // It can be read after all, or is not there any more: the next look tells which.
            Err(RepairError::Refused(reason)) => Err(CallError(reason)),
            Err(error) => Err(CallError(error.to_string())),
        }
    }
}
