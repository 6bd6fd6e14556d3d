//! What people do when an alarm rings: snooze, acknowledge, dismiss; and how it nags until they do.

use super::*;
use crate::command::Delay;
use crate::time::DueTime;

const ONCE: &str =
    r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"r","before":"PT0S"}]}"#;
const NAGGING: &str = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"r","before":"PT0S","nag":{"every":"PT10M","max":3}}]}"#;
const DAILY: &str = r#"{"title":"t","dueDate":{"local":"2027-03-01T09:00:00","zone":"UTC"},"recurrence":{"rule":"FREQ=DAILY"},"reminders":[{"id":"r","before":"PT0S"}]}"#;
const TWO: &str = r#"{"title":"t","dueDate":"2027-03-01T09:00:00Z","reminders":[{"id":"a","before":"PT1H"},{"id":"b","before":"PT0S"}]}"#;

fn fired(told: &[String]) -> Vec<&str> {
    told.iter().filter_map(|text| text.strip_prefix("triggered ")).collect()
}

#[test]
fn it_nags_as_often_as_it_may() {
    let mut bench = Bench::with("03-01 00:00", NAGGING);
    assert_eq!(
        fired(&bench.wake_until("03-02 00:00")),
        [
            "r 03-01 09:00 OnTime",
            "r 03-01 09:10 Nag 1, of 03-01 09:00",
            "r 03-01 09:20 Nag 2, of 03-01 09:00",
            "r 03-01 09:30 Nag 3, of 03-01 09:00",
        ]
    );
    assert_eq!(bench.next(), "");
}

#[test]
fn nags_do_not_drift_and_missed_ones_are_one() {
    let mut bench = Bench::with("03-01 00:00", NAGGING);
    bench.wake("03-01 09:00:30");
    assert_eq!(bench.next(), "03-01 09:10:30", "it counts from when it was heard");
    bench.wake("03-01 09:12");
    assert_eq!(bench.next(), "03-01 09:20:30");
    assert_eq!(
        fired(&bench.wake("03-01 12:00")),
        ["r 03-01 09:30:30 Nag 3, missed 1 since 03-01 09:20:30, of 03-01 09:00"]
    );
    assert_eq!(bench.next(), "");
}

#[test]
fn whatever_people_do_stops_the_nag() {
    type Act = fn(&mut Bench) -> Vec<String>;
    let acts: [(&str, Act, &[&str], &str); 4] = [
        ("acknowledge", |b| b.acknowledge("03-01 09:05"), &["acknowledged r 03-01 09:00"], ""),
        ("dismiss", |b| b.dismiss("03-01 09:05", None), &["acknowledged r 03-01 09:00"], ""),
        ("complete", |b| b.complete("03-01 09:05"), &["updated Completed"], ""),
        (
            "snooze",
            |b| b.snooze("03-01 09:05", "PT1H"),
            &["snoozed r 03-01 09:00 until 03-01 10:05"],
            "03-01 10:05",
        ),
    ];
    for (case, act, told, next) in acts {
        let mut bench = Bench::with("03-01 00:00", NAGGING);
        bench.wake("03-01 09:00");
        assert_eq!(act(&mut bench), told, "{case}");
        assert_eq!(bench.next(), next, "{case}");
    }
}

#[test]
fn a_snooze_rings_again_and_may_be_replaced() {
    let mut bench = Bench::with("03-01 00:00", ONCE);
    bench.wake("03-01 09:00");
    bench.snooze("03-01 09:05", "PT1H");
    let told = bench.snooze("03-01 09:06", "PT10M");
    assert_eq!(told, ["snoozed r 03-01 09:00 until 03-01 09:16"]);
    assert_eq!(fired(&bench.wake("03-01 09:16")), ["r 03-01 09:16 Snooze, of 03-01 09:00"]);
    // And again: it is still the moment of nine o'clock that was put off.
    let told = bench.snooze("03-01 09:20", "PT10M");
    assert_eq!(told, ["snoozed r 03-01 09:00 until 03-01 09:30"]);
    bench.acknowledge("03-01 09:25");
    assert_eq!(bench.next(), "", "acknowledged, the snooze is forgotten");
}

