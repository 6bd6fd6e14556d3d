//! Which reminders a task has, and how they are added, changed and removed one by one.

use super::*;

/// What a task is told to be scheduled for, by what it says of its reminders.
#[test]
fn the_reminders_of_a_new_task() {
    let defaults = r#"{"defaultReminders":[{"id":"early","before":"PT1H"}]}"#;
    for (case, preferences, task, expected) in [
        ("nothing said", "{}", r#""dueDate":"2027-03-02T09:00:00Z""#, &["due 03-02 09:00"][..]),
        ("nothing to count from", "{}", r#""tags":[]"#, &[]),
        ("never", "{}", r#""dueDate":"2027-03-02T09:00:00Z","reminders":[]"#, &[]),
        ("defaults", defaults, r#""dueDate":"2027-03-02T09:00:00Z""#, &["early 03-02 08:00"]),
        ("not the defaults", defaults, r#""dueDate":"2027-03-02T09:00:00Z","reminders":[]"#, &[]),
        (
            "around both anchors",
            "{}",
            r#""dueDate":"2027-03-02T09:00:00Z","start":"2027-03-01T09:00:00Z","reminders":[
                {"id":"a","before":"P1DT1H"},
                {"id":"b","after":"PT90S"},
                {"id":"c","before":"PT30M","anchor":"start"},
                {"id":"d","at":"2027-03-05T00:00:00Z"}]"#,
            &["a 03-01 08:00", "b 03-02 09:01:30", "c 03-01 08:30", "d 03-05 00:00"],
        ),
        (
            "asleep without its anchor",
            "{}",
            r#""dueDate":"2027-03-02T09:00:00Z","reminders":[
                {"id":"a","before":"PT0S","anchor":"start"},{"id":"b","before":"PT0S"}]"#,
            &["b 03-02 09:00"],
        ),
    ] {
        let mut bench = Bench::of_user(preferences);
        let told = bench.put("03-01 00:00", &format!(r#"{{"title":"t",{task}}}"#));
        let mut all: Vec<String> = expected.iter().map(|one| format!("scheduled {one}")).collect();
        all.push("updated Created".into());
        assert_eq!(told, all, "{case}");
    }
}

#[test]
fn a_reminder_sleeps_while_its_anchor_is_missing() {
    let reminders = r#""reminders":[{"id":"a","before":"PT1H"}]"#;
    let due = format!(r#"{{"title":"t","dueDate":"2027-03-02T09:00:00Z",{reminders}}}"#);
    let without = format!(r#"{{"title":"t",{reminders}}}"#);
    let mut bench = Bench::with("03-01 00:00", &without);
    assert_eq!(bench.next(), "");
    assert_eq!(bench.put("03-01 01:00", &due), ["scheduled a 03-02 08:00", "updated Replaced"]);
    let gone = bench.put("03-01 02:00", &without);
    assert_eq!(gone, ["removed a 03-02 08:00 Replaced", "updated Replaced"]);
    assert_eq!(bench.live().alarms.len(), 1, "it may wake up again");
}

#[test]
fn one_reminder_is_added_changed_and_removed() {
    let mut bench = Bench::with("03-01 00:00", r#"{"title":"t","dueDate":"2027-03-02T09:00:00Z"}"#);
    let steps: [(&str, &[&str]); 3] = [
        // The default reminder becomes one that the task says itself.
        (r#"{"id":"a","before":"PT1H"}"#, &["scheduled a 03-02 08:00", "updated RemindersChanged"]),
        (r#"{"id":"a","before":"PT2H"}"#, &["scheduled a 03-02 07:00", "updated RemindersChanged"]),
        (r#"{"id":"a","before":"PT2H"}"#, &[]),
    ];
    for (reminder, expected) in steps {
        assert_eq!(bench.put_reminder("03-01 01:00", reminder), expected, "{reminder}");
    }
    let ids: Vec<&str> =
        bench.live().alarms.iter().map(|alarm| alarm.reminder_id.as_str()).collect();
    assert_eq!(ids, ["due", "a"]);
    let remove = |id| CommandKind::RemoveReminder(reminder_id(id));
    assert_eq!(
        bench.run("03-01 02:00", remove("a")),
        ["removed a 03-02 07:00 Removed", "updated RemindersChanged"]
    );
    assert!(bench.refused("03-01 02:00", remove("a")).starts_with("reminderId"));
    bench.run("03-01 02:00", remove("due"));
    assert_eq!(bench.live().task.reminders, Some(Vec::new()), "never, and not the default");
}

#[test]
fn the_other_reminders_keep_what_became_of_them() {
    let mut bench = Bench::with(
        "03-01 00:00",
        r#"{"title":"t","dueDate":"2027-03-02T09:00:00Z","reminders":[
            {"id":"a","before":"PT2H","nag":{"every":"PT1H","max":9}},{"id":"b","before":"PT1H"}]}"#,
    );
    bench.wake("03-02 07:00");
    let before = bench.live().alarm(&reminder_id("a")).cloned();
    bench.put_reminder("03-02 07:10", r#"{"id":"b","before":"PT30M"}"#);
    assert_eq!(bench.live().alarm(&reminder_id("a")).cloned(), before);
    assert_eq!(bench.next(), "03-02 08:00", "the nag goes on");
}

#[test]
fn a_nag_that_is_taken_off_stops() {
    let task = |nag: &str| {
        format!(
            r#"{{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{{"id":"a","before":"PT0S"{nag}}}]}}"#
        )
    };
    let mut bench = Bench::with("03-01 00:00", &task(r#","nag":{"every":"PT5M","max":3}"#));
    bench.wake("03-01 09:00");
    assert_eq!(bench.next(), "03-01 09:05");
    assert_eq!(bench.put("03-01 09:01", &task("")), ["updated Replaced"]);
    assert_eq!(bench.next(), "");
}

#[test]
fn another_due_date_supersedes_nags_and_snoozes() {
    let task = |due: &str| {
        format!(
            r#"{{"title":"t","dueDate":"2027-{due}:00Z","reminders":[{{"id":"a","before":"PT0S","nag":{{"every":"PT1H","max":3}}}}]}}"#
        )
    };
    let mut bench = Bench::with("03-01 00:00", &task("03-01T09:00"));
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:10", "PT2H");
    assert_eq!(
        bench.put("03-01 09:20", &task("03-03T09:00")),
        ["removed a 03-01 11:10 Replaced", "scheduled a 03-03 09:00", "updated Replaced"]
    );
    assert_eq!(bench.next(), "03-03 09:00");
}

#[test]
fn a_reminder_that_is_past_when_asked_for() {
    let task = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z"}"#;
    let mut bench = Bench::new();
    bench.put_past("03-01 10:00", task, IfPast::Fire);
    assert_eq!(bench.wake("03-01 10:00")[0], "triggered due 03-01 09:00 Late");

    let mut bench = Bench::new();
    bench.put_past("03-01 10:00", task, IfPast::Skip);
    assert_eq!(bench.next(), "");
    // It stays silent when the same task comes in again and asks otherwise.
    bench.put_past("03-01 11:00", task, IfPast::Fire);
    assert_eq!(bench.next(), "");

    let put = Put { task: parse(task), if_past: IfPast::Reject, restored: Vec::new() };
    let bench = Bench::new();
    let refused = bench.refused("03-01 10:00", CommandKind::Put(Box::new(put.clone())));
    assert!(refused.starts_with("task.reminders[0].before is past"), "{refused}");
    // Nothing is wrong with one that has fired at that time already.
    let mut bench = Bench::with("03-01 00:00", task);
    bench.wake("03-01 09:00");
    assert_eq!(bench.run("03-01 10:00", CommandKind::Put(Box::new(put))), ["updated Replaced"]);
}

#[test]
fn a_moved_moment_that_is_past_follows_if_past_too() {
    let task = |id| format!(r#"{{"title":"t","dueDate":"2027-03-01T{id}:00:00Z"}}"#);
    for (if_past, next) in [(IfPast::Fire, "03-01 08:00"), (IfPast::Skip, "")] {
        let mut bench = Bench::with("03-01 00:00", &task("09"));
        bench.put_past("03-01 08:30", &task("08"), if_past);
        assert_eq!(bench.next(), next, "{if_past:?}");
    }
}

#[test]
fn too_many_reminders_are_refused_one_by_one_too() {
    let all: Vec<String> = (0..limits::REMINDERS_MAX)
        .map(|n| format!(r#"{{"id":"r{n}","before":"PT{n}M"}}"#))
        .collect();
    let task = format!(
        r#"{{"title":"t","dueDate":"2027-03-02T09:00:00Z","reminders":[{}]}}"#,
        all.join(",")
    );
    let bench = Bench::with("03-01 00:00", &task);
    let reminder = Box::new(serde_json::from_str(r#"{"id":"x","before":"PT0S"}"#).unwrap());
    let one_more = CommandKind::PutReminder { reminder, if_past: IfPast::Fire };
    assert!(bench.refused("03-01 00:00", one_more).starts_with("reminders must be at most"));
}
