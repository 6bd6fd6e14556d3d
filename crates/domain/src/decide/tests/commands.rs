//! What each command makes of a task, case by case.

use super::*;

#[test]
fn put_creates_a_task_at_version_one() {
    let change = run(None, &put(task(&[("a", 60), ("b", 30)])), NOW);
    assert_eq!(
        told(&change.events),
        ["scheduled a +60", "scheduled b +30", "updated Created", "sync"]
    );
    assert_eq!(sequences(&change.events), [1, 2, 1, 1]);
    assert_eq!((change.state.version, change.state.incarnation), (1, 1));
    assert_eq!(change.answer.created, Some(true));
    assert_eq!(change.answer.next_reminder_at, Some(at(NOW + 30)));
    assert_eq!(change.answer.status, Some(Status::Pending));
}

#[test]
fn a_due_date_alone_is_one_reminder() {
    let due = parse(&format!(r#"{{"title":"t","dueDate":"{}"}}"#, at(NOW + 60)));
    assert_eq!(
        told(&run(None, &put(due), NOW).events),
        ["scheduled due +60", "updated Created", "sync"]
    );
    let nothing = run(None, &put(parse(r#"{"title":"t"}"#)), NOW);
    assert_eq!(told(&nothing.events), ["updated Created", "sync"]);
    assert_eq!(nothing.answer.next_reminder_at, None);
}

/// What a `put` of other reminders tells, by what was there. The old ones fire at +60 and +90.
#[test]
fn put_replaces_all_of_a_task() {
    for (case, reminders, expected) in [
        ("nothing moves", &[("a", 60), ("b", 90)][..], &[][..]),
        ("one moves later", &[("a", 70), ("b", 90)], &["scheduled a +70"]),
        ("one moves earlier", &[("a", 60), ("b", 10)], &["scheduled b +10"]),
        ("one goes", &[("a", 60)], &["removed b +90 Replaced"]),
        ("one comes", &[("a", 60), ("b", 90), ("c", 5)], &["scheduled c +5"]),
        ("another name", &[("a", 60), ("c", 90)], &["removed b +90 Replaced", "scheduled c +90"]),
        ("all go", &[], &["removed a +60 Replaced", "removed b +90 Replaced"]),
    ] {
        let state = stored(&[("a", 60), ("b", 90)]);
        let change = run(Some(&state), &put(task(reminders)), NOW + 1);
        let mut all: Vec<&str> = expected.to_vec();
        all.extend(["updated Replaced", "sync"]);
        assert_eq!(told(&change.events), all, "{case}");
        assert_ne!(change.answer.created, Some(true), "{case}");
        assert_eq!(change.state.version, 2, "{case}");
    }
}

#[test]
fn a_fired_reminder_fires_again_only_for_another_time() {
    let state = run_wake(&stored(&[("a", 60)]), NOW + 60).state;
    let same = run(Some(&state), &put(task(&[("a", 60)])), NOW + 61);
    assert_eq!(told(&same.events), ["updated Replaced", "sync"]);
    assert_eq!(same.answer.next_reminder_at, None);
    let moved = run(Some(&state), &put(task(&[("a", 90)])), NOW + 61);
    assert_eq!(told(&moved.events), ["scheduled a +90", "updated Replaced", "sync"]);
}

#[test]
fn a_reminder_that_is_due_already_is_scheduled_in_the_past() {
    let change = run(None, &put(task(&[("a", -3600)])), NOW);
    assert_eq!(change.answer.next_reminder_at, Some(at(NOW - 3600)));
    let fired = run_wake(&change.state, NOW);
    assert_eq!(told(&fired.events)[0], "triggered a -3600 Late");
}

#[test]
fn a_task_put_as_completed_stays_silent() {
    let mut json = serde_json::to_value(task(&[("a", 60)])).unwrap();
    json["status"] = "completed".into();
    let done: Task = serde_json::from_value(json).unwrap();
    let new = run(None, &put(done.clone()), NOW);
    assert_eq!(told(&new.events), ["updated Created", "sync"]);
    let replaced = run(Some(&stored(&[("a", 60)])), &put(done), NOW);
    assert_eq!(told(&replaced.events), ["removed a +60 Completed", "updated Replaced", "sync"]);
}

#[test]
fn a_moment_beyond_the_horizon_names_its_field() {
    let far = limits::HORIZON_MS / 1000;
    assert!(decide(&id(), None, &put(task(&[("a", far)])), at(NOW)).is_ok());
    let refused = reject(None, &put(task(&[("a", 1), ("b", far + 1)])));
    assert!(refused.to_string().starts_with("task.reminders[1]"), "{refused}");
    let due = format!(r#"{{"title":"t","dueDate":"{}"}}"#, at(NOW + far + 1));
    assert!(reject(None, &put(parse(&due))).to_string().starts_with("task.dueDate"));
}

#[test]
fn complete_silences_what_was_to_come() {
    let state = run_wake(&stored(&[("a", 10), ("b", 60)]), NOW + 10).state;
    let change = run(Some(&state), &command(CommandKind::Complete), NOW + 20);
    assert_eq!(told(&change.events), ["removed b +60 Completed", "updated Completed", "sync"]);
    assert_eq!(sequences(&change.events), [4, 3, 3], "numbers go on across commits");
    assert_eq!(change.answer.status, Some(Status::Completed));
    assert_eq!(change.answer.next_reminder_at, None);
    assert_eq!(decide_wake(&change.state, at(NOW + 90)), Turn::Answer(change.answer));
}

#[test]
fn reopen_brings_back_what_is_still_to_come() {
    let done = run(Some(&stored(&[("a", 10), ("b", 60)])), &command(CommandKind::Complete), NOW);
    let change = run(Some(&done.state), &command(CommandKind::Reopen), NOW + 10);
    assert_eq!(told(&change.events), ["scheduled b +60", "updated Reopened", "sync"]);
    assert_eq!(change.answer.status, Some(Status::Pending));
    let alarms = &change.state.live().unwrap().alarms;
    assert_eq!(alarms[0].state, AlarmState::Cancelled, "a fell due while the task was done");
}

#[test]
fn what_is_so_already_is_answered_without_a_commit() {
    let open = stored(&[]);
    let done = run(Some(&open), &command(CommandKind::Complete), NOW).state;
    for (state, kind) in [(&open, CommandKind::Reopen), (&done, CommandKind::Complete)] {
        let Ok(Turn::Answer(answer)) = decide(&id(), Some(state), &command(kind), at(NOW)) else {
            panic!("nothing changes");
        };
        assert_eq!(answer.version, state.version);
    }
    // With a command id there is something to remember, and nothing to tell.
    let again = Command { id: Some(7), ..command(CommandKind::Complete) };
    let change = run(Some(&done), &again, NOW);
    assert_eq!((change.state.version, change.events.len()), (done.version + 1, 0));
}

#[test]
fn delete_leaves_a_tombstone_and_last_words() {
    let state = stored(&[("a", 60)]);
    let change = run(Some(&state), &command(CommandKind::Delete), NOW + 1);
    assert_eq!(told(&change.events), ["removed a +60 Deleted", "updated Deleted", "sync"]);
    assert!(matches!(&change.state.lifecycle, Lifecycle::Deleted { user_id: Some(_), .. }));
    let snapshot = change.snapshot.unwrap();
    assert!(snapshot.deleted && snapshot.version == 2 && snapshot.next_reminder_at().is_none());
    assert_eq!(snapshot.task.title.as_str(), "Buy milk");
    assert_eq!((change.answer.status, change.answer.next_reminder_at), (None, None));
}

#[test]
fn put_after_delete_creates_and_counts_on() {
    let gone = run(Some(&stored(&[("a", 60)])), &command(CommandKind::Delete), NOW).state;
    let change = run(Some(&gone), &put(task(&[("a", 60)])), NOW);
    assert_eq!(change.answer.created, Some(true));
    assert_eq!((change.state.version, change.state.incarnation), (3, 1));
    assert_eq!(told(&change.events), ["scheduled a +60", "updated Created", "sync"]);
    assert_eq!(sequences(&change.events), [3, 3, 3]);
}

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
        let refused = decide(&id(), state, &put, at(NOW)).err();
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
        let turn = decide(&id(), Some(state), repeat, at(NOW + 5));
        assert_eq!(turn, Ok(Turn::Answer(change.answer)), "{case}");
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
