//! Recurring tasks at their edges: odd due dates, and occurrences that do not take place.

use super::*;

fn task(due: &str, recurrence: &str) -> String {
    format!(r#"{{"title":"t","dueDate":{due},"recurrence":{{{recurrence}}}}}"#)
}

#[test]
fn a_recurring_task_can_be_read_again_whatever_its_due_date() {
    let daily = r#""rule":"FREQ=DAILY;COUNT=400""#;
    for (due, read) in [
        (r#"{"local":"2027-03-01T08:59:60","zone":"UTC"}"#, "2027-03-01T09:00:00"),
        (r#"{"local":"2027-03-01T08:59:59.0001","zone":"UTC"}"#, "2027-03-01T08:59:59.001"),
        // The instant 0, where 1970 begins last.
        (r#"{"local":"1969-12-31T16:00:00","zone":"America/Los_Angeles"}"#, "1969-12-31T16:00:00"),
    ] {
        let mut bench = Bench::with("02-28 00:00", &task(due, daily));
        bench.reload();
        assert!(bench.due().contains(read), "{}", bench.due());
        // The exception that this makes is stored as well.
        bench.skip("02-28 00:01", None);
        bench.reload();
    }
}

const LAST: &str = r#""rule":"FREQ=DAILY;UNTIL=20270302T090000""#;

/// A task at the last of its two occurrences, in UTC.
fn at_its_last() -> Bench {
    let mut bench = Bench::with("03-01 00:00", &task(r#"{"local":"2027-03-01T09:00:00"}"#, LAST));
    bench.wake_until("03-01 09:00");
    bench.complete("03-01 10:00");
    assert!(bench.due().contains("03-02T") && bench.next() == "03-02 09:00");
    bench
}

#[test]
fn a_put_that_excepts_the_last_occurrence_ends_the_task_as_skipping_it_does() {
    let excepted = r#""rule":"FREQ=DAILY;UNTIL=20270302T090000","exdates":["2027-03-02"],"start":"2027-03-01T09:00:00""#;
    let excepted = task(r#"{"local":"2027-03-02T09:00:00"}"#, excepted);
    let mut bench = at_its_last();
    let told = bench.put("03-01 11:00", &excepted);
    assert_eq!(
        told,
        ["removed due 03-02 09:00 Completed", "updated Replaced", "updated Completed"]
    );
    assert_eq!((bench.live().task.status, bench.next()), (Status::Completed, String::new()));
    let mut skipped = at_its_last();
    skipped.skip("03-01 11:00", None);
    assert_eq!(skipped.live().alarms, bench.live().alarms);
    // Said again, it is as it was.
    assert_eq!(bench.put("03-01 12:00", &excepted)[..1], ["updated Replaced"]);
    assert_eq!(bench.next(), "");
}

#[test]
fn what_is_excepted_counts_where_the_series_is_put_in_its_middle() {
    // The third of five is excepted, and the task is put there.
    let recurrence =
        r#""rule":"FREQ=DAILY;COUNT=5","start":"2027-03-01T09:00:00","exdates":["2027-03-03"]"#;
    let excepted = task(r#"{"local":"2027-03-03T09:00:00"}"#, recurrence);
    let mut bench = Bench::with("03-01 00:00", &excepted);
    let told = bench.wake_until("03-20 00:00");
    let fired = told.iter().filter_map(|text| text.strip_prefix("triggered due "));
    assert_eq!(fired.collect::<Vec<_>>(), ["03-04 09:00 OnTime", "03-05 09:00 OnTime"]);
}

#[test]
fn a_task_whose_occurrences_were_all_skipped_can_be_put_again_and_a_new_one_is_refused() {
    let at_first = r#"{"local":"2027-03-01T09:00:00"}"#;
    let skipped = |title: &str| {
        let both = r#""rule":"FREQ=DAILY;UNTIL=20270302T090000","exdates":["2027-03-01","2027-03-02"],"start":"2027-03-01T09:00:00""#;
        task(r#"{"local":"2027-03-02T09:00:00"}"#, both).replace("\"t\"", title)
    };
    let mut bench = Bench::with("02-01 00:00", &task(at_first, LAST));
    bench.skip("02-01 01:00", None);
    bench.skip("02-01 02:00", None);
    assert_eq!(bench.live().task.status, Status::Completed);
    let told = bench.put("02-01 03:00", &skipped("\"other\""));
    assert!(told.contains(&"updated Replaced".to_owned()), "{told:?}");
    assert_eq!((bench.live().task.status, bench.next()), (Status::Completed, String::new()));
    let put = Put { task: parse(&skipped("\"t\"")), if_past: IfPast::Fire, restored: Vec::new() };
    let refused = Bench::new().refused("02-01 00:00", CommandKind::Put(Box::new(put)));
    assert!(refused.contains("exdates"), "{refused}");
}
