//! What will fire, and by which rules.

use super::*;
use crate::explain::RuleName::{self, *};
use crate::preview::preview;

/// The next firings: when, and the rules that led there.
fn previewed(bench: &Bench, when: &str, count: usize) -> Vec<(String, Vec<RuleName>)> {
    let state = bench.state.as_ref().unwrap();
    let firings = preview(state, bench::time(when), count);
    let shown = |triggered: &crate::event::Triggered| {
        let at = triggered.scheduled_for.to_datetime().format("%m-%d %H:%M");
        format!("{} {at} {:?}", triggered.reminder_id, triggered.cause)
    };
    let rules = |firing: &crate::preview::Explained| {
        firing.steps.iter().map(|step| step.rule).collect::<Vec<_>>()
    };
    firings.iter().map(|firing| (shown(&firing.triggered), rules(firing))).collect()
}

fn expect(bench: &Bench, when: &str, expected: &[(&str, &[RuleName])]) {
    let expected: Vec<_> =
        expected.iter().map(|(text, rules)| ((*text).to_owned(), rules.to_vec())).collect();
    assert_eq!(previewed(bench, when, expected.len()), expected);
}

#[test]
fn it_names_the_rules_in_their_order() {
    let mut bench =
        Bench::of_user(r#"{"zone":"Europe/Berlin","quietHours":{"from":"22:00","to":"06:00"}}"#);
    let task = r#"{"title":"t","dueDate":{"local":"2027-03-27T02:30:00"},"recurrence":{"rule":"FREQ=DAILY"},"priority":"urgent","reminders":[{"id":"r","before":"P1D"}]}"#;
    bench.put("03-26 12:00", task);
    let plain: &[RuleName] = &[Occurrence, Anchor, Offset, Zone];
    let gap: &[RuleName] = &[Occurrence, Anchor, Offset, Zone, Gap];
    let late: &[RuleName] = &[Occurrence, Anchor, Offset, Zone, Late];
    expect(
        &bench,
        "03-26 12:00",
        &[
            ("r 03-26 01:30 Late", late),
            ("r 03-27 01:30 OnTime", plain),
            ("r 03-28 01:30 OnTime", gap),
        ],
    );
    bench.put("03-26 12:00", &task.replace("urgent", "normal"));
    let quiet: &[RuleName] = &[Occurrence, Anchor, Offset, Zone, Gap, QuietHours];
    bench.wake("03-27 12:00");
    expect(&bench, "03-27 12:00", &[("r 03-28 04:00 OnTime", quiet)]);
}

#[test]
fn it_tells_snoozes_nags_and_what_was_missed() {
    let task = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"r","before":"PT0S","nag":{"every":"PT6H","max":1}}]}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    expect(
        &bench,
        "03-02 10:00",
        &[
            ("r 03-02 09:00 Coalesced", &[Occurrence, Anchor, Zone, Coalesced, Late]),
            ("r 03-02 16:00 Nag", &[Occurrence, Anchor, Zone, Nag]),
        ],
    );
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:01", "PT1H");
    expect(
        &bench,
        "03-01 09:02",
        &[
            ("r 03-01 10:01 Snooze", &[Occurrence, Anchor, Zone, Snooze]),
            ("r 03-01 16:01 Nag", &[Occurrence, Anchor, Zone, Nag]),
            ("r 03-02 09:00 OnTime", &[Occurrence, Anchor, Zone]),
        ],
    );
}

#[test]
fn it_ends_where_the_task_does() {
    let task = r#"{"title":"t","dueDate":{"date":"2027-03-01"},"recurrence":{"rule":"FREQ=DAILY;COUNT=3"}}"#;
    let mut bench = Bench::with("03-01 00:00", task);
    assert_eq!(previewed(&bench, "03-01 00:00", 50).len(), 3);
    bench.complete("03-01 00:00");
    assert_eq!(previewed(&bench, "03-01 00:00", 50).len(), 2);
    bench.run("03-01 00:00", CommandKind::Delete);
    assert_eq!(previewed(&bench, "03-01 00:00", 50).len(), 0);
}
