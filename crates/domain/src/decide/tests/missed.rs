//! After downtime: only the latest missed moment fires, and what is too late expires.

use super::*;

fn daily(reminder: &str) -> String {
    format!(
        r#"{{"title":"t","dueDate":{{"local":"2027-03-01T09:00:00","zone":"UTC"}},"recurrence":{{"rule":"FREQ=DAILY"}},"reminders":[{{"id":"r","before":"PT0S"{reminder}}}]}}"#
    )
}

#[test]
fn only_the_latest_missed_occurrence_fires() {
    for (woken, expected) in [
        ("03-01 09:00", "triggered r 03-01 09:00 OnTime"),
        ("03-01 12:00", "triggered r 03-01 09:00 Late"),
        ("03-02 08:59", "triggered r 03-01 09:00 Late"),
        ("03-02 09:00", "triggered r 03-02 09:00 Coalesced, missed 1 since 03-01 09:00"),
        ("03-05 12:00", "triggered r 03-05 09:00 Coalesced, missed 4 since 03-01 09:00"),
        ("10-01 12:00", "triggered r 10-01 09:00 Coalesced, missed 214 since 03-01 09:00"),
    ] {
        let mut bench = Bench::with("03-01 00:00", &daily(""));
        let told = bench.wake(woken);
        assert_eq!(told[0], expected);
        assert!(bench.wake(woken).is_empty(), "once");
    }
}

#[test]
fn a_put_of_an_old_series_fires_its_latest_occurrence_only() {
    let mut bench = Bench::new();
    bench.put("03-04 10:00", &daily(""));
    assert_eq!(
        bench.wake("03-04 10:00")[..2],
        [
            "triggered r 03-04 09:00 Coalesced, missed 3 since 03-01 09:00",
            "scheduled r 03-05 09:00"
        ]
    );
    let mut bench = Bench::new();
    bench.put_past("03-04 10:00", &daily(""), IfPast::Skip);
    assert_eq!(bench.next(), "03-05 09:00");
}

#[test]
fn each_reminder_coalesces_for_itself() {
    let task = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"a","before":"P1D"},{"id":"b","before":"PT0S"}]}"#;
    let mut bench = Bench::with("02-28 00:00", task);
    assert_eq!(
        bench.wake("03-02 08:00"),
        [
            "triggered a 03-01 09:00 Coalesced, missed 1 since 02-28 09:00",
            "triggered b 03-01 09:00 Late",
            "scheduled a 03-02 09:00",
            "scheduled b 03-02 09:00",
            "updated ReminderTriggered",
        ]
    );
}

#[test]
fn past_its_late_limit_it_expires() {
    let task = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"r","before":"PT0S","lateLimit":"PT1H"}]}"#;
    for (woken, expected) in [
        ("03-01 10:00", &["triggered r 03-01 09:00 Late", "updated ReminderTriggered"][..]),
        ("03-01 10:00:01", &["expired r 03-01 09:00 missed 0"]),
    ] {
        let mut bench = Bench::with("03-01 00:00", task);
        assert_eq!(bench.wake(woken), expected);
        assert_eq!(bench.next(), "");
        bench.put("03-01 12:00", task);
        assert_eq!(bench.next(), "", "it stays so");
    }
    // One that is past when it is asked for fires within its limit only.
    let mut bench = Bench::new();
    bench.put("03-01 11:00", task);
    assert_eq!(bench.wake("03-01 11:00"), ["expired r 03-01 09:00 missed 0"]);
}

#[test]
fn a_series_goes_on_after_an_expiry() {
    let mut bench = Bench::with("03-01 00:00", &daily(r#","lateLimit":"PT1H""#));
    assert_eq!(
        bench.wake("03-03 11:00"),
        ["expired r 03-03 09:00 missed 2", "scheduled r 03-04 09:00"]
    );
    assert_eq!(bench.wake("03-04 09:30")[0], "triggered r 03-04 09:00 Late");
}

#[test]
fn downtime_over_a_nag_and_a_snooze_is_one_firing() {
    let task = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"r","before":"PT0S","nag":{"every":"PT10M","max":5}}]}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:01", "PT1H");
    let told = bench.wake("03-01 20:00");
    assert_eq!(told[0], "triggered r 03-01 10:01 Snooze, of 03-01 09:00");
    assert_eq!(bench.next(), "03-01 20:10", "it nags from when it was heard");
}

#[test]
fn a_late_wake_costs_little_however_frequent_the_rule() {
    let task = r#"{"title":"t","dueDate":{"local":"2017-03-01T09:00:00","zone":"Europe/Berlin"},"recurrence":{"rule":"FREQ=MINUTELY"},"reminders":[{"id":"r","before":"PT0S"}]}"#;
    let mut bench = Bench::new();
    bench.put("03-01 09:00:30", task);
    let told = bench.wake("03-01 09:00:30");
    assert_eq!(
        told[0], "triggered r 03-01 09:00 Coalesced, missed 1000 since 03-01 08:00",
        "counted as far as it is told; the first one was ten years before"
    );
    assert_eq!(bench.next(), "03-01 09:01");
}

#[test]
fn an_occurrence_is_told_though_a_nag_or_a_snooze_of_an_earlier_one_ran_out_after_it() {
    let told = |snooze: Option<&str>| match snooze {
        Some(_) => "triggered r 03-02 09:00 Coalesced, missed 1 since 03-02 09:00",
        None => "triggered r 03-02 09:00 Late",
    };
    for (nag, snooze) in [(r#","nag":{"every":"PT1H","max":99}"#, None), ("", Some("PT25H"))] {
        let mut bench = Bench::with("03-01 00:00", &daily(nag));
        bench.wake("03-01 09:00");
        if let Some(delay) = snooze {
            bench.snooze("03-01 09:00", delay);
        } else {
            bench.wake_until("03-02 08:00");
        }
        assert_eq!(bench.wake("03-02 12:00")[0], told(snooze));
        let live = bench.live();
        let rung = live.alarms[0].rung.unwrap();
        assert_eq!(rung.moment.at, bench::time("03-02 09:00"), "what can be acknowledged now");
    }
}

#[test]
fn one_that_is_useless_gives_way_to_a_snooze() {
    let mut bench = Bench::with("03-01 00:00", &daily(r#","lateLimit":"PT1H""#));
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:00", "PT26H");
    let told = bench.wake("03-02 11:30");
    assert!(told[0].starts_with("triggered r 03-02 11:00 Snooze, missed 1"), "{told:?}");
}

#[test]
fn a_nag_past_the_late_limit_expires_as_well() {
    let task = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"r","before":"PT0S","lateLimit":"PT1H","nag":{"every":"PT10M","max":3}}]}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    bench.wake("03-01 09:00");
    assert_eq!(bench.wake("03-01 12:00"), ["expired r 03-01 09:30 missed 2"]);
    assert_eq!(bench.next(), "");
    assert_eq!(bench.acknowledge("03-01 12:01"), ["acknowledged r 03-01 09:00"]);
}
