//! Pause and resume, of a task and of its user.

use super::*;
use crate::pause::{IfMissed, Pause};
use bench::time;

const DAILY: &str = r#"{"title":"t","userId":"u","dueDate":"2027-03-01T09:00:00Z","recurrence":{"rule":"FREQ=DAILY"}}"#;
const ONCE: &str = r#"{"title":"t","userId":"u","dueDate":"2027-03-01T09:00:00Z"}"#;
const NAGGING: &str = r#"{"title":"t","userId":"u","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"due","before":"PT0S","nag":{"every":"PT10M","max":5}}]}"#;

fn pause(bench: &mut Bench, when: &str) -> Vec<String> {
    bench.run(when, CommandKind::Pause)
}

fn resume(bench: &mut Bench, when: &str) -> Vec<String> {
    bench.run(when, CommandKind::Resume { missed: IfMissed::Fire })
}

fn resume_and_skip(bench: &mut Bench, when: &str) -> Vec<String> {
    bench.run(when, CommandKind::Resume { missed: IfMissed::Skip })
}

#[test]
fn a_paused_task_does_not_wake_and_what_it_missed_fires_once_after_it() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    assert_eq!(pause(&mut bench, "03-01 08:00"), ["updated Paused"]);
    let alarms = bench.live().alarms.clone();
    assert_eq!(bench.next(), "");
    assert!(bench.wake("03-01 09:00").is_empty() && bench.wake("03-03 10:00").is_empty());
    assert_eq!(bench.live().alarms, alarms, "a gate moves nothing");
    assert_eq!(resume(&mut bench, "03-03 10:00"), ["updated Resumed"]);
    assert_eq!(bench.next(), "03-01 09:00", "overdue at once");
    let told = bench.wake("03-03 10:00");
    assert_eq!(told[0], "triggered due 03-03 09:00 Coalesced, missed 2 since 03-01 09:00");
    assert_eq!(bench.next(), "03-04 09:00");
    assert!(bench.wake("03-03 10:00").is_empty(), "once");
}

#[test]
fn what_was_missed_may_be_past_its_late_limit() {
    let mut bench = Bench::with(
        "03-01 00:00",
        r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"due","before":"PT0S","lateLimit":"PT1H"}]}"#,
    );
    pause(&mut bench, "03-01 08:00");
    resume(&mut bench, "03-01 12:00");
    assert_eq!(bench.wake("03-01 12:00"), ["expired due 03-01 09:00 missed 0"]);
}

#[test]
fn what_was_missed_can_be_passed_over() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    pause(&mut bench, "03-01 08:00");
    let told = resume_and_skip(&mut bench, "03-03 10:00");
    assert_eq!(told, ["scheduled due 03-04 09:00", "updated Resumed"]);
    assert_eq!(bench.next(), "03-04 09:00");

    let mut bench = Bench::with("03-01 00:00", ONCE);
    pause(&mut bench, "03-01 08:00");
    let told = resume_and_skip(&mut bench, "03-01 09:00");
    assert_eq!(told, ["removed due 03-01 09:00 Skipped", "updated Resumed"]);
    assert_eq!(bench.next(), "");
    assert!(bench.live().history.is_empty(), "nothing fired");

    let mut bench = Bench::with("03-01 00:00", ONCE);
    pause(&mut bench, "03-01 08:00");
    assert_eq!(resume_and_skip(&mut bench, "03-01 08:59"), ["updated Resumed"]);
    assert_eq!(bench.next(), "03-01 09:00", "what is still to come fires");
}

#[test]
fn nags_and_snoozes_wait_and_are_passed_over_as_well() {
    let mut bench = Bench::with("03-01 00:00", NAGGING);
    bench.wake("03-01 09:00");
    pause(&mut bench, "03-01 09:05");
    assert!(bench.wake("03-01 09:10").is_empty());
    let mut skipped = Bench { state: bench.state.clone(), preferences: None };
    resume(&mut bench, "03-01 09:35");
    assert_eq!(bench.next(), "03-01 09:10");
    assert!(bench.wake("03-01 09:35")[0].starts_with("triggered due 03-01 09:30 Nag 3, missed 2"));
    resume_and_skip(&mut skipped, "03-01 09:35");
    assert_eq!(skipped.next(), "03-01 09:40");
    assert!(skipped.wake("03-01 09:40")[0].starts_with("triggered due 03-01 09:40 Nag 4"));

    let mut bench = Bench::with("03-01 00:00", ONCE);
    bench.wake("03-01 09:00");
    pause(&mut bench, "03-01 09:01");
    bench.snooze("03-01 09:02", "PT10M");
    let told = resume_and_skip(&mut bench, "03-01 09:30");
    assert_eq!(told, ["removed due 03-01 09:12 Skipped", "updated Resumed"]);
    assert_eq!(bench.next(), "");
}

#[test]
fn doing_it_twice_changes_nothing() {
    let mut bench = Bench::with("03-01 00:00", ONCE);
    assert!(resume(&mut bench, "03-01 01:00").is_empty(), "it is not paused");
    pause(&mut bench, "03-01 02:00");
    let state = bench.state.clone();
    assert!(pause(&mut bench, "03-01 03:00").is_empty());
    assert_eq!(bench.state, state, "and it is paused since when it was");
    resume(&mut bench, "03-01 04:00");
    let state = bench.state.clone();
    assert!(resume_and_skip(&mut bench, "03-01 10:00").is_empty());
    assert_eq!(bench.state, state, "nothing is passed over any more");
}

