//! What people do when a reminder rings: it nags, is snoozed, acknowledged, dismissed.

use crate::api::{Task, clock_shows, in_ms, rfc3339};
use crate::firing::triggered;
use crate::restarts::AHEAD_MS;
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, disruptive, gentle};
use chrono::{DateTime, TimeDelta, Utc};
use reminder_stack::Part;
use serde_json::{Value, json};

/// Enough that a command sent now is answered before then.
const SOON_MS: i64 = 2_500;
/// The shortest nag there is, in seconds.
const NAG_SECONDS: i64 = 5;

async fn acknowledge(task: &Task) -> Value {
    task.call("acknowledge", &json!({})).await.accepted()
}

/// The reminder as `get` shows it.
async fn reminder(task: &Task, index: usize) -> Value {
    task.get().await["reminders"][index].clone()
}

fn causes(task: &Task) -> Vec<String> {
    let fired = task.events().into_iter().filter(|event| event.kind == "reminder.triggered");
    fired.map(|event| event.data()["cause"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_nagging_reminder_fires_until_it_is_acknowledged() {
    gentle(async |suite| {
        let due = in_ms(SOON_MS);
        let every = format!("PT{NAG_SECONDS}S");
        let nagging =
            json!([{ "id": "nag", "before": "PT0S", "nag": { "every": every, "max": 50 } }]);
        let task = suite.task("nags").due(due).with("reminders", nagging);
        task.put().await;
        triggered(&task, 1, due).await;
        for nth in 1..=2 {
            let nag = task.event_within("reminder.triggered", nth + 1, EVENT_DEADLINE).await;
            assert_eq!(nag.data()["cause"], "nag");
            assert_eq!(nag.data()["nag"], nth);
            assert_eq!(nag.data()["original"], rfc3339(due));
            assert!(nag.time("firedAt") >= nag.time("scheduledFor"), "{}", nag.envelope);
        }
        let nags_at: DateTime<Utc> =
            reminder(&task, 0).await["nagsAt"].as_str().unwrap().parse().unwrap();
        let answer = acknowledge(&task).await;
        assert_eq!(answer["nextReminderAt"], Value::Null, "nothing is left: {answer}");
        let seen = task.event("reminder.acknowledged").await;
        assert_eq!(seen.data()["scheduledFor"], rfc3339(due));
        // Its next nag would have come by then.
        clock_shows(nags_at + TimeDelta::seconds(2)).await;
        assert_eq!(task.triggered(), 3, "{:?}", causes(&task));
        let again = acknowledge(&task).await;
        assert_eq!(again["version"], answer["version"], "doing it again changes nothing");
        let history = task.get().await["history"].clone();
        let what: Vec<&str> =
            history.as_array().unwrap().iter().filter_map(|entry| entry["what"].as_str()).collect();
        assert_eq!(what, ["fired", "fired", "fired", "acknowledged"]);
    });
}

#[test]
fn a_snoozed_reminder_fires_again_and_a_second_snooze_replaces_the_first() {
    gentle(async |suite| {
        let due = in_ms(SOON_MS);
        let task = suite.task("snoozed").due(due);
        task.put().await;
        task.call("snooze", &json!({ "for": "PT5M" })).await.refused(409, None);
        triggered(&task, 1, due).await;
        let answer = task.call("snooze", &json!({ "preset": "later" })).await.accepted();
        assert_ne!(answer["nextReminderAt"], Value::Null);
        let until = in_ms(SOON_MS);
        let again = json!({ "reminderId": "due", "until": rfc3339(until) });
        let answer = task.call("snooze", &again).await.accepted();
        assert_eq!(answer["nextReminderAt"], rfc3339(until), "the second one counts");
        let snoozed = task.event_within("reminder.snoozed", 2, EVENT_DEADLINE).await;
        assert_eq!(snoozed.data()["until"], rfc3339(until));
        let fired = task.event_within("reminder.triggered", 2, EVENT_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "snooze");
        assert_eq!(fired.data()["scheduledFor"], rfc3339(until));
        assert_eq!(fired.data()["original"], rfc3339(due), "the schedule did not move");
        acknowledge(&task).await;
        task.call("snooze", &json!({ "for": "PT5M" })).await.refused(409, None);
        assert_eq!(reminder(&task, 0).await["scheduledFor"], rfc3339(due));
    });
}

#[test]
fn a_dismissed_reminder_stays_silent_and_the_others_do_not() {
    gentle(async |suite| {
        let due = in_ms(2 * SOON_MS);
        let early = due - TimeDelta::milliseconds(2_000);
        let reminders = json!([
            { "id": "early", "at": rfc3339(early) },
            { "id": "due", "before": "PT0S" },
        ]);
        let task = suite.task("dismissed").due(due).with("reminders", reminders);
        task.put().await;
        let answer = task.call("dismiss", &json!({ "reminderId": "early" })).await.accepted();
        assert_eq!(answer["nextReminderAt"], rfc3339(due));
        let removed = task.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "dismissed");
        let fired = triggered(&task, 1, due).await;
        assert_eq!(fired.data()["reminderId"], "due");
        assert_eq!(task.triggered(), 1);
        assert_eq!(reminder(&task, 0).await["state"], "dismissed");
        let asked = json!({ "reminderId": "early", "scheduledFor": rfc3339(early) });
        let explained = task.call("explain", &asked).await.accepted();
        assert_eq!(explained["verdict"], "dismissed", "{explained}");
    });
}

#[test]
fn reminders_are_added_changed_and_removed_one_by_one() {
    gentle(async |suite| {
        let due = in_ms(3_600_000);
        let task = suite.task("one-by-one").due(due);
        task.put().await;
        let soon = in_ms(SOON_MS);
        let put =
            |id: &str, at: DateTime<Utc>| json!({ "reminder": { "id": id, "at": rfc3339(at) } });
        let answer = task.call("putReminder", &put("extra", in_ms(60_000))).await.accepted();
        assert_eq!(answer["version"], 2);
        let answer = task.call("putReminder", &put("extra", soon)).await.accepted();
        assert_eq!(answer["nextReminderAt"], rfc3339(soon), "the same one, changed");
        let late = json!({ "reminder": { "id": "late", "before": "P1D" }, "ifPast": "reject" });
        let problem = task.call("putReminder", &late).await.refused(422, Some("reminder.before"));
        assert!(problem["detail"].as_str().unwrap().contains("past"), "{problem}");
        let fired = triggered(&task, 1, soon).await;
        assert_eq!(fired.data()["reminderId"], "extra");
        let remove = |id: &str| json!({ "reminderId": id });
        let answer = task.call("removeReminder", &remove("due")).await.accepted();
        assert_eq!(answer["nextReminderAt"], Value::Null, "the one at the due date is gone");
        let removed = task.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "removed");
        task.call("removeReminder", &remove("nobody")).await.refused(422, Some("reminderId"));
        let ids = task.get().await["task"]["reminders"].clone();
        assert_eq!((ids.as_array().unwrap().len(), &ids[0]["id"]), (1, &json!("extra")));
    });
}

#[test]
fn a_snooze_survives_that_the_service_is_killed() {
    disruptive(async |suite| {
        let due = in_ms(SOON_MS);
        let task = suite.task("snoozed-killed").due(due);
        task.put().await;
        triggered(&task, 1, due).await;
        let until = in_ms(2 * AHEAD_MS);
        let snooze = json!({ "until": rfc3339(until) });
        task.call("snooze", &snooze).await.accepted();
        suite.kill(Part::App(1)).await;
        clock_shows(until - TimeDelta::seconds(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        let fired = task.event_within("reminder.triggered", 2, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "snooze");
        assert_eq!(fired.data()["scheduledFor"], rfc3339(until));
        assert!(fired.time("firedAt") >= until);
        acknowledge(&task).await;
        assert_eq!(task.triggered(), 2);
    });
}
