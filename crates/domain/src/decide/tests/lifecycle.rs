//! A task is put, completed, reopened and deleted.

use super::*;
use crate::alarm::Plan;

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
    assert!(decide(&id(), None, &put(task(&[("a", far)])), None, at(NOW)).is_ok());
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
    assert!(matches!(alarms[0].plan, Plan::Cancelled(_)), "a fell due while the task was done");
}

#[test]
fn what_is_so_already_is_answered_without_a_commit() {
    let open = stored(&[]);
    let done = run(Some(&open), &command(CommandKind::Complete), NOW).state;
    for (state, kind) in [(&open, CommandKind::Reopen), (&done, CommandKind::Complete)] {
        let Ok(Turn::Answer(answer)) = decide(&id(), Some(state), &command(kind), None, at(NOW))
        else {
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
