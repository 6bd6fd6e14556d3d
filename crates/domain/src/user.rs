//! A user: the preferences, and the decision about a command that changes them.

use crate::command::Origin;
use crate::ids::Person;
use crate::limits;
use crate::preferences::{KnownPreferences, Preferences};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The state of one `UserActor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// Counts commits from 1, and so the changes of the preferences. The database accepts a state
    /// only when its version is the stored one plus one, or the bytes are identical.
    pub version: u64,
    /// When the last commit was decided.
    pub updated_at: Timestamp,
    /// Who it is.
    pub user_id: Person,
    /// What holds for the user's tasks.
    pub preferences: Preferences,
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

/// A command to a user, parsed and complete. There is one kind: replace all preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCommand {
    /// What shall hold.
    pub preferences: Preferences,
    /// Hash of the caller's `commandId`; a known one is answered and not applied again.
    pub id: Option<u64>,
    /// Hash of the body without the ids: two commands with the same one ask for the same.
    pub fingerprint: u64,
    /// The version that the preferences must be at; 0 means that the user never said anything.
    pub if_version: Option<u64>,
    /// The flow that the command belongs to.
    pub origin: Origin,
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
        KnownPreferences { version: self.version, preferences: self.preferences.clone() }
    }
}

/// Decides a command. A known command is answered as it was before.
///
/// The first command is applied even if it asks for the defaults: from then on the user has said
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
    if state.is_some_and(|state| state.preferences == command.preferences) {
        return Ok(UserTurn::Answer(actual));
    }
    let version = actual + 1;
    let mut commands = state.map_or_else(Vec::new, |state| state.commands.clone());
    let (id, fingerprint) = (command.id, command.fingerprint);
    commands.push(UserCommandRecord { id, fingerprint, version });
    let excess = commands.len().saturating_sub(limits::USER_COMMANDS_REMEMBERED);
    commands.drain(..excess);
    Ok(UserTurn::Commit(Box::new(UserState {
        version,
        updated_at: now,
        user_id: user.clone(),
        preferences: command.preferences.clone(),
        commands,
    })))
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

    fn ada() -> Person {
        Person::parse("ada@example.org").unwrap()
    }

    /// A put of one of a few preferences; the fingerprint stands for the body, as the wire makes it.
    fn put(choice: u8, id: Option<u64>, if_version: Option<u64>) -> UserCommand {
        let zone = ["UTC", "Europe/Berlin", "Asia/Tokyo"][usize::from(choice)];
        let preferences = serde_json::from_str(&format!(r#"{{"zone":"{zone}"}}"#)).unwrap();
        let fingerprint = u64::from(choice) + if_version.map_or(0, |version| 10 * (version + 1));
        UserCommand { preferences, id, fingerprint, if_version, origin: Origin::default() }
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
    fn a_put_that_changes_nothing_commits_nothing() {
        let state = applied(None, &put(1, None, None));
        assert_eq!(decide(Some(&state), &put(1, Some(9), None)), Ok(UserTurn::Answer(1)));
        assert_eq!(decide(Some(&state), &put(1, None, Some(1))), Ok(UserTurn::Answer(1)));
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
                (0..3u8, prop::option::of(0..40u64), prop::option::of(0..6u64)),
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
                        prop_assert_eq!(&next.preferences, &command.preferences);
                        prop_assert_ne!(Some(&next.preferences), before.as_ref().map(|s| &s.preferences));
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
