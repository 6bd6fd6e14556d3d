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
