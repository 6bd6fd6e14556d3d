//! The user's preferences or the zone database changed.

use super::*;
use crate::decide::decide_refresh;
use crate::time::zone_database;

/// What moves when a user goes from Berlin to Tokyo, eight hours ahead in winter, and likes dates
/// at ten instead of nine.
#[test]
fn what_depends_on_the_user_moves() {
    for (due, next) in [
        (r#"{"local":"2027-03-02T18:00:00"}"#, "03-02 09:00"),
        (r#"{"date":"2027-03-02"}"#, "03-02 01:00"),
        (r#"{"local":"2027-03-02T18:00:00","zone":"Europe/Berlin"}"#, "03-02 17:00"),
        (r#""2027-03-02T17:00:00Z""#, "03-02 17:00"),
    ] {
        let mut bench = Bench::of_user(r#"{"zone":"Europe/Berlin"}"#);
        bench.put("03-01 00:00", &format!(r#"{{"title":"t","dueDate":{due}}}"#));
        let before = bench.next();
        bench.prefer(r#"{"zone":"Asia/Tokyo","defaultTime":"10:00"}"#);
        let told = bench.refresh("03-01 01:00");
        assert_eq!(bench.next(), next, "{due}");
        if before == next {
            assert!(told.is_empty(), "{due}: {told:?}");
        } else {
            assert_eq!(told, [format!("scheduled due {next}"), "updated Rescheduled".into()]);
        }
        assert_eq!(bench.live().preferences.version, 2, "{due}");
        assert!(bench.refresh("03-01 02:00").is_empty(), "once");
    }
}

#[test]
fn what_has_fired_has_fired_and_a_snooze_has_its_own_time() {
    let mut bench = Bench::of_user(r#"{"zone":"UTC"}"#);
    bench.put("03-01 00:00", r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00"}}"#);
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:05", "PT2H");
    bench.prefer(r#"{"zone":"America/New_York"}"#);
    assert!(bench.refresh("03-01 09:10").is_empty());
    assert_eq!(bench.next(), "03-01 11:05");
}

#[test]
fn a_moment_that_is_past_in_the_new_zone_fires_late() {
    let mut bench = Bench::of_user(r#"{"zone":"UTC"}"#);
    bench.put("03-01 00:00", r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00"}}"#);
    bench.prefer(r#"{"zone":"Asia/Tokyo"}"#);
    assert_eq!(bench.refresh("03-01 08:00"), ["scheduled due 03-01 00:00", "updated Rescheduled"]);
    assert_eq!(bench.wake("03-01 08:00")[0], "triggered due 03-01 00:00 Late");
}

#[test]
fn a_series_moves_as_a_whole() {
    let mut bench = Bench::of_user(r#"{"zone":"Europe/Berlin"}"#);
    let task =
        r#"{"title":"t","dueDate":{"date":"2027-03-01"},"recurrence":{"rule":"FREQ=DAILY"}}"#;
    bench.put("03-01 00:00", task);
    bench.wake("03-01 08:00");
    bench.prefer(r#"{"zone":"America/New_York"}"#);
    bench.refresh("03-01 09:00");
    assert_eq!(bench.next(), "03-02 14:00");
    bench.complete("03-02 20:00");
    assert_eq!(bench.due(), r#"{"date":"2027-03-03"}"#);
}

#[test]
fn older_preferences_change_nothing() {
    let mut bench = Bench::of_user(r#"{"zone":"Europe/Berlin"}"#);
    let old = bench.preferences.clone();
    bench.prefer(r#"{"zone":"Asia/Tokyo"}"#);
    bench.put("03-01 00:00", r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00"}}"#);
    let before = bench.state.clone();
    bench.preferences = old;
    assert!(bench.refresh("03-01 00:00").is_empty());
    assert_eq!(bench.state, before);
}

#[test]
fn default_reminders_are_those_of_the_time_when_the_task_was_made() {
    let mut bench = Bench::of_user(r#"{"defaultReminders":[{"id":"a","before":"PT1H"}]}"#);
    let task = r#"{"title":"t","userId":"u","dueDate":"2027-03-02T09:00:00Z"}"#;
    bench.put("03-01 00:00", task);
    bench.prefer(r#"{"defaultReminders":[{"id":"b","before":"PT2H"}]}"#);
    assert!(bench.refresh("03-01 00:00").is_empty());
    assert_eq!(bench.put("03-01 00:00", task), ["updated Replaced"]);
    assert_eq!(bench.next(), "03-02 08:00");
    // A task of somebody else is as a new one.
    let theirs = task.replace(r#""u""#, r#""v""#);
    assert_eq!(
        bench.put("03-01 00:00", &theirs),
        ["removed a 03-02 08:00 Replaced", "scheduled b 03-02 07:00", "updated Replaced"]
    );
}

#[test]
fn another_zone_database_is_noted() {
    let mut state = stored(&[("a", 60)]);
    let Lifecycle::Live(live) = &mut state.lifecycle else { panic!("a live task") };
    live.zone_database = "1999a".into();
    let Turn::Commit(change) = decide_refresh(&state, None, at(NOW)) else {
        panic!("a commit was expected")
    };
    assert!(change.events.is_empty(), "nothing of it moved");
    assert_eq!(change.state.live().unwrap().zone_database, zone_database());
    assert!(matches!(decide_refresh(&change.state, None, at(NOW)), Turn::Answer(_)));
}

#[test]
fn a_completed_task_is_resolved_again_when_it_is_reopened() {
    let mut bench = Bench::of_user(r#"{"zone":"UTC"}"#);
    bench.put("03-01 00:00", r#"{"title":"t","dueDate":{"local":"2027-03-02T09:00:00"}}"#);
    bench.complete("03-01 01:00");
    bench.prefer(r#"{"zone":"Asia/Tokyo"}"#);
    assert!(bench.refresh("03-01 02:00").is_empty());
    let told = bench.run("03-01 03:00", CommandKind::Reopen);
    assert_eq!(told, ["scheduled due 03-02 00:00", "updated Reopened"]);
}

#[test]
fn a_put_with_older_preferences_keeps_the_newer_ones() {
    // The user's preferences were read before a refresh brought the task newer ones.
    let mut bench = Bench::of_user(r#"{"zone":"Europe/Berlin"}"#);
    let task = r#"{"title":"t","userId":"u","dueDate":{"local":"2027-03-02T09:00:00"}}"#;
    bench.put("03-01 00:00", task);
    let old = bench.preferences.clone();
    bench.prefer(r#"{"zone":"Asia/Tokyo"}"#);
    bench.refresh("03-01 01:00");
    bench.preferences = old;
    assert_eq!(bench.put("03-01 01:00", task), ["updated Replaced"]);
    assert_eq!(bench.next(), "03-02 00:00");
}