#[test]
fn after_a_snooze_it_nags_on() {
    let mut bench = Bench::with("03-01 00:00", NAGGING);
    bench.wake_until("03-01 09:10");
    bench.snooze("03-01 09:11", "PT1H");
    assert_eq!(
        fired(&bench.wake_until("03-02 00:00")),
        [
            "r 03-01 10:11 Snooze, of 03-01 09:00",
            "r 03-01 10:21 Nag 2, of 03-01 09:00",
            "r 03-01 10:31 Nag 3, of 03-01 09:00",
        ]
    );
}

#[test]
fn how_long_a_snooze_is() {
    let preferences = r#"{"zone":"Europe/Berlin","snoozePresets":{"nap":"PT20M","dawn":{"days":1,"at":"06:30"}}}"#;
    let preset = |name| Delay::Preset(crate::ids::PresetName::parse(name).unwrap());
    let until = |text: &str| Delay::Until(serde_json::from_str::<DueTime>(text).unwrap());
    for (delay, expected) in [
        (preset("nap"), Ok("03-01 09:25")),
        (preset("dawn"), Ok("03-02 05:30")),
        (preset("tomorrow"), Err("preset is not one of")),
        (until(r#""2027-03-01T10:00:00Z""#), Ok("03-01 10:00")),
        (until(r#"{"local":"2027-03-01T18:00:00"}"#), Ok("03-01 17:00")),
        (until(r#"{"date":"2027-03-05"}"#), Ok("03-05 08:00")),
        (until(r#""2027-03-01T09:05:00Z""#), Err("until ends at")),
        (until(r#""2090-03-01T09:05:00Z""#), Err("until is 2090")),
    ] {
        let mut bench = Bench::of_user(preferences);
        bench.put("03-01 00:00", ONCE);
        bench.wake("03-01 09:00");
        let case = format!("{delay:?}");
        let kind = CommandKind::Snooze { reminder_id: None, delay };
        match expected {
            Ok(next) => {
                bench.run("03-01 09:05", kind);
                assert_eq!(bench.next(), next, "{case}");
            }
            Err(why) => {
                let refused = bench.refused("03-01 09:05", kind);
                assert!(refused.starts_with(why), "{case}: {refused}");
            }
        }
    }
}

#[test]
fn what_cannot_be_snoozed() {
    let nap = || Delay::For(serde_json::from_str(r#""PT10M""#).unwrap());
    let all = || CommandKind::Snooze { reminder_id: None, delay: nap() };
    let one = |id| CommandKind::Snooze { reminder_id: Some(reminder_id(id)), delay: nap() };
    let mut bench = Bench::with("03-01 00:00", TWO);
    assert!(bench.refused("03-01 01:00", all()).contains("no reminder rang"));
    assert!(bench.refused("03-01 01:00", one("x")).starts_with("reminderId"));
    bench.wake("03-01 08:00");
    assert!(bench.refused("03-01 08:10", one("b")).contains("no reminder rang"));
    bench.acknowledge("03-01 08:10");
    assert!(bench.refused("03-01 08:10", all()).contains("no reminder rang"));
    bench.wake("03-01 09:00");
    bench.complete("03-01 09:00");
    assert!(bench.refused("03-01 09:10", all()).contains("completed"));
}

#[test]
fn one_reminder_or_all_that_rang() {
    for (reminder, expected) in [
        (None, &["acknowledged a 03-01 08:00", "acknowledged b 03-01 09:00"][..]),
        (Some("a"), &["acknowledged a 03-01 08:00"]),
        (Some("b"), &["acknowledged b 03-01 09:00"]),
    ] {
        let mut bench = Bench::with("03-01 00:00", TWO);
        bench.wake_until("03-01 09:00");
        let reminder_id = reminder.map(reminder_id);
        let acknowledge = CommandKind::Acknowledge { reminder_id };
        assert_eq!(bench.run("03-01 09:10", acknowledge.clone()), expected);
        assert!(bench.run("03-01 09:10", acknowledge).is_empty(), "again is no mistake");
    }
}

#[test]
fn what_is_still_to_come_cannot_be_acknowledged() {
    let mut bench = Bench::with("03-01 00:00", ONCE);
    assert!(bench.acknowledge("03-01 08:59").is_empty());
    // It is due, and nobody can have seen it yet.
    assert!(bench.acknowledge("03-01 09:00:01").is_empty());
    assert_eq!(fired(&bench.wake("03-01 09:00:02")), ["r 03-01 09:00 OnTime"]);
}

#[test]
fn a_snooze_or_an_acknowledgement_leaves_the_next_occurrence_alone() {
    for act in [
        |b: &mut Bench| b.snooze("03-01 09:05", "PT30H"),
        |b: &mut Bench| b.acknowledge("03-01 09:05"),
    ] {
        let mut bench = Bench::with("03-01 00:00", DAILY);
        bench.wake("03-01 09:00");
        act(&mut bench);
        assert_eq!(fired(&bench.wake_until("03-02 09:00")), ["r 03-02 09:00 OnTime"]);
    }
}

#[test]
fn an_acknowledged_occurrence_never_fires_again() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake("03-01 09:00");
    bench.acknowledge("03-01 09:05");
    bench.put("03-01 09:10", DAILY);
    assert_eq!(bench.next(), "03-02 09:00", "the same put");
    let offset = DAILY.replace("PT0S", "PT5M");
    bench.put("03-01 09:10", &offset);
    assert_eq!(bench.next(), "03-02 08:55", "moved to an earlier moment");
    let rule = DAILY.replace("FREQ=DAILY", "FREQ=DAILY;INTERVAL=2");
    bench.put("03-01 09:10", &rule);
    assert_eq!(bench.next(), "03-03 09:00", "another rule from the same start");
}

#[test]
fn the_original_put_replayed_days_later_fires_nothing_that_was_acknowledged() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake_until("03-03 09:00");
    bench.acknowledge("03-03 09:05");
    bench.complete("03-03 09:10");
    bench.put("03-03 10:00", DAILY);
    assert_eq!(bench.next(), "03-04 09:00");
}

#[test]
fn dismissing_takes_one_moment_out() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    assert_eq!(
        bench.dismiss("03-01 08:00", Some("r")),
        ["removed r 03-01 09:00 Dismissed", "scheduled r 03-02 09:00"]
    );
    assert_eq!(
        bench.dismiss("03-01 08:00", Some("r")),
        ["removed r 03-02 09:00 Dismissed", "scheduled r 03-03 09:00"]
    );
    // Without a name it is about the present occurrence, which has nothing left.
    assert!(bench.dismiss("03-01 08:00", None).is_empty());

    let mut bench = Bench::with("03-01 00:00", TWO);
    bench.wake("03-01 08:00");
    assert_eq!(
        bench.dismiss("03-01 08:30", None),
        ["acknowledged a 03-01 08:00", "removed b 03-01 09:00 Dismissed"]
    );
    assert_eq!(bench.next(), "");
    // A put of the same schedule does not bring it back.
    bench.put("03-01 08:40", TWO);
    assert_eq!(bench.next(), "");
}

#[test]
fn an_imported_calendar_says_what_was_acknowledged_and_snoozed() {
    let mut bench = Bench::new();
    let told = bench.import("03-01 10:00", ONCE, "r", Some("03-01 09:10"), None);
    assert_eq!(told, ["updated Created"], "acknowledged before it came here");
    assert_eq!(bench.next(), "");

    let mut bench = Bench::new();
    let told = bench.import("03-01 10:00", DAILY, "r", Some("03-01 09:10"), Some("03-01 12:00"));
    assert_eq!(
        told,
        ["scheduled r 03-02 09:00", "snoozed r 03-01 09:00 until 03-01 12:00", "updated Created"]
    );
    assert_eq!(fired(&bench.wake("03-01 12:00")), ["r 03-01 12:00 Snooze, of 03-01 09:00"]);
}

#[test]
fn an_import_silences_nothing_that_is_still_to_come() {
    // A calendar that acknowledges the future, and one that snoozes what has not rung.
    for (acknowledged, snoozed) in [(Some("06-01 00:00"), None), (None, Some("03-01 08:00"))] {
        let mut bench = Bench::new();
        bench.import("03-01 07:00", DAILY, "r", acknowledged, snoozed);
        bench.wake("03-01 08:00");
        bench.acknowledge("03-01 08:00");
        assert_eq!(bench.next(), "03-01 09:00", "{acknowledged:?} {snoozed:?}");
        assert_eq!(fired(&bench.wake("03-01 09:00")), ["r 03-01 09:00 OnTime"]);
    }
}

#[test]
fn a_completed_task_comes_in_without_its_snooze() {
    let done = ONCE.replace(r#""t","#, r#""t","status":"completed","#);
    let mut bench = Bench::new();
    let told = bench.import("03-01 10:00", &done, "r", None, Some("03-01 12:00"));
    assert_eq!(told, ["updated Created"]);
    assert_eq!(bench.next(), "");
}

#[test]
fn an_acknowledgement_in_quiet_hours_leaves_what_waits_for_their_end() {
    let preferences = r#"{"quietHours":{"from":"22:00","to":"07:00"}}"#;
    let mut bench = Bench::of_user(preferences);
    let task = r#"{"title":"t","dueDate":{"local":"2027-03-01T20:00:00"},"recurrence":{"rule":"FREQ=DAILY","rdates":["2027-03-01T22:30:00"]},"reminders":[{"id":"r","before":"PT0S"}]}"#;
    bench.put("03-01 12:00", task);
    bench.wake("03-01 20:00");
    // The snooze means what it says, and rings while the second moment waits.
    bench.snooze("03-01 20:00", "PT3H");
    bench.wake("03-01 23:00");
    bench.acknowledge("03-01 23:01");
    assert_eq!(fired(&bench.wake_until("03-02 12:00")), ["r 03-02 07:00 OnTime, of 03-01 22:30"]);
}

#[test]
fn completing_an_occurrence_acknowledges_it() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake("03-01 09:00");
    bench.complete("03-01 09:10");
    bench.put("03-01 10:00", DAILY);
    assert_eq!(bench.next(), "03-02 09:00", "the original put, replayed, fires nothing again");
}

#[test]
fn what_was_acknowledged_does_not_count_as_missed() {
    let mut bench = Bench::with("03-01 00:00", DAILY);
    bench.wake_until("03-03 09:00");
    bench.acknowledge("03-03 09:05");
    bench.put("03-05 10:00", &DAILY.replace("PT0S", "PT1H"));
    assert_eq!(
        fired(&bench.wake("03-05 10:00")),
        ["r 03-05 08:00 Coalesced, missed 1 since 03-04 08:00"]
    );
}

#[test]
fn a_dismissed_occurrence_stays_so_when_the_task_moves_towards_it() {
    let task = DAILY.replace("FREQ=DAILY", "FREQ=DAILY;COUNT=3");
    let mut bench = Bench::with("03-01 00:00", &task);
    for _ in 0..3 {
        bench.dismiss("03-01 08:00", Some("r"));
    }
    for _ in 0..2 {
        bench.complete("03-01 08:00");
        assert_eq!(bench.next(), "");
    }
}
