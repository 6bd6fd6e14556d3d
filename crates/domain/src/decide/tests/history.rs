//! The last firings and what was done about them.

use super::*;
use crate::history::HistoryEntry;

fn kinds(bench: &Bench) -> Vec<&'static str> {
    let kind = |entry: &HistoryEntry| match entry {
        HistoryEntry::Fired(_) => "fired",
        HistoryEntry::Acknowledged { .. } => "acknowledged",
        HistoryEntry::Expired { .. } => "expired",
        HistoryEntry::Dismissed { .. } => "dismissed",
    };
    bench.live().history.iter().map(kind).collect()
}

#[test]
fn it_tells_what_happened_in_its_order() {
    let task = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"r","before":"PT0S","lateLimit":"PT1H"}]}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    bench.wake("03-01 09:00");
    bench.acknowledge("03-01 09:05");
    bench.acknowledge("03-01 09:06");
    bench.dismiss("03-01 09:07", Some("r"));
    bench.wake("03-03 12:00");
    let expected = ["fired", "acknowledged", "dismissed", "expired"];
    assert_eq!(kinds(&bench), expected);
    // It stays with the task.
    bench.put("03-03 12:00", r#"{"title":"another"}"#);
    assert_eq!(kinds(&bench), expected);
    let times: Vec<Timestamp> = bench.live().history.iter().map(HistoryEntry::at).collect();
    assert!(times.is_sorted());
}

#[test]
fn the_oldest_are_forgotten() {
    let task =
        r#"{"title":"t","dueDate":{"date":"2027-03-01"},"recurrence":{"rule":"FREQ=DAILY"}}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    bench.wake_until("04-15 00:00");
    let history = &bench.live().history;
    assert_eq!(history.len(), limits::HISTORY_MAX);
    assert_eq!(history.last().unwrap().at(), bench::time("04-14 09:00"));
}
