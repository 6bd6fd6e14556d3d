//! Every task survives its own calendar, and the calendar keeps to the format.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use proptest::prelude::*;
use reminder_domain::alarm::{Alarm, Moment, Plan, Rung, Snooze};
use reminder_domain::command::{Origin, RestoredAlarm};
use reminder_domain::preferences::{KnownPreferences, Preferences};
use reminder_domain::recurrence::{Clock, Cursor, Rule, Series};
use reminder_domain::schedule::Schedule;
use reminder_domain::state::Live;
use reminder_domain::task::TaskFields;
use reminder_domain::time::{Adjustment, DueTime};
use reminder_domain::{Task, TaskId, Timestamp};
use reminder_icalendar::{export, import};
use serde_json::{Value, json};

const LOCAL: &str = "%Y-%m-%dT%H:%M:%S%.f";

fn local() -> impl Strategy<Value = NaiveDateTime> {
    let ms = prop_oneof![4 => Just(0_i64), 1 => 0..1000_i64];
    // Whole quarters of an hour meet each other and the changes of the clocks.
    let quarter = 0..(3 * 366 * 24 * 4_i64);
    (quarter, 0..2_i64, ms).prop_map(|(quarter, second, ms)| {
        let start = "2025-12-01T00:00:00".parse::<NaiveDateTime>().unwrap();
        start
            + TimeDelta::minutes(quarter * 15)
            + TimeDelta::seconds(second)
            + TimeDelta::milliseconds(ms)
    })
}

fn instant() -> impl Strategy<Value = Timestamp> {
    local().prop_map(|local| Timestamp::from_datetime(&local.and_utc()).unwrap())
}

const ZONES: &[&str] = &[
    "Europe/Berlin",
    "America/Argentina/Buenos_Aires",
    "UTC",
    "Africa/Casablanca",
    "Asia/Kolkata",
];

fn due() -> impl Strategy<Value = Value> {
    (local(), 0..4_u8, prop::sample::select(ZONES)).prop_map(|(local, kind, zone)| match kind {
        0 => json!(format!("{}Z", local.format(LOCAL))),
        1 => json!({"local": local.format(LOCAL).to_string(), "zone": zone}),
        2 => json!({"local": local.format(LOCAL).to_string()}),
        _ => json!({"date": local.date().to_string()}),
    })
}

fn offset() -> impl Strategy<Value = String> {
    (0..4_i64, 0..3_i64, 0..4_i64, 0..3_i64, 0..2_i64).prop_map(
        |(kind, days, hours, minutes, seconds)| match kind {
            0 => "PT0S".to_owned(),
            1 => format!("P{days}D"),
            2 => format!("PT{}M", 5 * (minutes + 1)),
            _ => format!("P{days}DT{hours}H{minutes}M{seconds}S"),
        },
    )
}

fn reminder() -> impl Strategy<Value = Value> {
    let nag = prop::option::weighted(0.2, (5..90_u32, 1..20_u16));
    let late = prop::option::weighted(0.2, offset());
    (0..5_u8, due(), offset(), nag, late).prop_map(|(kind, at, offset, nag, late)| {
        let mut json = match kind {
            0 => json!({"at": at}),
            1 => json!({"before": offset}),
            2 => json!({"after": offset}),
            3 => json!({"before": offset, "anchor": "start"}),
            _ => json!({"after": offset, "anchor": "start"}),
        };
        if let Some((every, max)) = nag {
            json["nag"] = json!({"every": format!("PT{every}S"), "max": max});
        }
        if let Some(late) = late {
            json["lateLimit"] = json!(late);
        }
        json
    })
}

fn reminders() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(reminder(), 0..5).prop_map(|mut reminders| {
        for (index, reminder) in reminders.iter_mut().enumerate() {
            reminder["id"] = json!(format!("r{index}"));
        }
        reminders
    })
}

const RULES: &[&str] = &[
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=12",
    "FREQ=DAILY;INTERVAL=3;UNTIL=20290101",
    "FREQ=WEEKLY;BYDAY=MO,FR;INTERVAL=2",
    "FREQ=WEEKLY;WKST=SU;COUNT=40;INTERVAL=2",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,1;COUNT=9",
    "FREQ=YEARLY;BYMONTH=2,11;BYMONTHDAY=29,-1",
    "FREQ=HOURLY;INTERVAL=7;UNTIL=20280101T120000Z",
    "FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0;UNTIL=20281231T090000",
    "FREQ=WEEKLY;INTERVAL=9;UNTIL=20271231",
];

