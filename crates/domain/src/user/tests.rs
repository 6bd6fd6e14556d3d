//! One command to a user at a time.

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
