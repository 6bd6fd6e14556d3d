//! Whether a command's user may have it done: asked once a turn, and only where there are quotas.

use super::choice::Source;
use super::{Machine, Phase};
use crate::turn::draft::Ledger;
use crate::turn::effect::{Effect, Outcome, Reply, Request};
use reminder_domain::state::Live;
use reminder_domain::{Change, CommandKind, TaskState, Timestamp};

/// What is known of it in this turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Admission {
    /// There are no quotas.
    #[default]
    Free,
    /// Nobody asked.
    NotAsked,
    /// It may.
    Given,
}

impl Machine {
    /// The same turn where users have quotas.
    #[must_use]
    pub fn with_quotas(self, there_are: bool) -> Self {
        let admission = if there_are { Admission::NotAsked } else { Admission::Free };
        Self { admission, ..self }
    }

    /// What to ask before a command's change is committed. What its owner tells of a task is followed
    /// regardless, and a command that is known or changes nothing comes to no change.
    pub(super) fn to_admit(&self, before: Option<&TaskState>, change: &Change) -> Option<Effect> {
        let Request::Command(command) = &self.request else { return None };
        let asks = self.admission == Admission::NotAsked;
        if !asks || matches!(command.kind, CommandKind::Ingest(_)) {
            return None;
        }
        let (was, is) = (before.and_then(TaskState::live), change.state.live());
        let user = is.or(was)?.task.user_id.clone()?;
        let is_open = |live: Option<&Live>| {
            let task = live.map(|live| &live.task);
            task.is_some_and(|task| task.status.is_open() && task.user_id.as_ref() == Some(&user))
        };
        let opens = is_open(is) && !is_open(was);
        Some(Effect::Admit { user, opens })
    }

    /// Goes on with what came of asking.
    pub(super) fn admitted(
        &mut self,
        outcome: Outcome,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        match outcome {
            Outcome::Done => {
                self.admission = Admission::Given;
                self.consider(ledger, now)
            }
            // What this process knows may be old, and a command that is known is answered.
            Outcome::OverQuota(_) if self.source != Source::Store => self.load(),
            Outcome::OverQuota(over) => self.finish(Reply::OverQuota(over), ledger),
            Outcome::Failed(reason) => self.fail(reason, ledger, now),
            outcome => panic!("outcome {outcome:?} does not belong to asking for admission"),
        }
    }

    /// Asks whether a change may be made, if that is to be asked.
    pub(super) fn ask_admission(
        &mut self,
        before: Option<&TaskState>,
        change: &Change,
    ) -> Option<Effect> {
        let effect = self.to_admit(before, change)?;
        self.phase = Phase::Admitting;
        Some(effect)
    }
}
