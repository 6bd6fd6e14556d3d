//! Recurring tasks over changes of the clocks, in every zone of the database.

use crate::time::{brute_force, next_change, shown, zone};
use crate::{config, config_of_slow_ones, put_command};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use proptest::prelude::*;
use reminder_domain::command::IfPast;
use reminder_domain::decide::decide_wake;
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::{
    Command, CommandKind, Fact, Origin, TaskId, TaskState, Timestamp, Turn, decide, next_wake,
};
use serde_json::json;

/// How many days are looked at, from some days before the change on.
const DAYS: i64 = 6;
const BEFORE: i64 = 3;
/// Seconds from 1975 to 2095.
const SECONDS: std::ops::Range<i64> = 157_766_400..3_944_678_400;

/// A zone, and a wall time near a change of its clocks (any, where they never change).
fn change() -> impl Strategy<Value = (Tz, NaiveDateTime)> {
    let near = prop_oneof![2 => -60..60_i64, 1 => -180..180_i64];
    (zone(), SECONDS, near).prop_map(|(zone, second, minutes)| {
        let instant = DateTime::from_timestamp(second, 0).unwrap();
        let change = next_change(zone, instant).unwrap_or(instant);
        // To whole minutes, as people have it.
        let wall = shown(zone, change) + TimeDelta::minutes(minutes);
        (zone, wall - TimeDelta::seconds(wall.and_utc().timestamp().rem_euclid(60)))
    })
}

/// A daily task with a reminder so many days before it, put two days before the first of them.
fn task(zone: Tz, due: NaiveDateTime, floating: bool, days: i64) -> (TaskState, Timestamp) {
    let local = due.format("%Y-%m-%dT%H:%M:%S").to_string();
    let user = if floating { zone } else { Tz::UTC };
    let due_date = if floating {
        json!({"local": local})
    } else {
        json!({"local": local, "zone": zone.name()})
    };
    let task = json!({
        "title": "t",
        "dueDate": due_date,
        "recurrence": {"rule": "FREQ=DAILY"},
        "reminders": [{"id": "r", "before": format!("P{days}D")}],
    });
    let preferences = serde_json::from_value(json!({"zone": user.name()})).unwrap();
    let known = KnownPreferences { version: 1, preferences, ..KnownPreferences::default() };
    let task = serde_json::from_value(task).unwrap();
    let command = put_command(task, IfPast::Reject);
    let now = Timestamp::from_datetime(&(due - TimeDelta::days(days + 3)).and_utc()).unwrap();
    let id = TaskId::parse("task-1").unwrap();
    match decide(&id, None, &command, Some(&known), now) {
        Ok(Turn::Commit(change)) => (change.state, now),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(config())]

    /// The same wall time on every day, whatever the clocks do; what falls into a gap is read with
    /// the offset before it, and days that fall together are one.
    #[test]
    fn the_same_wall_time_over_any_change_of_the_clocks(
        (zone, wall) in change(),
        floating in any::<bool>(),
        days in 0..3_i64,
    ) {
        let first = wall - TimeDelta::days(BEFORE);
        // Where a whole day was left out (Kwajalein in 1993, Samoa in 2011), two due dates are one, and so are
        // their reminders days before: that is another list than the days themselves make.
        let due = |day| brute_force(first + TimeDelta::days(day), zone).0;
        prop_assume!(days == 0 || (0..DAYS + days).all(|day| due(day) < due(day + 1)));
        let mut expected: Vec<Timestamp> = Vec::new();
        for day in 0..DAYS {
            let (utc, _) = brute_force(first + TimeDelta::days(day), zone);
            let at = Timestamp::from_datetime(&utc).unwrap();
            expected.retain(|before| *before < at);
            expected.push(at);
        }
        let (mut state, mut now) = task(zone, first + TimeDelta::days(days), floating, days);
        let mut fired = Vec::new();
        for _ in 0..expected.len() {
            let next = next_wake(&state).unwrap();
            prop_assert!(next > now);
            now = next;
            let Turn::Commit(change) = decide_wake(&state, now) else {
                return Err(TestCaseError::fail("nothing to do at its own time"));
            };
            fired.extend(change.events.iter().filter_map(|event| match &event.fact {
                Fact::ReminderTriggered(fired) => Some(fired.scheduled_for),
                _ => None,
            }));
            state = change.state;
        }
        prop_assert_eq!(fired, expected, "{} from {}", zone, first);
    }
}

proptest! {
    #![proptest_config(config_of_slow_ones())]

    /// Completing, day by day, moves the due date by a day on the calendar.
    #[test]
    fn completing_keeps_the_wall_time((zone, wall) in change()) {
        let first = wall - TimeDelta::days(BEFORE);
        let (mut state, _) = task(zone, first, false, 0);
        let id = TaskId::parse("task-1").unwrap();
        let mut expected = first;
        for day in 1..DAYS {
            // A minute after it was due.
            let now = brute_force(expected, zone).0 + TimeDelta::minutes(1);
            let now = Timestamp::from_datetime(&now).unwrap();
            let command = Command {
                kind: CommandKind::Complete,
                id: None,
                fingerprint: u64::try_from(day).unwrap() + 1,
                if_version: None,
                as_user: None,
                origin: Origin::default(),
            };
            let Ok(Turn::Commit(change)) = decide(&id, Some(&state), &command, None, now) else {
                return Err(TestCaseError::fail("it must move on"));
            };
            state = change.state;
            // The next day that is not at the same instant, which a skipped day is.
            let done = brute_force(expected, zone).0;
            while brute_force(expected, zone).0 <= done {
                expected += TimeDelta::days(1);
            }
            let due = state.live().unwrap().task.due_date.as_ref().unwrap().nominal();
            let collapses = |local: NaiveDateTime| {
                brute_force(local, zone).0 == brute_force(local + TimeDelta::days(1), zone).0
            };
            if collapses(expected) {
                expected += TimeDelta::days(1);
            }
            prop_assert_eq!(due, expected, "{}", zone);
        }
    }
}
