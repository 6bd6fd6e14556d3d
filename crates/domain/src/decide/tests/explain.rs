//! What became of a moment, and what will become of it.

use super::*;
use crate::explain::explain;

const DAILY: &str = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"}}"#;

/// The verdict at a time of 2027 on the moment of the reminder at the due date.
fn verdict(bench: &Bench, now: &str, moment: Timestamp) -> &'static str {
    let explained = explain(bench.live(), &reminder_id("due"), moment, bench::time(now));
    explained.map_or("unknown", |explained| explained.verdict.as_str())
}

#[test]
fn nothing_is_scheduled_after_the_last_of_a_count() {
    let mut bench = Bench::with("03-01 00:00", &DAILY.replace("DAILY", "DAILY;COUNT=5"));
    let next_year = Timestamp::parse("2028-01-01T09:00:00Z").unwrap();
    for _ in 0..2 {
        assert_eq!(verdict(&bench, "03-01 00:00", bench::time("03-05 09:00")), "scheduled");
        for never in [bench::time("03-06 09:00"), next_year] {
            assert_eq!(verdict(&bench, "03-01 00:00", never), "notScheduled");
        }
        // It counts from where the series began, not from where the task is.
        bench.complete("03-01 00:00");
    }
    bench.wake_until("03-06 00:00");
    assert_eq!(verdict(&bench, "03-06 00:00", next_year), "notScheduled");
}

#[test]
fn what_is_before_the_next_moment_is_not_scheduled() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake("03-01 09:00");
    bench.complete("03-01 10:00");
    bench.complete("03-01 12:00");
    assert_eq!(bench.next(), "03-03 09:00", "the second was done early");
    let at_one = |day: &str| verdict(&bench, "03-01 13:00", bench::time(&format!("{day} 09:00")));
    assert_eq!([at_one("03-01"), at_one("03-02")], ["fired", "forgotten"]);
    assert_eq!([at_one("03-03"), at_one("03-04")], ["scheduled", "scheduled"]);
}
