//! Commands that cannot be applied, and commands that were applied before.

use super::*;

#[test]
fn what_does_not_exist_cannot_be_changed() {
    let gone = run(Some(&stored(&[])), &command(CommandKind::Delete), NOW).state;
    for state in [None, Some(&gone)] {
        for kind in [CommandKind::Complete, CommandKind::Reopen, CommandKind::Delete] {
            assert_eq!(reject(state, &command(kind)), Rejection::UnknownTask(id()));
        }
    }
}

#[test]
fn if_version_is_the_version_or_zero_for_none() {
    let live = stored(&[]);
    let gone = run(Some(&live), &command(CommandKind::Delete), NOW).state;
    for (case, state, expected, conflict) in [
        ("none, none expected", None, 0, None),
        ("none, one expected", None, 1, Some(0)),
        ("live, as expected", Some(&live), 1, None),
        ("live, none expected", Some(&live), 0, Some(1)),
        ("live, another expected", Some(&live), 2, Some(1)),
        ("deleted, none expected", Some(&gone), 0, None),
        ("deleted, its version expected", Some(&gone), 2, Some(0)),
    ] {
        let put = Command { if_version: Some(expected), ..put(task(&[])) };
        let refused = decide(&id(), state, &put, None, at(NOW)).err();
        let conflict = conflict.map(|actual| Rejection::VersionConflict { expected, actual });
        assert_eq!(refused, conflict, "{case}");
    }
}

#[test]
fn a_repeat_gets_the_recorded_answer() {
    let first = Command { id: Some(7), if_version: Some(0), ..put(task(&[("a", 60)])) };
    let change = run(None, &first, NOW);
    let done = run(Some(&change.state), &command(CommandKind::Complete), NOW).state;
    let same_body = Command { id: None, ..first.clone() };
    for (case, state, repeat) in [
        ("by its id, whatever came since", &done, &first),
        ("by its id, at once", &change.state, &first),
        ("without an id, at once: the sidecar re-sends", &change.state, &same_body),
    ] {
        let turn = decide(&id(), Some(state), repeat, None, at(NOW + 5));
        assert_eq!(turn, Ok(Turn::Answer(change.answer.clone())), "{case}");
    }
    // Since then something else was applied, so the same body is meant anew.
    let anew = Command { if_version: None, ..same_body };
    assert_eq!(run(Some(&done), &anew, NOW).state.version, 3);
    // So it is with another command id.
    let other_id = Command { id: Some(8), if_version: None, ..first };
    assert_eq!(run(Some(&change.state), &other_id, NOW).state.version, 2);
}

#[test]
fn a_command_id_stands_for_one_body() {
    let state = run(None, &Command { id: Some(7), ..put(task(&[])) }, NOW).state;
    let other = Command { id: Some(7), ..command(CommandKind::Delete) };
    assert_eq!(reject(Some(&state), &other), Rejection::CommandIdReused);
}

#[test]
fn completing_again_is_meant_again_unless_the_sidecar_sent_it_twice() {
    let json =
        r#"{"title":"t","dueDate":"2027-01-01T09:00:00Z","recurrence":{"rule":"FREQ=DAILY"}}"#;
    let start = Timestamp::parse("2027-01-01T08:00:00Z").unwrap().as_millis() / 1000;
    let complete = command(CommandKind::Complete);
    let state = run(None, &put(parse(json)), start).state;
    let state = run(Some(&state), &complete, start + 1).state;
    let again = |state: &TaskState, second| {
        decide(&id(), Some(state), &complete, None, at(second)).unwrap()
    };
    assert!(matches!(again(&state, start + 20), Turn::Answer(_)), "sent twice");
    let recovered = fence(Some(&state), at(start + 5)).state;
    assert!(matches!(again(&recovered, start + 20), Turn::Answer(_)), "a recovery changes nothing");
    assert!(matches!(again(&state, start + 60), Turn::Commit(_)), "nobody sends for so long");
    let Turn::Commit(fired) = decide_wake(&state, at(start + 25 * 3600 + 2)) else {
        panic!("the second occurrence is due");
    };
    let soon_after = start + 25 * 3600 + 3;
    assert!(matches!(again(&fired.state, soon_after), Turn::Commit(_)), "something has happened");
}
