//! Tasks that come again, moments that were missed, and what is told of them.

use crate::api::{Task, clock_shows, in_ms, rfc3339};
use crate::firing::triggered;
use crate::restarts::AHEAD_MS;
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use reminder_stack::Part;
use serde_json::{Value, json};

/// Enough that a command sent now is answered before then.
const SOON_MS: i64 = 2_500;

/// The wall time of an instant, as a recurrence of an instant counts it: in UTC.
fn wall(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// A task with further occurrences at these moments and otherwise once a year.
fn recurring(
    suite: &'static Suite,
    name: &str,
    due: DateTime<Utc>,
    more: &[DateTime<Utc>],
) -> Task {
    let rdates: Vec<String> = more.iter().map(|at| wall(*at)).collect();
    let recurrence = json!({ "rule": "FREQ=YEARLY", "rdates": rdates });
    suite.task(name).due(due).with("recurrence", recurrence)
}

fn in_a_year(at: DateTime<Utc>) -> String {
    let year = at.format("%Y").to_string().parse::<i32>().unwrap() + 1;
    rfc3339(at).replacen(&at.format("%Y").to_string(), &year.to_string(), 1)
}

#[test]
fn a_recurring_task_completed_twice_is_at_its_third_occurrence() {
    gentle(async |suite| {
        // The year after the next has no 29 February either way.
        let first = in_ms(SOON_MS).trunc_subsecs(3);
        let second = first + TimeDelta::milliseconds(SOON_MS);
        let task = recurring(suite, "recurs", first, &[second]);
        task.put().await;
        triggered(&task, 1, first).await;

        let answer = task.complete().await;
        assert_eq!(answer["status"], "pending", "it comes again: {answer}");
        assert_eq!(answer["nextReminderAt"], rfc3339(second));
        let updated = task.event_within("task.updated", 3, EVENT_DEADLINE).await;
        assert_eq!(updated.data()["reason"], "advanced");
        assert_eq!(updated.data()["dueDate"], rfc3339(second));
        let fired = triggered(&task, 2, second).await;
        assert_eq!(fired.data()["occurrence"], wall(second));

        let answer = task.complete().await;
        assert_eq!(answer["nextReminderAt"], in_a_year(first), "{answer}");
        let view = task.get().await;
        assert_eq!(view["task"]["dueDate"], in_a_year(first));
        assert_eq!(view["task"]["recurrence"]["start"], wall(first), "the series did not move");
        assert_eq!(task.triggered(), 2);
        task.delete().await;
    });
}

#[test]
fn the_last_occurrence_completes_the_task() {
    gentle(async |suite| {
        let due = in_ms(3_600_000).trunc_subsecs(3);
        let task = suite
            .task("recurs-twice")
            .due(due)
            .with("recurrence", json!({ "rule": "FREQ=DAILY;COUNT=2" }));
        task.put().await;
        let answer = task.call("skip", &json!({})).await.accepted();
        assert_eq!(answer["nextReminderAt"], rfc3339(due + TimeDelta::days(1)));
        let answer = task.complete().await;
        let none_left = (&answer["status"], &answer["nextReminderAt"]);
        assert_eq!(none_left, (&json!("completed"), &Value::Null), "{answer}");
        task.call("skip", &json!({})).await.refused(409, None);
        task.delete().await;
    });
}

#[test]
fn preview_and_explain_tell_the_rules_and_change_nothing() {
    gentle(async |suite| {
        let rule = json!({ "rule": "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "exdates": ["2028-03-26"] });
        let due = json!({ "local": "2027-03-28T02:30:00", "zone": "Europe/Berlin" });
        let task = suite.task("preview").with("dueDate", due).with("recurrence", rule);
        let answer = task.put().await;
        // In the night to a summer time that begins at 02:00 there is no 02:30.
        let moved = "2027-03-28T01:30:00.000Z";
        assert_eq!(answer["nextReminderAt"], moved);
        assert_eq!(answer["adjusted"][0]["rule"], "gap", "{answer}");
        let preview = task.call("preview", &json!({ "count": 2 })).await.accepted();
        let told = |index: usize| preview["firings"][index]["scheduledFor"].clone();
        assert_eq!((told(0), told(1)), (json!(moved), json!("2029-03-25T01:30:00.000Z")));
        let rules: Vec<&str> = preview["firings"][0]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|step| step["rule"].as_str())
            .collect();
        assert_eq!(rules, ["occurrence", "anchor", "zone", "gap"]);
        let asked = json!({ "reminderId": "due", "scheduledFor": "2028-03-26T01:30:00Z" });
        let explained = task.call("explain", &asked).await.accepted();
        assert_eq!(explained["verdict"], "excluded", "{explained}");
        assert_eq!(task.get().await["version"], 1, "asking changes nothing");
        task.call("preview", &json!({ "count": 1000 })).await.refused(422, Some("count"));
        task.delete().await;
    });
}

#[test]
fn a_task_goes_out_as_a_calendar_and_comes_back_the_same() {
    gentle(async |suite| {
        let reminders = json!([
            { "id": "day", "before": "P1D" },
            { "id": "nag", "after": "PT1H", "nag": { "every": "PT5M", "max": 3 }, "lateLimit": "PT2H" },
        ]);
        let task = suite
            .task("calendar")
            .with("dueDate", json!({ "local": "2027-03-28T02:30:00", "zone": "Europe/Berlin" }))
            .with("recurrence", json!({ "rule": "FREQ=WEEKLY;COUNT=9", "exdates": ["2027-04-04"] }))
            .with("priority", "urgent")
            .with("reminders", reminders);
        task.put().await;
        task.complete().await;
        let before = task.get().await;
        let exported = task.call("exportCalendar", &json!({})).await.accepted();
        let calendar = exported["calendar"].as_str().unwrap();
        for line in ["BEGIN:VTODO", "TRIGGER;RELATED=END:-P1D", "REPEAT:3", "DURATION:PT5M"] {
            assert!(calendar.contains(line), "no {line} in\n{calendar}");
        }
        task.delete().await;
        let imported =
            task.call("importCalendar", &json!({ "calendar": calendar })).await.accepted();
        assert_eq!(imported["nextReminderAt"], before["nextReminderAt"], "{calendar}");
        assert_eq!(task.get().await["task"], before["task"], "{calendar}");
        let broken = json!({ "calendar": "BEGIN:VCALENDAR" });
        task.call("importCalendar", &broken).await.refused(422, Some("calendar"));
        task.delete().await;
    });
}

#[test]
fn of_several_missed_moments_the_latest_fires_and_what_is_too_late_expires() {
    disruptive(async |suite| {
        let first = in_ms(AHEAD_MS).trunc_subsecs(3);
        let (second, third) = (first + TimeDelta::seconds(1), first + TimeDelta::seconds(2));
        let task = recurring(suite, "missed", first, &[second, third]).with(
            "reminders",
            json!([
                { "id": "due", "before": "PT0S" },
                { "id": "useless", "at": rfc3339(first), "lateLimit": "PT1S" },
            ]),
        );
        task.put().await;
        suite.kill(Part::App(1)).await;
        clock_shows(third + TimeDelta::seconds(2)).await;
        suite.start_and_wait(Part::App(1)).await;
        let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "coalesced", "{}", fired.envelope);
        assert_eq!(fired.data()["coalesced"], 2);
        assert_eq!(fired.data()["scheduledFor"], rfc3339(third));
        let expired = task.event_within("reminder.expired", 1, RECOVERY_DEADLINE).await;
        assert_eq!(expired.data()["reminderId"], "useless");
        assert!(expired.time("expiredAt") > first + TimeDelta::seconds(1));
        assert_eq!(task.triggered(), 1);
        let asked = json!({ "reminderId": "due", "scheduledFor": rfc3339(second) });
        let explained = task.call("explain", &asked).await.accepted();
        assert_eq!(explained["verdict"], "coalesced", "{explained}");
        task.delete().await;
    });
}
