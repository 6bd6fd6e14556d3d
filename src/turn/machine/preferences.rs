//! What the user prefers: asked once a turn, and only where the decision needs it.

use super::Machine;
use crate::turn::draft::Ledger;
use crate::turn::effect::{Effect, Outcome, Request};
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{CommandKind, TaskState, Timestamp};

/// What is known of a user's preferences in this turn.
#[derive(Debug, Default)]
pub(super) enum UserPreferences {
    /// Nobody asked.
    #[default]
    NotAsked,
    /// What is remembered of them will not do.
    MustBeRead,
    /// What they were once; the fence judges whether they still are.
    Recalled(Box<KnownPreferences>),
    /// What they are.
    Known(Box<KnownPreferences>),
    /// They could not be read; the copy that the task has will do.
    Unknown,
}

impl UserPreferences {
    pub(super) fn known(&self) -> Option<&KnownPreferences> {
        match self {
            Self::Known(known) | Self::Recalled(known) => Some(known),
            Self::NotAsked | Self::MustBeRead | Self::Unknown => None,
        }
    }
}

impl Machine {
    /// The user to ask about before the decision.
    pub(super) fn to_ask(&self, state: Option<&TaskState>) -> Option<Effect> {
        // Of a task that is there the fence does not judge how old its copy is.
        let may_be_old = match self.preferences {
            UserPreferences::NotAsked => state.is_none(),
            UserPreferences::MustBeRead => false,
            UserPreferences::Recalled(_) if state.is_some() => false,
            _ => return None,
        };
        let user = match &self.request {
            Request::Command(command) => {
                let user = command.kind.needs_preferences_of()?;
                let live = state.and_then(TaskState::live);
                // A task that follows an event goes by the copy that it has: the audit keeps that up to
                // date, and a backlog of events need not ask for each.
                let has_copy = live.is_some_and(|live| live.task.user_id.as_ref() == Some(user));
                let follows = matches!(command.kind, CommandKind::Ingest(_));
                (!(follows && has_copy)).then(|| user.clone())
            }
            Request::Refresh => state?.live()?.task.user_id.clone(),
            Request::Get
            | Request::Wake
            | Request::Settle { .. }
            | Request::Purge(_)
            | Request::Erase(_) => None,
        };
        user.map(|user| Effect::LoadPreferences { user, may_be_old })
    }

    /// What is remembered of the preferences will not do from now on; whether it did until now.
    pub(super) fn distrust_recalled(&mut self) -> bool {
        let recalled = matches!(self.preferences, UserPreferences::Recalled(_));
        if recalled {
            self.preferences = UserPreferences::MustBeRead;
        }
        recalled
    }

    /// Goes on with what came of asking. A command does without where the task has a copy: should
    /// that be outdated, the audit finds it.
    pub(super) fn learned(
        &mut self,
        outcome: Outcome,
        ledger: &mut dyn Ledger,
        now: Timestamp,
    ) -> Effect {
        self.preferences = match outcome {
            Outcome::Preferences(known) => UserPreferences::Known(known),
            Outcome::Recalled(known) => UserPreferences::Recalled(known),
            Outcome::Failed(_) if self.has_copy() => UserPreferences::Unknown,
            Outcome::Failed(reason) => return self.fail(reason, ledger, now),
            outcome => panic!("outcome {outcome:?} does not belong to reading preferences"),
        };
        self.consider(ledger, now)
    }

    fn has_copy(&self) -> bool {
        let Request::Command(command) = &self.request else { return false };
        let state = self.state();
        let live = state.as_deref().and_then(TaskState::live);
        live.is_some_and(|live| live.task.user_id.as_ref() == command.kind.needs_preferences_of())
    }
}
