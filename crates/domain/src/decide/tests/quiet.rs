//! Quiet hours: reminders wait until they end, unless the task is urgent.

use super::*;
use crate::explain::RuleName;

const QUIET: &str = r#"{"zone":"Europe/Berlin","quietHours":{"from":"22:00","to":"07:00"}}"#;

/// Of a task that is due at a time of UTC; Berlin is an hour ahead.
fn task(due: &str, more: &str) -> String {
    format!(
        r#"{{"title":"t","dueDate":"2027-{}:00Z","reminders":[{{"id":"r","before":"PT0S"}}]{more}}}"#,
        due.replace(' ', "T")
    )
}

#[test]
fn a_reminder_waits_until_they_end() {
    for (due, more, next) in [
        ("03-01 20:59", "", "03-01 20:59"),
        ("03-01 21:00", "", "03-02 06:00"),
        ("03-02 05:59", "", "03-02 06:00"),
        ("03-02 06:00", "", "03-02 06:00"),
        ("03-01 21:00", r#","priority":"high""#, "03-02 06:00"),
        ("03-01 21:00", r#","priority":"urgent""#, "03-01 21:00"),
    ] {
        let mut bench = Bench::of_user(QUIET);
        bench.put("03-01 00:00", &task(due, more));
        assert_eq!(bench.next(), next, "{due} {more}");
    }
}

#[test]
fn a_firing_tells_when_it_would_have_been() {
    let mut bench = Bench::of_user(QUIET);
    bench.put("03-01 00:00", &task("03-01 22:00", ""));
    let told = bench.wake("03-02 06:00");
    assert_eq!(told[0], "triggered r 03-02 06:00 OnTime, of 03-01 22:00");
}

#[test]
fn the_answer_explains_it() {
    let preferences = Bench::of_user(QUIET).preferences;
    let put = put(parse(&task("03-01 22:00", "")));
    let now = bench::time("03-01 00:00");
    let Ok(Turn::Commit(change)) = decide(&id(), None, &put, preferences.as_ref(), now) else {
        panic!("a commit was expected");
    };
    let step = &change.answer.adjusted[0].step;
    assert_eq!(step.rule, RuleName::QuietHours);
    assert!(step.text.contains("2027-03-01 23:00:00"), "{}", step.text);
    assert!(step.text.contains("2027-03-02 07:00:00"), "{}", step.text);
}

#[test]
fn becoming_urgent_moves_it_back() {
    let mut bench = Bench::of_user(QUIET);
    bench.put("03-01 00:00", &task("03-01 22:00", ""));
    let told = bench.put("03-01 01:00", &task("03-01 22:00", r#","priority":"urgent""#));
    assert_eq!(told, ["scheduled r 03-01 22:00", "updated Replaced"]);
}

#[test]
fn a_night_of_occurrences_is_one_in_the_morning() {
    let mut bench = Bench::of_user(QUIET);
    let hourly = r#"{"title":"t","dueDate":{"local":"2027-03-01T21:00:00"},"recurrence":{"rule":"FREQ=HOURLY"},"reminders":[{"id":"r","before":"PT0S"}]}"#;
    bench.put("03-01 00:00", hourly);
    let told = bench.wake_until("03-02 07:00");
    let fired: Vec<&str> =
        told.iter().filter_map(|text| text.strip_prefix("triggered r ")).collect();
    assert_eq!(
        fired,
        [
            "03-01 20:00 OnTime",
            "03-02 06:00 Coalesced, missed 9 since 03-02 06:00",
            "03-02 07:00 OnTime"
        ]
    );
}

#[test]
fn nags_wait_too_but_a_snooze_means_what_it_says() {
    let mut bench = Bench::of_user(QUIET);
    let nagging = r#"{"title":"t","dueDate":"2027-03-01T20:50:00Z","reminders":[{"id":"r","before":"PT0S","nag":{"every":"PT10M","max":5}}]}"#;
    bench.put("03-01 00:00", nagging);
    bench.wake("03-01 20:50");
    assert_eq!(bench.next(), "03-02 06:00");
    bench.snooze("03-01 20:51", "PT2H");
    assert_eq!(bench.next(), "03-01 22:51");
}

#[test]
fn nags_of_quiet_hours_do_not_count_as_missed() {
    let mut bench = Bench::of_user(QUIET);
    let nagging = r#"{"title":"t","dueDate":"2027-03-01T20:45:00Z","reminders":[{"id":"r","before":"PT0S","nag":{"every":"PT10M","max":5}}]}"#;
    bench.put("03-01 00:00", nagging);
    bench.wake("03-01 20:45");
    // It was to nag at five to ten of Berlin, then in the morning.
    let told = bench.wake("03-01 23:00");
    assert_eq!(told[0], "triggered r 03-01 20:55 Nag 1, of 03-01 20:45");
    assert_eq!(bench.next(), "03-02 06:00");
}