/// A recurrence, and how many occurrences it is into it.
fn recurrence() -> impl Strategy<Value = (Value, usize)> {
    let moment = || {
        (local(), any::<bool>()).prop_map(|(local, whole)| {
            if whole { local.date().to_string() } else { local.format(LOCAL).to_string() }
        })
    };
    let moments = || prop::collection::vec(moment(), 0..4);
    (prop::sample::select(RULES), moments(), moments(), any::<bool>(), 0..8_usize).prop_map(
        |(rule, exdates, rdates, completion, into)| {
            let mut json = json!({"rule": rule});
            if !exdates.is_empty() {
                json["exdates"] = json!(exdates);
            }
            if completion {
                json["from"] = json!("completion");
            } else if !rdates.is_empty() {
                json["rdates"] = json!(rdates);
            }
            (json, into)
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z ,;:\\\\\"=äß€😀]{1,90}x",
        1 => "[ -~]{0,20}[^\\p{Cc}]{1,20}x",
    ]
}

prop_compose! {
    fn task()(
        title in text(),
        description in prop::option::of(prop_oneof![text(), "[a-z\\\\\n\r\t\u{7f},;]{0,40}"]),
        due in prop::option::weighted(0.8, due()),
        start in prop::option::weighted(0.4, due()),
        recurrence in prop::option::weighted(0.5, recurrence()),
        words in (prop::sample::select(&["low", "normal", "high", "urgent"][..]),
            prop::sample::select(&["pending", "in_progress", "completed"][..])),
        tags in prop::collection::vec(text().prop_map(|text| text.chars().take(50).collect::<String>() + "t"), 0..4),
        people in prop::collection::vec(prop::option::weighted(0.3, text()), 3),
        reminders in prop::option::weighted(0.8, reminders()),
    ) -> Option<Task> {
        let mut json = json!({
            "title": title, "priority": words.0, "status": words.1, "tags": tags,
        });
        for (name, value) in [("description", description), ("userId", people[0].clone()),
            ("assignee", people[1].clone()), ("createdBy", people[2].clone())] {
            if let Some(value) = value {
                json[name] = json!(value);
            }
        }
        if let Some(start) = start {
            json["start"] = start;
        }
        if let Some(reminders) = reminders {
            json["reminders"] = json!(reminders);
        }
        if let Some(due) = due {
            if let Some((mut recurrence, into)) = recurrence {
                let first: DueTime = serde_json::from_value(due.clone()).unwrap();
                recurrence["start"] = json!(first.nominal().format(LOCAL).to_string());
                json["recurrence"] = recurrence;
                json["dueDate"] = json!(occurrence(&first, &json["recurrence"], into));
            } else {
                json["dueDate"] = due;
            }
        }
        serde_json::from_value(json).ok()
    }
}

/// An occurrence so far into a series.
fn occurrence(first: &DueTime, recurrence: &Value, into: usize) -> DueTime {
    let rule = Rule::parse(recurrence["rule"].as_str().unwrap()).unwrap();
    let list = |name: &str| {
        let list = recurrence[name].clone();
        if list.is_null() { Vec::new() } else { serde_json::from_value(list).unwrap() }
    };
    let (exdates, rdates) = (list("exdates"), list("rdates"));
    let time_of_day = matches!(first, DueTime::Date(_)).then_some(NaiveTime::MIN);
    let clock = Clock { zone: chrono_tz::Tz::UTC, time_of_day };
    let start = first.nominal();
    let series = Series { rule: &rule, start, exdates: &exdates, rdates: &rdates, clock };
    let mut at = Cursor { local: start, number: 1.min(rule.count().unwrap_or(0)) };
    for _ in 0..into {
        at = series.next(&at).map_or(at, |next| next.cursor);
    }
    first.at_nominal(at.local).unwrap()
}

prop_compose! {
    fn live()(
        task in task().prop_filter_map("parts that do not fit", |task| task),
        zone in prop::sample::select(&["Europe/Berlin", "Pacific/Auckland"][..]),
        defaults in prop::option::weighted(0.5, reminders()),
        state in prop::collection::vec(
            (prop::option::of(instant()), prop::option::weighted(0.3, (instant(), instant()))), 8),
    ) -> Live {
        let mut preferences = json!({"zone": zone, "defaultTime": "08:30"});
        if let Some(defaults) = defaults {
            preferences["defaultReminders"] = json!(defaults);
        }
        let preferences: Preferences = serde_json::from_value(preferences).unwrap();
        let mut live = Live {
            task,
            alarms: Vec::new(),
            occurrence: None,
            paused_since: None,
            preferences: KnownPreferences { version: 1, preferences, ..KnownPreferences::default() },
            history: Vec::new(),
            origin: Origin::default(),
            zone_database: String::new(),
        };
        let ids: Vec<_> = live.schedule().reminders().iter().map(|r| r.id.clone()).collect();
        for (id, (acknowledged, snooze)) in ids.into_iter().zip(state) {
            let mut alarm = Alarm::new(id, Plan::Asleep);
            alarm.acknowledged = acknowledged;
            alarm.snooze = snooze.map(|(fired_at, until)| {
                let adjustment = Adjustment::None;
                let moment = Moment { at: fired_at, quiet_from: None, occurrence: None, adjustment };
                let rung = Rung { moment, fired_at, nagged: 0, nag_at: None };
                Snooze { until, rung }
            });
            live.alarms.push(alarm);
        }
        live
    }
}

fn written(live: &Live) -> String {
    let stamp = Timestamp::parse("2026-06-01T00:00:00Z").unwrap();
    export(&TaskId::parse("milk-7").unwrap(), live, 3, stamp)
}

/// What is known of the alarms, in the order of their ids.
fn restored(mut alarms: Vec<RestoredAlarm>) -> Vec<RestoredAlarm> {
    alarms.sort_by(|one, other| one.reminder_id.cmp(&other.reminder_id));
    alarms
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_task_survives_its_calendar(live in live()) {
        let text = written(&live);
        let imported = import(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&imported.task, &TaskFields::from(live.task.clone()), "{}", text);
        let known = live.alarms.iter().map(|alarm| RestoredAlarm {
            reminder_id: alarm.reminder_id.clone(),
            acknowledged: alarm.acknowledged,
            snoozed_until: alarm.snooze.map(|snooze| snooze.until),
        });
        let known = known.filter(|alarm| alarm.acknowledged.or(alarm.snoozed_until).is_some());
        prop_assert_eq!(restored(imported.restored.clone()), restored(known.collect()), "{}", text);
        prop_assert_eq!(imported.uid.as_deref(), Some("milk-7"));
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 75 && !line.chars().any(|c| c.is_control() && c != '\t'), "{:?}", line);
        }
    }

    /// Whoever does not know our properties may drop them: what is left is a calendar all the same,
    /// and says the same the second time round.
    #[test]
    fn without_our_properties_it_is_a_calendar_still(live in live()) {
        let text = without_ours(&written(&live));
        // Rules about a start that is no part of the rule are refused; nothing else is.
        let imported = import(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        if let Some(due) = live.task.due_date.as_ref().filter(|_| live.task.recurrence.is_some()) {
            // To the second above, as it is written.
            let after = due.nominal() + TimeDelta::milliseconds(999);
            let ours = following(&live.task, due.nominal(), 999);
            prop_assert_eq!(following(&imported.task, after, 0), ours, "{}", text);
        }
        check_moments(&live, &imported.task, &text)?;
        let again = Live { task: Task::try_from(imported.task.clone()).unwrap(), alarms: Vec::new(), ..live };
        let text = written(&again);
        prop_assert_eq!(import(&text).unwrap().task, imported.task, "{}", text);
    }
}

