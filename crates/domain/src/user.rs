//! A user: the preferences, whether everything is paused, and the decision about a command.

use crate::command::Origin;
use crate::ids::Person;
use crate::limits;
use crate::pause::{IfMissed, SkippedPause};
use crate::preferences::{KnownPreferences, Preferences};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one `UserActor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// Counts commits, and so the changes of what holds for the tasks, from 1 or [above](UserState::born_above).
    /// The database accepts a state only when its version is the stored one plus one, or the bytes are identical.
    pub version: u64,
    /// When the last commit was decided.
    pub updated_at: Timestamp,
    /// Who it is.
    pub user_id: Person,
    /// What holds for the user's tasks.
    pub preferences: Preferences,
    /// Since when all reminders of the user are paused.
    pub paused_since: Option<Timestamp>,
    /// The last pauses that ended with nothing to fire of what fell due in them, oldest first.
    pub skipped: Vec<SkippedPause>,
    /// The last commands applied, oldest first.
    pub commands: Vec<UserCommandRecord>,
}

/// A command that was applied. Its keys are short since the state holds several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommandRecord {
    /// Hash of the caller's command id.
    #[serde(default, rename = "i", skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Hash of its body.
    #[serde(rename = "f")]
    pub fingerprint: u64,
    /// The version answered.
    #[serde(rename = "v")]
    pub version: u64,
}

/// A command to a user, parsed and complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCommand {
    /// What to do.
    pub kind: UserCommandKind,
    /// Hash of the caller's `commandId`; a known one is answered and not applied again.
    pub id: Option<u64>,
    /// Hash of the body without the ids: two commands with the same one ask for the same.
    pub fingerprint: u64,
    /// The version that the preferences must be at; 0 means that the user never said anything.
    pub if_version: Option<u64>,
    /// The flow that the command belongs to.
    pub origin: Origin,
}

/// The kinds of command that change what holds for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserCommandKind {
    /// Replace all preferences; a pause goes on.
    Put(Box<Preferences>),
    /// Nothing of the user fires until it is resumed.
    Pause,
    /// It fires again.
    Resume {
        /// What to do with what fell due meanwhile.
        missed: IfMissed,
    },
}

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserTurn {
    /// There is something to commit; its version is answered once it is.
    Commit(Box<UserState>),
    /// Nothing changes; answer this version at once.
    Answer(u64),
}

/// Why a command was refused. A refused command changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRejection {
    /// The caller expected another version.
    #[error("the preferences are at version {actual}, not at {expected}")]
    VersionConflict {
        /// What the caller gave as `ifVersion`.
        expected: u64,
        /// What they are at; 0 when the user never said anything.
        actual: u64,
    },
    /// The command id was used before, with another body.
    #[error("this commandId was used before for another command")]
    CommandIdReused,
}

impl UserState {
    /// The preferences as tasks copy them.
    pub fn known(&self) -> KnownPreferences {
        KnownPreferences {
            version: self.version,
            preferences: self.preferences.clone(),
            paused_since: self.paused_since,
            skipped: self.skipped.clone(),
        }
    }

    /// Moves a first version above one that somebody had who is gone: it may have been this user, and tasks are
    /// not to take the preferences of an earlier life for those of this one.
    pub fn born_above(&mut self, gone: u64) {
        self.version += gone;
        self.commands.iter_mut().for_each(|command| command.version += gone);
    }

    /// What is stored, or a user who has not said anything yet.
    fn of(user: &Person, state: Option<&Self>, now: Timestamp) -> Self {
        state.cloned().unwrap_or_else(|| Self::silent(user, now))
    }

    /// The same as the next version.
    fn succeeded(self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self }
    }

    /// A user who has not said anything yet.
    fn silent(user: &Person, now: Timestamp) -> Self {
        Self {
            version: 0,
            updated_at: now,
            user_id: user.clone(),
            preferences: Preferences::default(),
            paused_since: None,
            skipped: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// What holds after a command; `None`: what held before.
    fn changed_by(&self, kind: &UserCommandKind, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        match kind {
            UserCommandKind::Put(preferences) => next.preferences.clone_from(preferences),
            UserCommandKind::Pause => next.paused_since = self.paused_since.or(Some(now)),
            UserCommandKind::Resume { missed } => {
                // Tasks that have not followed yet pass over what fell due in each pause that was to be
                // passed over, and in no other one, so each is kept.
                let since = next.paused_since.take();
                if let Some(from) = since.filter(|_| *missed == IfMissed::Skip) {
                    let pause = SkippedPause { from, until: now };
                    limits::remember(&mut next.skipped, [pause], limits::USER_SKIPS_REMEMBERED);
                }
            }
        }
        let is_first_word = self.version == 0 && matches!(kind, UserCommandKind::Put(_));
        (is_first_word || next != *self).then_some(next)
    }
}

/// The next version of what a user has said already: a statement that may still be on its way cannot land behind it.
pub fn fence_user(user: &Person, state: Option<&UserState>, now: Timestamp) -> UserState {
    UserState::of(user, state, now).succeeded(now)
}

/// Decides a command. A known command is answered as it was before.
///
/// The first put is applied even if it asks for the defaults: from then on the user has said
/// something, whatever the defaults of a later release are. After that, one that changes nothing
/// commits nothing, for each version makes all tasks of the user be looked at again.
///
/// # Errors
/// [`UserRejection`] says what was wrong.
pub fn decide_user(
    user: &Person,
    state: Option<&UserState>,
    command: &UserCommand,
    now: Timestamp,
) -> Result<UserTurn, UserRejection> {
    if let Some(version) = recorded(state, command)? {
        return Ok(UserTurn::Answer(version));
    }
    let actual = state.map_or(0, |state| state.version);
    if let Some(expected) = command.if_version.filter(|expected| *expected != actual) {
        return Err(UserRejection::VersionConflict { expected, actual });
    }
    let before = UserState::of(user, state, now);
    let Some(next) = before.changed_by(&command.kind, now) else {
        return Ok(UserTurn::Answer(actual));
    };
    let mut next = next.succeeded(now);
    let (id, fingerprint, version) = (command.id, command.fingerprint, next.version);
    let record = UserCommandRecord { id, fingerprint, version };
    limits::remember(&mut next.commands, [record], limits::USER_COMMANDS_REMEMBERED);
    Ok(UserTurn::Commit(Box::new(next)))
}

/// The version answered to a command that is known by its id, or that repeats the last one applied:
/// the sidecar itself re-sends calls when an actor moves.
fn recorded(
    state: Option<&UserState>,
    command: &UserCommand,
) -> Result<Option<u64>, UserRejection> {
    let Some(state) = state else { return Ok(None) };
    let record = match command.id {
        Some(id) => state.commands.iter().rev().find(|record| record.id == Some(id)),
        None => state.commands.last().filter(|record| record.fingerprint == command.fingerprint),
    };
    match record {
        Some(record) if record.fingerprint != command.fingerprint => {
            Err(UserRejection::CommandIdReused)
        }
        record => Ok(record.map(|record| record.version)),
    }
}

#[cfg(test)]
mod tests;
