//! Recurring tasks: they fire by themselves, move on when completed or skipped, and end.

use super::*;

const DAILY: &str = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"r","before":"PT1H"}]}"#;

fn recurring(due: &str, recurrence: &str, reminder: &str) -> String {
    format!(
        r#"{{"title":"t","dueDate":{due},"recurrence":{{{recurrence}}},"reminders":[{{"id":"r",{reminder}}}]}}"#
    )
}

fn utc(local: &str) -> String {
    format!(r#"{{"local":"2027-{local}","zone":"UTC"}}"#)
}

#[test]
fn it_fires_in_every_occurrence_done_or_not() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    assert_eq!(
        bench.wake_until("03-03 00:00"),
        [
            "triggered r 03-01 08:00 OnTime",
            "scheduled r 03-02 08:00",
            "updated ReminderTriggered",
            "triggered r 03-02 08:00 OnTime",
            "scheduled r 03-03 08:00",
            "updated ReminderTriggered",
        ]
    );
    assert!(bench.due().contains("03-01T09:00"), "the due date waits for its completion");
}

#[test]
fn completing_moves_to_the_first_occurrence_that_is_still_to_come() {
    for (case, when, due, next) in [
        ("early, before its reminder", "03-01 07:00", "03-02T09:00", "03-02 08:00"),
        ("after its reminder", "03-01 08:30", "03-02T09:00", "03-02 08:00"),
        ("late", "03-01 10:00", "03-02T09:00", "03-02 08:00"),
        ("at the moment of a later one", "03-03 09:00", "03-04T09:00", "03-04 08:00"),
        ("days late", "03-05 08:30", "03-05T09:00", "03-06 08:00"),
    ] {
        let mut bench = Bench::with("03-01 00:00", DAILY);
        bench.wake_until(when);
        bench.complete(when);
        assert!(bench.due().contains(due), "{case}: {}", bench.due());
        assert_eq!(bench.next(), next, "{case}");
        assert_eq!(bench.live().task.status, Status::Pending, "{case}");
    }
}

#[test]
fn completing_tells_what_it_did() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    assert_eq!(bench.complete("03-01 07:00"), ["scheduled r 03-02 08:00", "updated Advanced"]);
    // Nothing of its reminders moves when it has fired already.
    bench.wake("03-02 08:00");
    assert_eq!(bench.complete("03-02 08:30"), ["updated Advanced"]);
}

