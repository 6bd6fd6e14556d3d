//! The store's part of a turn: reading the state, and writing it.

use super::Driver;
use crate::ports::{CommitError, Ports};
use crate::turn::effect::Outcome;
use crate::turn::{measure, record};
use reminder_domain::{TaskId, TaskState};
use std::sync::Arc;

impl<P: Ports> Driver<P> {
    pub(super) async fn commit(&self, id: &TaskId, state: &TaskState) -> Outcome {
        match self.ports.commit(id, record::encode(state)).await {
            Ok(()) => {
                measure::commit("committed");
                Outcome::Done
            }
            Err(CommitError::Fenced(reason)) => {
                measure::commit("fenced");
                tracing::info!(task.id = %id, reason, "another writer was first; deciding anew");
                Outcome::Fenced
            }
            Err(CommitError::Unknown(reason)) => {
                measure::commit("unconfirmed");
                Outcome::Failed(reason)
            }
        }
    }

    pub(super) async fn load(&self, id: &TaskId) -> Outcome {
        match self.ports.load(id).await {
            Ok(None) => Outcome::Loaded(None),
            Ok(Some(bytes)) => match record::decode(&bytes) {
                Ok(state) => Outcome::Loaded(Some(Arc::new(state))),
                Err(why) => Outcome::Unreadable(why),
            },
            Err(error) => Outcome::Failed(error.0),
        }
    }
}
