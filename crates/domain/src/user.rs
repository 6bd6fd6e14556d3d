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
                    next.skipped.push(SkippedPause { from, until: now });
                    let excess = next.skipped.len().saturating_sub(limits::USER_SKIPS_REMEMBERED);
                    next.skipped.drain(..excess);
                }
            }
        }
        let is_first_word = self.version == 0 && matches!(kind, UserCommandKind::Put(_));
        (is_first_word || next != *self).then_some(next)
    }
}

/// The next version of what a user has said already: a statement that may still be on its way cannot land behind it.
pub fn fence_user(user: &Person, state: Option<&UserState>, now: Timestamp) -> UserState {
    let mut next = state.cloned().unwrap_or_else(|| UserState::silent(user, now));
    next.version += 1;
    next.updated_at = now;
    next
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
    let before = state.cloned().unwrap_or_else(|| UserState::silent(user, now));
    let Some(mut next) = before.changed_by(&command.kind, now) else {
        return Ok(UserTurn::Answer(actual));
    };
    next.version = actual + 1;
    next.updated_at = now;
    let (id, fingerprint, version) = (command.id, command.fingerprint, next.version);
    next.commands.push(UserCommandRecord { id, fingerprint, version });
    let excess = next.commands.len().saturating_sub(limits::USER_COMMANDS_REMEMBERED);
    next.commands.drain(..excess);
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000)
    }

    const PAUSE: u8 = 3;
    const RESUME: u8 = 4;
    const RESUME_AND_SKIP: u8 = 5;

    fn ada() -> Person {
        Person::parse("ada@example.org").unwrap()
    }

    /// A put of one of a few preferences, a pause or a resumption; the fingerprint stands for the body,
    /// as the wire makes it.
    fn put(choice: u8, id: Option<u64>, if_version: Option<u64>) -> UserCommand {
        let zone = |zone: &str| {
            let preferences = serde_json::from_str(&format!(r#"{{"zone":"{zone}"}}"#)).unwrap();
            UserCommandKind::Put(Box::new(preferences))
        };
        let kind = match choice {
            0 => zone("UTC"),
            1 => zone("Europe/Berlin"),
            2 => zone("Asia/Tokyo"),
            PAUSE => UserCommandKind::Pause,
            RESUME => UserCommandKind::Resume { missed: IfMissed::Fire },
            _ => UserCommandKind::Resume { missed: IfMissed::Skip },
        };
        let fingerprint = u64::from(choice) + if_version.map_or(0, |version| 10 * (version + 1));
        UserCommand { kind, id, fingerprint, if_version, origin: Origin::default() }
    }

    fn decide(state: Option<&UserState>, command: &UserCommand) -> Result<UserTurn, UserRejection> {
        decide_user(&ada(), state, command, now())
    }

    fn applied(state: Option<&UserState>, command: &UserCommand) -> UserState {
        match decide(state, command) {
            Ok(UserTurn::Commit(state)) => *state,
            other => panic!("not applied: {other:?}"),
        }
    }

    #[test]
    fn the_first_word_counts_even_if_it_says_the_defaults() {
        let state = applied(None, &put(0, None, Some(0)));
        assert_eq!((state.version, &state.preferences), (1, &Preferences::default()));
        assert_eq!((state.user_id.clone(), state.updated_at), (ada(), now()));
        assert_eq!(state.known().version, 1);
    }

    #[test]
    fn a_later_life_is_above_all_versions_of_the_earlier_one_and_a_repeat_is_answered_so() {
        let first = put(1, Some(7), Some(0));
        let mut state = applied(None, &first);
        state.born_above(3);
        assert_eq!((state.version, state.known().version), (4, 4));
        assert_eq!(decide(Some(&state), &first), Ok(UserTurn::Answer(4)));
        assert_eq!(applied(Some(&state), &put(2, None, Some(4))).version, 5);
    }

    #[test]
    fn a_put_that_changes_nothing_commits_nothing() {
        let state = applied(None, &put(1, None, None));
        assert_eq!(decide(Some(&state), &put(1, Some(9), None)), Ok(UserTurn::Answer(1)));
        assert_eq!(decide(Some(&state), &put(1, None, Some(1))), Ok(UserTurn::Answer(1)));
    }

    #[test]
    fn a_pause_outlives_a_put_and_a_skip_is_kept_until_the_next_one() {
        assert_eq!(decide(None, &put(RESUME, None, None)), Ok(UserTurn::Answer(0)));
        let paused = applied(None, &put(PAUSE, None, None));
        assert_eq!((paused.version, paused.paused_since), (1, Some(now())));
        let moved = applied(Some(&paused), &put(2, None, None));
        assert_eq!((moved.version, moved.paused_since), (2, Some(now())));
        assert_eq!(decide(Some(&moved), &put(PAUSE, None, None)), Ok(UserTurn::Answer(2)));
        let resumed = applied(Some(&moved), &put(RESUME_AND_SKIP, None, None));
        let skipped = vec![SkippedPause { from: now(), until: now() }];
        assert_eq!((resumed.paused_since, &resumed.skipped), (None, &skipped));
        assert_eq!(decide(Some(&resumed), &put(RESUME, None, None)), Ok(UserTurn::Answer(3)));
        let again = applied(Some(&resumed), &put(PAUSE, None, None));
        let fires = applied(Some(&again), &put(RESUME, None, None));
        assert_eq!((fires.paused_since, &fires.skipped), (None, &skipped));
    }

    #[test]
    fn another_version_is_a_conflict() {
        let conflict = |expected, actual| Err(UserRejection::VersionConflict { expected, actual });
        assert_eq!(decide(None, &put(1, None, Some(1))), conflict(1, 0));
        let state = applied(None, &put(1, None, None));
        assert_eq!(decide(Some(&state), &put(2, None, Some(0))), conflict(0, 1));
        assert_eq!(applied(Some(&state), &put(2, None, Some(1))).version, 2);
    }

    #[test]
    fn a_known_command_is_answered_as_before() {
        let first = put(1, Some(7), None);
        let one = applied(None, &first);
        let two = applied(Some(&one), &put(2, Some(8), None));
        assert_eq!(decide(Some(&two), &first), Ok(UserTurn::Answer(1)));
        assert_eq!(decide(Some(&two), &put(0, Some(7), None)), Err(UserRejection::CommandIdReused));
        // Without an id, only a repeat of the last one is known; this one goes back.
        assert_eq!(applied(Some(&two), &put(1, None, None)).version, 3);
    }

    proptest! {
        #[test]
        fn versions_count_changes_and_a_repeat_changes_nothing(
            commands in prop::collection::vec(
                (0..6u8, prop::option::of(0..40u64), prop::option::of(0..6u64)),
                0..60,
            ),
        ) {
            let mut state: Option<UserState> = None;
            for (choice, id, if_version) in commands {
                let command = put(choice, id, if_version);
                let before = state.clone();
                let Ok(turn) = decide(state.as_ref(), &command) else { continue };
                let answered = match turn {
                    UserTurn::Answer(version) => version,
                    UserTurn::Commit(next) => {
                        prop_assert_eq!(next.version, before.as_ref().map_or(0, |s| s.version) + 1);
                        match &command.kind {
                            UserCommandKind::Put(asked) => {
                                prop_assert_eq!(&next.preferences, &**asked);
                                let before = before.as_ref().map(|s| &s.preferences);
                                prop_assert_ne!(Some(&next.preferences), before);
                            }
                            kind => {
                                let is_paused = *kind == UserCommandKind::Pause;
                                prop_assert_eq!(next.paused_since.is_some(), is_paused);
                                let was = before.as_ref().is_some_and(|s| s.paused_since.is_some());
                                prop_assert_ne!(was, is_paused);
                            }
                        }
                        prop_assert!(next.commands.len() <= limits::USER_COMMANDS_REMEMBERED);
                        state = Some(*next.clone());
                        next.version
                    }
                };
                // The answer may get lost and the command come again, at once.
                prop_assert_eq!(decide(state.as_ref(), &command), Ok(UserTurn::Answer(answered)));
            }
        }
    }
}