/// Each reminder that has an alarm fires when it did; where days meet a change of the clocks, an
/// hour off, since only we know days that begin at the user's time. The due date and the trigger are
/// each written to the second above.
fn check_moments(live: &Live, imported: &TaskFields, text: &str) -> Result<(), TestCaseError> {
    let task = Task::try_from(imported.clone()).unwrap();
    let (ours, theirs) = (live.schedule(), Schedule::new(&task, &live.preferences.preferences));
    for reminder in imported.reminders.as_deref().unwrap() {
        let original = ours.reminder(&reminder.id).unwrap();
        let cursor = |task: &TaskFields| {
            let local = task.due_date.as_ref()?.nominal();
            task.recurrence.as_ref().map(|_| Cursor { local, number: 0 })
        };
        let meant = ours.moment(&original, cursor(&live.task)).unwrap().unwrap().at;
        let present = live.task.due_date.as_ref() == imported.due_date.as_ref();
        if task.recurrence.is_some() && !present {
            continue;
        }
        let read = theirs.moment(reminder, cursor(imported)).unwrap().unwrap().at;
        prop_assert!(read.millis_since(meant).abs() <= 3_602_000, "{meant} {read} {text}");
    }
    Ok(())
}

/// The seconds of the due dates that follow a wall time, in wall time, so much later.
fn following(task: &TaskFields, after: NaiveDateTime, later_ms: i64) -> Vec<i64> {
    let recurrence = task.recurrence.as_ref().unwrap();
    let (start, count) = (recurrence.start.unwrap(), recurrence.rule.count());
    let time_of_day = matches!(task.due_date, Some(DueTime::Date(_))).then_some(NaiveTime::MIN);
    let zone = match task.due_date {
        Some(DueTime::Zoned { zone, .. }) => zone,
        _ => chrono_tz::Tz::UTC,
    };
    let clock = Clock { zone, time_of_day };
    let (rule, exdates, rdates) = (&recurrence.rule, &recurrence.exdates, &recurrence.rdates);
    let series = Series { rule, start, exdates, rdates, clock };
    let mut at = Some(Cursor { local: start, number: 1.min(count.unwrap_or(0)) });
    let all = std::iter::from_fn(|| {
        at = series.next(&at?).map(|next| next.cursor);
        at
    });
    let later = all.map(|cursor| cursor.local).filter(|local| *local > after).take(8);
    let later = later.map(|local| local + TimeDelta::milliseconds(later_ms));
    later.map(|local| local.and_utc().timestamp()).collect()
}

fn without_ours(text: &str) -> String {
    let unfolded = text.replace("\r\n ", "");
    let kept = unfolded.split_inclusive("\r\n").filter(|line| !line.starts_with("X-REMINDER-"));
    kept.collect()
}