#[test]
fn the_start_keeps_its_distance() {
    let task = r#"{"title":"t","dueDate":{"date":"2027-03-04"},"start":{"date":"2027-03-01"},"recurrence":{"rule":"FREQ=WEEKLY"},"reminders":[{"id":"r","before":"PT0S","anchor":"start"}]}"#;
    let mut bench = Bench::with("02-28 00:00", task);
    assert_eq!(bench.next(), "03-01 09:00");
    bench.wake_until("03-04 12:00");
    bench.complete("03-04 12:00");
    let start = serde_json::to_string(&bench.live().task.start).unwrap();
    assert_eq!(
        (bench.due(), start),
        (r#"{"date":"2027-03-11"}"#.into(), r#"{"date":"2027-03-08"}"#.into())
    );
    assert_eq!(bench.next(), "03-08 09:00");
}

#[test]
fn a_reminder_may_lie_before_the_occurrence_ahead_of_it() {
    // A week before each day: the reminder of the 8th fires on the 1st.
    let task = recurring(&utc("03-08T09:00:00"), r#""rule":"FREQ=DAILY""#, r#""before":"P1W""#);
    let mut bench = Bench::with("03-01 00:00", &task);
    bench.wake_until("03-04 12:00");
    // It has fired for the 11th by now; completing those of the 8th and 9th early moves nothing.
    for due in ["03-09T", "03-10T"] {
        assert_eq!(bench.complete("03-04 12:00"), ["updated Advanced"]);
        assert!(bench.due().contains(due));
        assert_eq!(bench.next(), "03-05 09:00");
    }
}

#[test]
fn from_completion_the_next_one_follows_the_completion() {
    for (case, rule, completed, due) in [
        ("days, late", "FREQ=DAILY;INTERVAL=3", "03-05 20:00", "03-08T09:00"),
        ("days, early", "FREQ=DAILY;INTERVAL=3", "02-28 20:00", "03-03T09:00"),
        ("weeks", "FREQ=WEEKLY", "03-05 20:00", "03-12T09:00"),
        ("hours", "FREQ=HOURLY;INTERVAL=8", "03-05 20:10", "03-06T04:10"),
    ] {
        let rule = format!(r#""rule":"{rule}","from":"completion""#);
        let task = recurring(&utc("03-01T09:00:00"), &rule, r#""before":"PT1H""#);
        let mut bench = Bench::with("02-28 00:00", &task);
        bench.wake_until(completed);
        bench.complete(completed);
        assert!(bench.due().contains(due), "{case}: {}", bench.due());
    }
}

#[test]
fn from_completion_nothing_fires_again_before_it() {
    let rule = r#""rule":"FREQ=DAILY","from":"completion""#;
    let mut bench =
        Bench::with("03-01 00:00", &recurring(&utc("03-01T09:00:00"), rule, r#""before":"PT0S""#));
    assert_eq!(bench.wake("03-01 09:00").len(), 2);
    assert_eq!(bench.next(), "");
    assert_eq!(bench.complete("03-03 12:00"), ["scheduled r 03-04 09:00", "updated Advanced"]);
}

#[test]
fn the_last_occurrence_completes_the_task() {
    for rule in ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20270302T090000"] {
        let task =
            recurring(&utc("03-01T09:00:00"), &format!(r#""rule":"{rule}""#), r#""before":"PT0S""#);
        let mut bench = Bench::with("03-01 00:00", &task);
        assert_eq!(bench.complete("03-01 01:00"), ["scheduled r 03-02 09:00", "updated Advanced"]);
        let last = bench.complete("03-01 02:00");
        assert_eq!(last, ["removed r 03-02 09:00 Completed", "updated Completed"], "{rule}");
        assert_eq!(bench.live().task.status, Status::Completed);
        // Reopened, it is at the last one again.
        let back = bench.run("03-01 03:00", CommandKind::Reopen);
        assert_eq!(back, ["scheduled r 03-02 09:00", "updated Reopened"]);
    }
}

#[test]
fn missed_ones_count_towards_the_end() {
    let task =
        recurring(&utc("03-01T09:00:00"), r#""rule":"FREQ=DAILY;COUNT=3""#, r#""before":"PT0S""#);
    let mut bench = Bench::with("03-01 00:00", &task);
    let told = bench.wake_until("03-10 00:00");
    assert_eq!(told.iter().filter(|text| text.starts_with("triggered")).count(), 3);
    assert_eq!(bench.next(), "");
    assert_eq!(bench.complete("03-10 00:00"), ["updated Completed"]);
}

#[test]
fn an_occurrence_is_skipped() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    // The present one.
    assert_eq!(bench.skip("03-01 07:00", None), ["scheduled r 03-02 08:00", "updated Skipped"]);
    assert!(bench.due().contains("03-02T"));
    // One that is to come, and not the next to fire.
    assert_eq!(bench.skip("03-01 07:00", Some("03-03 09:00")), ["updated Skipped"]);
    // The next to fire, of which the task is not yet.
    bench.wake("03-02 08:00");
    assert_eq!(bench.next(), "03-04 08:00");
    let told = bench.skip("03-02 08:10", Some("03-04 09:00"));
    assert_eq!(told, ["scheduled r 03-05 08:00", "updated Skipped"]);
    assert!(bench.due().contains("03-02T"), "it is still at the present one");
}

#[test]
fn the_last_one_skipped_completes_the_task() {
    let task =
        recurring(&utc("03-01T09:00:00"), r#""rule":"FREQ=DAILY;COUNT=1""#, r#""before":"PT0S""#);
    let mut bench = Bench::with("03-01 00:00", &task);
    assert_eq!(
        bench.skip("03-01 00:00", None),
        ["removed r 03-01 09:00 Completed", "updated Completed"]
    );
}

#[test]
fn what_cannot_be_skipped() {
    let completion = r#""rule":"FREQ=DAILY","from":"completion""#;
    let completion = recurring(&utc("03-01T09:00:00"), completion, r#""before":"PT0S""#);
    let once = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z"}"#;
    for (case, task, occurrence, why) in [
        ("no occurrence", DAILY, Some("03-02 10:00"), "is not an occurrence"),
        ("behind", DAILY, Some("02-28 09:00"), "is not an occurrence"),
        ("once", once, None, "does not recur"),
        ("from completion", &completion, Some("03-02 09:00"), "must be left out"),
    ] {
        let bench = Bench::with("03-01 00:00", task);
        let occurrence = occurrence.map(|at| bench::time(at).to_datetime().naive_utc());
        let refused = bench.refused("03-01 00:00", CommandKind::Skip { occurrence });
        assert!(refused.contains(why), "{case}: {refused}");
    }
}

#[test]
fn exceptions_hold_for_reminders_and_completion() {
    let rule = r#""rule":"FREQ=DAILY","exdates":["2027-03-02"],"rdates":["2027-03-01T15:00:00"]"#;
    let mut bench =
        Bench::with("03-01 00:00", &recurring(&utc("03-01T09:00:00"), rule, r#""before":"PT0S""#));
    let fired: Vec<String> = bench.wake_until("03-04 00:00");
    let fired: Vec<&str> =
        fired.iter().filter_map(|text| text.strip_prefix("triggered r ")).collect();
    assert_eq!(fired, ["03-01 09:00 OnTime", "03-01 15:00 OnTime", "03-03 09:00 OnTime"]);
}

#[test]
fn a_put_of_what_was_read_goes_on() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake_until("03-02 12:00");
    bench.complete("03-02 12:00");
    let before = bench.live().clone();
    let read = serde_json::to_string(&before.task).unwrap();
    assert_eq!(bench.put("03-02 13:00", &read), ["updated Replaced"]);
    assert_eq!(*bench.live(), before);
    // Also when it does not say where the series began.
    let mut json = serde_json::to_value(&before.task).unwrap();
    json["recurrence"].as_object_mut().unwrap().remove("start");
    assert_eq!(bench.put("03-02 13:00", &json.to_string()), ["updated Replaced"]);
    assert_eq!(*bench.live(), before);
}

#[test]
fn a_rule_that_yields_nothing_is_refused() {
    for (rule, why) in [
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29", "does not come"),
        ("FREQ=DAILY;UNTIL=20200101", "UNTIL"),
    ] {
        let task =
            recurring(&utc("03-01T09:00:00"), &format!(r#""rule":"{rule}""#), r#""before":"PT0S""#);
        let put = put(parse(&task));
        let refused = Bench::new().refused("03-01 00:00", put.kind);
        assert!(refused.starts_with("task.recurrence.rule") && refused.contains(why), "{refused}");
    }
}

#[test]
fn a_local_time_stays_over_a_change_of_the_clocks() {
    let due = r#"{"local":"2027-03-27T09:00:00","zone":"Europe/Berlin"}"#;
    let mut bench =
        Bench::with("03-27 00:00", &recurring(due, r#""rule":"FREQ=DAILY""#, r#""before":"PT0S""#));
    let told = bench.wake_until("03-29 12:00");
    let fired: Vec<&str> =
        told.iter().filter_map(|text| text.strip_prefix("triggered r ")).collect();
    assert_eq!(fired, ["03-27 08:00 OnTime", "03-28 07:00 OnTime", "03-29 07:00 OnTime"]);
}

#[test]
fn a_gap_is_read_with_the_offset_before_it_and_told() {
    let due = r#"{"local":"2027-03-28T02:30:00","zone":"Europe/Berlin"}"#;
    let task = recurring(due, r#""rule":"FREQ=DAILY""#, r#""before":"PT0S""#);
    let change = match decide(&id(), None, &put(parse(&task)), None, bench::time("03-27 00:00")) {
        Ok(Turn::Commit(change)) => *change,
        other => panic!("{other:?}"),
    };
    let adjusted = &change.answer.adjusted;
    assert_eq!(adjusted.len(), 1);
    assert_eq!(adjusted[0].at, bench::time("03-28 01:30"));
    assert!(adjusted[0].step.text.contains("2027-03-28 03:30:00"), "{}", adjusted[0].step.text);
}

#[test]
fn completing_silences_what_is_left_behind() {
    let task = recurring(
        &utc("03-01T09:00:00"),
        r#""rule":"FREQ=DAILY""#,
        r#""before":"PT0S","nag":{"every":"PT1H","max":5}"#,
    );
    let mut bench = Bench::with("03-01 00:00", &task);
    bench.wake("03-01 09:00");
    assert_eq!(bench.next(), "03-01 10:00");
    assert_eq!(bench.complete("03-01 09:30"), ["updated Advanced"]);
    assert_eq!(bench.next(), "03-02 09:00", "no nag any more");
    bench.wake("03-02 09:00");
    bench.snooze("03-02 09:10", "PT2H");
    assert_eq!(
        bench.complete("03-02 09:30"),
        ["removed r 03-02 11:10 Advanced", "updated Advanced"]
    );
    assert_eq!(bench.next(), "03-03 09:00");
}

#[test]
fn from_completion_the_next_one_is_still_to_come() {
    let rule = r#""rule":"FREQ=DAILY;BYHOUR=9,21","from":"completion""#;
    let task = recurring(&utc("03-01T09:00:00"), rule, r#""before":"PT0S""#);
    for (completed, due) in [
        ("03-01 10:00", "03-01T21:00"),
        ("03-01 21:00", "03-02T09:00"),
        ("03-01 22:00", "03-02T09:00"),
    ] {
        let mut bench = Bench::with("03-01 00:00", &task);
        bench.wake("03-01 09:00");
        bench.complete(completed);
        assert!(bench.due().contains(due), "{completed}: {}", bench.due());
    }
}

#[test]
fn a_put_may_reopen_a_series() {
    let done = DAILY.replace(r#""t","#, r#""t","status":"completed","#);
    let mut bench = Bench::with("03-01 00:00", DAILY);
    assert_eq!(bench.put("03-01 01:00", &done)[0], "removed r 03-01 08:00 Completed");
    let told = bench.put("03-03 12:00", DAILY);
    assert_eq!(told, ["scheduled r 03-04 08:00", "updated Replaced"], "as reopening does");
}

#[test]
fn what_rang_for_an_occurrence_ahead_goes_on() {
    let task = recurring(
        &utc("03-02T09:00:00"),
        r#""rule":"FREQ=DAILY""#,
        r#""before":"P1D","nag":{"every":"PT1H","max":5}"#,
    );
    let mut bench = Bench::with("03-01 00:00", &task);
    bench.wake_until("03-02 09:00");
    // What rings is the reminder of the third; the second is done.
    assert_eq!(bench.complete("03-02 09:10"), ["updated Advanced"]);
    assert_eq!(bench.next(), "03-02 10:00");
    bench.snooze("03-02 09:20", "PT2H");
    let told = bench.skip("03-02 09:30", Some("03-03 09:00"));
    assert!(told.is_empty() || bench.next() != "03-02 11:20", "{told:?}");
}

#[test]
fn an_occurrence_skipped_ahead_falls_silent() {
    let task = recurring(
        &utc("03-01T09:00:00"),
        r#""rule":"FREQ=DAILY""#,
        r#""before":"P1D","nag":{"every":"PT1H","max":5}"#,
    );
    let mut bench = Bench::with("02-28 00:00", &task);
    bench.wake_until("03-01 09:00");
    bench.snooze("03-01 09:20", "PT2H");
    assert_eq!(
        bench.skip("03-01 09:30", Some("03-02 09:00")),
        ["removed r 03-01 11:20 Advanced", "updated Skipped"]
    );
    assert_eq!(bench.next(), "03-02 09:00", "the reminder of the third");
}

#[test]
fn a_put_without_the_skipped_ones_goes_on_counting() {
    let rule = r#""rule":"FREQ=DAILY;COUNT=5","from":"completion""#;
    let mut bench =
        Bench::with("03-01 00:00", &recurring(&utc("03-01T09:00:00"), rule, r#""before":"PT0S""#));
    bench.complete("03-03 10:00");
    // The third occurrence is skipped, the fourth comes.
    bench.skip("03-03 11:00", None);
    assert!(bench.due().contains("03-05T"));
    let mut json = serde_json::to_value(&bench.live().task).unwrap();
    json["recurrence"].as_object_mut().unwrap().remove("exdates");
    bench.put("03-03 12:00", &json.to_string());
    bench.complete("03-05 10:00");
    assert!(bench.due().contains("03-06T"), "the fifth");
    bench.wake("03-06 10:00");
    assert_eq!(bench.complete("03-06 10:00"), ["updated Completed"]);
}

#[test]
fn a_due_date_that_is_an_exception_is_that_of_the_next_occurrence() {
    let json = r#"{"title":"t","dueDate":{"local":"2027-01-04T09:00:00"},
        "recurrence":{"rule":"FREQ=WEEKLY;COUNT=3","exdates":["2027-01-04"]}}"#;
    let start = Timestamp::parse("2027-01-01T00:00:00Z").unwrap().as_millis() / 1000;
    let mut state = run(None, &put(parse(json)), start).state;
    let due = |state: &TaskState| state.live().unwrap().task.due_date.clone().unwrap().nominal();
    assert_eq!(due(&state).to_string(), "2027-01-11 09:00:00");
    assert_eq!(crate::next_wake(&state).unwrap().to_string(), "2027-01-11T09:00:00.000Z");
    state = run(Some(&state), &command(CommandKind::Complete), start).state;
    assert_eq!(due(&state).to_string(), "2027-01-18 09:00:00", "the exception counts");
    state = run(Some(&state), &command(CommandKind::Complete), start).state;
    assert_eq!(state.live().unwrap().task.status, Status::Completed);
}