#[test]
fn other_commands_work_and_keep_the_pause() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    pause(&mut bench, "03-01 01:00");
    bench.put("03-01 02:00", &DAILY.replace("09:00:00Z", "12:00:00Z"));
    bench.put_reminder("03-01 03:00", r#"{"id":"early","before":"PT1H"}"#);
    bench.complete("03-01 04:00");
    bench.complete("03-02 04:00");
    assert_eq!(bench.live().paused_since, Some(time("03-01 01:00")));
    assert_eq!(bench.next(), "");
    resume(&mut bench, "03-02 05:00");
    assert_eq!(bench.next(), "03-03 11:00");
    bench.run("03-02 06:00", CommandKind::Pause);
    bench.run("03-02 07:00", CommandKind::Delete);
    bench.put("03-02 08:00", &DAILY.replace("03-01", "03-05"));
    assert_eq!(bench.next(), "03-05 09:00", "a task made again is another one");
}

#[test]
fn a_task_is_silent_while_it_or_its_user_is_paused() {
    let mut bench = Bench::of_user("{}");
    bench.put("03-01 00:00", DAILY);
    bench.pause_user(Some("03-01 01:00"));
    assert_eq!(bench.refresh("03-01 01:01"), ["updated Paused"]);
    pause(&mut bench, "03-01 02:00");
    let pause = Pause { task: Some(time("03-01 02:00")), user: Some(time("03-01 01:00")) };
    assert_eq!(bench.live().pause(), Some(pause));
    bench.pause_user(None);
    assert_eq!(bench.refresh("03-01 10:00"), ["updated Resumed"]);
    assert!(bench.next().is_empty() && bench.wake("03-01 10:00").is_empty());
    resume(&mut bench, "03-01 11:00");
    assert!(bench.wake("03-01 11:00")[0].starts_with("triggered due 03-01 09:00 Late"));
}

#[test]
fn a_new_task_of_a_paused_user_is_paused_from_its_first_commit() {
    let mut bench = Bench::of_user("{}");
    bench.pause_user(Some("03-01 01:00"));
    bench.put("03-01 02:00", ONCE);
    assert_eq!((bench.next(), bench.live().paused_since), (String::new(), None));
    // It learns of the resumption by a put as well, and then it is skipped what was to be skipped.
    bench.resume_user_and_skip("03-01 10:00");
    let told = bench.put("03-01 11:00", &ONCE.replace("\"t\"", "\"other\""));
    assert_eq!(told, ["removed due 03-01 09:00 Skipped", "updated Replaced"]);
    assert!(bench.next().is_empty() && bench.wake("03-01 11:00").is_empty());
    assert_eq!(bench.live().preferences.skipped, [], "nothing of it is kept");
}

#[test]
fn a_skip_concerns_the_pause_that_it_ended_only() {
    let mut bench = Bench::of_user("{}");
    bench.put("03-01 00:00", DAILY);
    bench.pause_user(Some("03-01 01:00"));
    bench.refresh("03-01 01:00");
    bench.resume_user_and_skip("03-01 10:00");
    let told = bench.refresh("03-02 10:00");
    assert_eq!(told[..2], ["scheduled due 03-02 09:00", "updated Rescheduled"]);
    assert_eq!(told[2], "updated Resumed");
    assert!(bench.wake("03-02 10:00")[0].starts_with("triggered due 03-02 09:00 Late"));
    // A later pause that ends as usual.
    bench.pause_user(Some("03-03 01:00"));
    bench.refresh("03-03 01:00");
    bench.pause_user(None);
    bench.refresh("03-03 10:00");
    assert!(bench.wake("03-03 10:00")[0].starts_with("triggered due 03-03 09:00 Late"));
    // A task that never followed a pause has missed nothing in it.
    bench.pause_user(Some("03-04 01:00"));
    bench.resume_user_and_skip("03-04 10:00");
    bench.refresh("03-04 10:00");
    assert!(bench.wake("03-04 10:00")[0].starts_with("triggered due 03-04 09:00 Late"));
}

#[test]
fn of_several_pauses_before_a_task_follows_each_ends_as_was_asked() {
    let paused = |task: &str| {
        let mut bench = Bench::of_user("{}");
        bench.put("03-01 00:00", task);
        bench.pause_user(Some("03-01 01:00"));
        bench.refresh("03-01 01:00");
        bench
    };
    // The first with everything to fire, the second with nothing.
    let mut bench = paused(ONCE);
    bench.pause_user(None);
    bench.pause_user(Some("03-01 11:00"));
    bench.resume_user_and_skip("03-01 12:00");
    assert_eq!(bench.refresh("03-01 13:00"), ["updated Resumed"]);
    assert!(bench.wake("03-01 13:00")[0].starts_with("triggered due 03-01 09:00 Late"));
    // The other way round.
    let mut bench = paused(ONCE);
    bench.resume_user_and_skip("03-01 10:00");
    bench.pause_user(Some("03-01 11:00"));
    bench.pause_user(None);
    let told = bench.refresh("03-01 13:00");
    assert_eq!(told, ["removed due 03-01 09:00 Skipped", "updated Rescheduled", "updated Resumed"]);
    // Both with nothing; what fell due between them fires.
    let mut bench = paused(DAILY);
    bench.resume_user_and_skip("03-01 10:00");
    bench.pause_user(Some("03-02 01:00"));
    bench.resume_user_and_skip("03-02 10:00");
    bench.refresh("03-02 11:00");
    assert_eq!(bench.next(), "03-03 09:00");
    let mut bench = paused(DAILY);
    bench.resume_user_and_skip("03-01 08:00");
    bench.pause_user(Some("03-01 10:00"));
    bench.resume_user_and_skip("03-01 11:00");
    bench.refresh("03-01 12:00");
    assert!(bench.wake("03-01 12:00")[0].starts_with("triggered due 03-01 09:00 Late"));
}
