//! The effects of a turn, done.

use super::Driver;
use crate::clock;
use crate::planted::{self, Bug};
use crate::ports::{CallError, CommitError, Ports, Registered};
use crate::quota::Admitted;
use crate::turn::cell::Written;
use crate::turn::effect::{Effect, Outcome};
use crate::turn::packed::Packed;
use crate::turn::{measure, record, trace};
use reminder_domain::{TaskId, TaskState};
use std::sync::Arc;

impl<P: Ports> Driver<P> {
    pub(super) async fn perform(
        &self,
        id: &TaskId,
        effect: Effect,
        written: &mut Option<Written>,
    ) -> Outcome {
        let done = |result: Result<(), CallError>| match result {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Failed(error.0),
        };
        match effect {
            Effect::Load => self.load(id).await,
            Effect::LoadWatermark(epoch) => match self.ports.load_watermark(epoch).await {
                Ok(n) => Outcome::Watermark(n),
                Err(error) => Outcome::Failed(error.0),
            },
            Effect::LoadPreferences { user, may_be_old } => {
                self.users.preferences(&user, may_be_old).await
            }
            Effect::Admit { user, opens } => {
                match self.oversight.admit(self.users.read(), &user, opens).await {
                    Admitted::Yes => Outcome::Done,
                    Admitted::No(over) => Outcome::OverQuota(over),
                    Admitted::Unknown(reason) => Outcome::Failed(reason),
                }
            }
            Effect::WaitUntil(at) => {
                clock::wait_until(&*self.clock, at).await;
                Outcome::Done
            }
            Effect::Arm(at) => done(self.ports.arm(id, at).await),
            Effect::ArmIfAbsent(at) => match self.ports.arm_if_absent(id, at).await {
                Ok(Registered::Now) => Outcome::Done,
                Ok(Registered::Already) => Outcome::ArmedAlready,
                Err(error) => Outcome::Failed(error.0),
            },
            Effect::Disarm => done(self.ports.disarm(id).await),
            Effect::Commit(state) => self.commit(id, state, record::encode, written).await,
            Effect::Create(state) => self.commit(id, state, record::encode_first, written).await,
            Effect::LoadBirths => match self.oversight.removal.births().await {
                Ok(births) => Outcome::Births(births),
                Err(error) => Outcome::Failed(error.0),
            },
            Effect::Remove(numbers) => match self.oversight.removal.remove(id, numbers).await {
                Ok(true) => Outcome::Done,
                Ok(false) => Outcome::Fenced,
                Err(error) => Outcome::Failed(error.0),
            },
            Effect::Publish(handovers) => {
                trace::committed(&handovers);
                self.publisher.enqueue(id, handovers);
                Outcome::Done
            }
            Effect::Finish(_) => Outcome::Done,
        }
    }

    async fn commit(
        &self,
        id: &TaskId,
        state: Arc<TaskState>,
        encode: fn(&TaskState) -> Vec<u8>,
        written: &mut Option<Written>,
    ) -> Outcome {
        if planted::is(Bug::PublishBeforeCommit) {
            self.publisher.enqueue(id, planted::handovers(&state));
        }
        let bytes = encode(&state);
        *written = record::document(&bytes).map(|text| Written { state, text: Packed::of(text) });
        match self.ports.commit(id, bytes).await {
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

    async fn load(&self, id: &TaskId) -> Outcome {
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
