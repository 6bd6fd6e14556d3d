//! However old and frequent a rule is, and however late a wake comes, the work is bounded.

use crate::put_command;
use reminder_domain::command::IfPast;
use reminder_domain::decide::decide_wake;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::preview::preview;
use reminder_domain::{TaskId, TaskState, Timestamp, Turn, decide, next_wake};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Wakes until nothing is due: one, and another where the first could not walk all the way.
const WAKES_MAX: usize = 3;
/// A turn of the worst kind takes much less; this is for a busy machine and a slow build.
const TURN_MAX: Duration = Duration::from_secs(30);

fn put(task: &Value, now: Timestamp) -> TaskState {
    let preferences =
        json!({"zone": "Europe/Berlin", "quietHours": {"from": "22:00", "to": "07:00"}});
    let preferences = serde_json::from_value(preferences).unwrap();
    let known = KnownPreferences { version: 1, preferences, ..KnownPreferences::default() };
    let task = serde_json::from_value(task.clone()).unwrap();
    let command = put_command(task, IfPast::Fire);
    let id = TaskId::parse("task-1").unwrap();
    match decide(&id, None, &command, Some(&known), now) {
        Ok(Turn::Commit(change)) => change.state,
        other => panic!("{other:?}"),
    }
}

/// Wakes a task until nothing is due; each turn takes its time and no more.
fn catch_up(mut state: TaskState, now: Timestamp, case: &str) -> TaskState {
    for _ in 0..WAKES_MAX {
        if next_wake(&state).is_none_or(|next| next > now) {
            return state;
        }
        let begun = Instant::now();
        let Turn::Commit(change) = decide_wake(&state, now) else { panic!("{case}: it is due") };
        assert!(begun.elapsed() < TURN_MAX, "{case}: a turn took {:?}", begun.elapsed());
        state = change.state;
    }
    assert!(next_wake(&state).is_none_or(|next| next > now), "{case}: still due");
    state
}

#[test]
fn a_wake_ten_years_late_is_a_wake() {
    let minutes: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let every_minute = format!("FREQ=DAILY;BYHOUR=3,4,5;BYMINUTE={}", minutes.join(","));
    let exdates: Vec<String> =
        (1..=200).map(|n| format!("2030-{:02}-{:02}", n % 12 + 1, n % 28 + 1)).collect();
    let rdates: Vec<String> =
        (1..=200).map(|n| format!("2031-{:02}-{:02}T01:02:03", n % 12 + 1, n % 28 + 1)).collect();
    for rule in [
        "FREQ=MINUTELY",
        "FREQ=MINUTELY;COUNT=10000",
        "FREQ=HOURLY",
        "FREQ=HOURLY;COUNT=10000",
        "FREQ=DAILY",
        every_minute.as_str(),
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    ] {
        let task = json!({
            "title": "t",
            "dueDate": {"local": "2027-03-01T09:00:00"},
            "start": {"local": "2027-02-27T09:00:00"},
            "recurrence": {"rule": rule, "exdates": exdates, "rdates": rdates},
            "reminders": [
                {"id": "a", "before": "PT0S", "nag": {"every": "PT5S", "max": 1000}},
                {"id": "b", "before": "P30D"},
                {"id": "c", "after": "P2DT30M", "anchor": "start"},
            ],
        });
        let stored = put(&task, Timestamp::parse("2027-01-01T00:00:00Z").unwrap());
        let now = Timestamp::parse("2037-03-01T12:34:56Z").unwrap();
        let state = catch_up(stored.clone(), now, rule);
        let rang = state.live().unwrap().alarms.iter().all(|alarm| alarm.rung.is_some());
        assert!(rang, "{rule}: each fires once");

        // The same task, put for the first time ten years after its start.
        let begun = Instant::now();
        let new = put(&task, now);
        assert!(begun.elapsed() < TURN_MAX, "{rule}: a put took {:?}", begun.elapsed());
        catch_up(new, now, rule);
        let begun = Instant::now();
        preview(&stored, now, 50);
        assert!(begun.elapsed() < 5 * TURN_MAX, "{rule}: preview took {:?}", begun.elapsed());
    }
}

#[test]
fn twenty_nagging_reminders_a_year_late_are_a_wake() {
    let reminder = |n: u32| json!({"id": format!("r{n}"), "before": format!("PT{n}M"), "nag": {"every": "PT5S", "max": 1000}});
    let task = json!({
        "title": "t",
        "dueDate": {"local": "2027-03-01T09:00:00"},
        "recurrence": {"rule": "FREQ=MINUTELY"},
        "reminders": (0..20).map(reminder).collect::<Vec<_>>(),
    });
    let state = put(&task, Timestamp::parse("2027-01-01T00:00:00Z").unwrap());
    let mut now = Timestamp::parse("2027-03-01T08:00:00Z").unwrap();
    let state = catch_up(state, now, "on time");
    now = now.saturating_add_ms(366 * 24 * 3_600_000);
    catch_up(state, now, "a year late");
}
