//! What a wake and a fence make of a task.

use super::*;

#[test]
fn a_wake_fires_what_is_due_in_the_order_of_its_time() {
    let armed = Some(at(NOW + 10));
    let state = TaskState { armed, ..stored(&[("z", 10), ("b", 20), ("a", 20), ("c", 21)]) };
    let change = run_wake(&state, NOW + 20);
    assert_eq!(
        told(&change.events),
        [
            "triggered z +10 Late",
            "triggered a +20 OnTime",
            "triggered b +20 OnTime",
            "updated ReminderTriggered",
            "sync"
        ]
    );
    assert_eq!(change.answer.next_reminder_at, Some(at(NOW + 21)));
    assert_eq!(change.state.armed, None, "the wake is used up");
    assert_eq!(change.state.version, 2);
}

#[test]
fn a_wake_with_nothing_due_changes_nothing() {
    let live = stored(&[("a", 10)]);
    let gone = run(Some(&live), &command(CommandKind::Delete), NOW).state;
    let almost = at(NOW + 10).saturating_add_ms(-1);
    for (state, now) in [(&live, almost), (&gone, at(NOW + 10))] {
        assert!(matches!(decide_wake(state, now), Turn::Answer(_)));
    }
}

#[test]
fn late_is_later_than_the_tolerance() {
    let due = at(NOW);
    for (ms, cause) in [
        (0, Cause::OnTime),
        (limits::ON_TIME_TOLERANCE_MS, Cause::OnTime),
        (limits::ON_TIME_TOLERANCE_MS + 1, Cause::Late),
    ] {
        assert_eq!(Cause::of(due, due.saturating_add_ms(ms)), cause, "{ms} ms");
    }
}

#[test]
fn a_fence_takes_the_next_version_and_changes_nothing_else() {
    let state = TaskState { armed: Some(at(NOW + 60)), ..stored(&[("a", 60)]) };
    let change = fence(Some(&state), at(NOW + 1));
    assert!(change.events.is_empty());
    assert_eq!(change.state, TaskState { version: 2, updated_at: at(NOW + 1), ..state });

    let tombstone = fence(None, at(NOW)).state;
    assert!(tombstone.version == 1 && tombstone.live().is_none());
    let create = Command { if_version: Some(0), ..put(task(&[])) };
    let created = run(Some(&tombstone), &create, NOW).answer.created;
    assert_eq!(created, Some(true), "to a caller it does not exist");
}
