//! The main job: a reminder fires when it is due, once, and not when it is not wanted any more.

use crate::api::{Task, clock_shows, in_ms, rfc3339};
use crate::event::Event;
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Later than this a trigger is called late, in ms; `limits::ON_TIME_TOLERANCE_MS`.
const ON_TIME_MS: u64 = 5_000;

/// Enough that a command sent now is answered before then.
const SOON_MS: i64 = 2_500;

/// A trigger, checked for what holds of each: never early, and honest about its lateness.
pub(crate) async fn triggered(task: &Task, nth: usize, due: DateTime<Utc>) -> Event {
    let event = task.event_within("reminder.triggered", nth, EVENT_DEADLINE).await;
    assert_honest(&event, due);
    event
}

#[track_caller]
pub(crate) fn assert_honest(event: &Event, due: DateTime<Utc>) {
    assert_eq!(event.data()["scheduledFor"], rfc3339(due), "{}", event.envelope);
    let late = event.time("firedAt") - event.time("scheduledFor");
    assert!(late >= TimeDelta::zero() && Utc::now() >= due, "it fired early: {}", event.envelope);
    let late_ms = late.num_milliseconds().unsigned_abs();
    assert_eq!(event.data()["lateByMs"], late_ms, "{}", event.envelope);
    let cause = if late_ms > ON_TIME_MS { "late" } else { "onTime" };
    assert_eq!(event.data()["cause"], cause, "{}", event.envelope);
}

fn kinds(task: &Task, topic: &str) -> Vec<String> {
    let events = task.events().into_iter().filter(|event| event.topic == topic);
    events.map(|event| event.kind).collect()
}

/// Passes once a task of later due time on the same partition has fired: whatever the silent task
/// had published by its own due time would lie before that.
async fn sentinel_fires(suite: &'static Suite, silent: &Task, due: DateTime<Utc>) {
    let home = silent.event("reminder.scheduled").await.partition;
    let sentinel = loop {
        let candidate =
            suite.task("sentinel").due(due.max(in_ms(0)) + TimeDelta::milliseconds(200));
        candidate.put().await;
        if candidate.event("reminder.scheduled").await.partition == home {
            break candidate;
        }
    };
    sentinel.event("reminder.triggered").await;
}

#[test]
fn a_reminder_fires_at_its_due_time_and_all_three_topics_tell() {
    gentle(async |suite| {
        let due = in_ms(SOON_MS);
        let task = suite
            .task("fires")
            .due(due)
            .with("description", "With milk")
            .with("priority", "high")
            .with("tags", json!(["home", "shop"]))
            .with("assignee", "Bo");
        let answer = task.put().await;
        assert_eq!(
            answer,
            json!({
                "taskId": task.id, "version": 1, "status": "pending",
                "nextReminderAt": rfc3339(due), "created": true
            })
        );
        let scheduled = task.event("reminder.scheduled").await;
        assert_eq!(
            scheduled.time("scheduledFor"),
            triggered(&task, 1, due).await.time("scheduledFor")
        );
        let fired = task.event("reminder.triggered").await;
        let told = |field: &str| fired.data()[field].clone();
        assert_eq!(
            json!([told("description"), told("priority"), told("tags"), told("assignee")]),
            json!(["With milk", "high", ["home", "shop"], "Bo"])
        );
        assert_eq!(told("version"), 2);

        let updated = task.event_within("task.updated", 2, EVENT_DEADLINE).await;
        assert_eq!(updated.data()["reason"], "reminderTriggered");
        assert_eq!(updated.data()["nextReminderAt"], Value::Null);
        let sync = task.event_within("task.sync", 2, EVENT_DEADLINE).await;
        let reminder = &sync.data()["reminders"][0];
        let told = (&reminder["id"], &reminder["scheduledFor"], &reminder["state"]);
        assert_eq!(told, (&json!("due"), &json!(rfc3339(due)), &json!("fired")));
        assert_eq!(reminder["firedAt"], fired.data()["firedAt"]);
        assert_eq!(kinds(&task, "reminders"), ["reminder.scheduled", "reminder.triggered"]);
        assert_eq!(task.get().await["version"], 2);
    });
}

#[test]
fn a_due_time_in_the_past_fires_at_once_and_says_that_it_is_late() {
    gentle(async |suite| {
        let due = in_ms(-60_000);
        let task = suite.task("past").due(due);
        task.put().await;
        let fired = triggered(&task, 1, due).await;
        assert_eq!(fired.data()["cause"], "late");
        assert!(fired.data()["lateByMs"].as_u64() >= Some(60_000), "{}", fired.envelope);
    });
}

#[test]
fn a_task_completed_before_it_is_due_stays_silent() {
    gentle(async |suite| {
        let due = in_ms(SOON_MS);
        let task = suite.task("completed").due(due);
        task.put().await;
        let answer = task.complete().await;
        assert_eq!(
            (&answer["status"], &answer["nextReminderAt"]),
            (&json!("completed"), &Value::Null)
        );
        let removed = task.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "completed");
        sentinel_fires(suite, &task, due).await;
        assert_eq!(kinds(&task, "reminders"), ["reminder.scheduled", "reminder.removed"]);
        let view = task.get().await;
        assert_eq!(
            (&view["version"], &view["reminders"][0]["state"]),
            (&json!(2), &json!("removed"))
        );
    });
}

#[test]
fn a_task_deleted_before_it_is_due_stays_silent() {
    gentle(async |suite| {
        let due = in_ms(SOON_MS);
        let task = suite.task("deleted").due(due);
        task.put().await;
        assert_eq!(task.delete().await["status"], "deleted");
        let removed = task.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "deleted");
        sentinel_fires(suite, &task, due).await;
        assert_eq!(kinds(&task, "reminders"), ["reminder.scheduled", "reminder.removed"]);
        task.call_raw("get", "", &[]).await.refused(404, None);
    });
}

#[test]
fn a_task_moved_earlier_fires_at_the_new_time_only() {
    gentle(async |suite| {
        let (first, earlier) = (in_ms(2 * SOON_MS), in_ms(SOON_MS));
        let task = suite.task("earlier").due(first);
        task.put().await;
        let task = task.due(earlier);
        assert_eq!(task.put().await["nextReminderAt"], rfc3339(earlier));
        triggered(&task, 1, earlier).await;
        sentinel_fires(suite, &task, first).await;
        let expected = ["reminder.scheduled", "reminder.scheduled", "reminder.triggered"];
        assert_eq!(kinds(&task, "reminders"), expected);
        assert_eq!(task.get().await["version"], 3);
    });
}

#[test]
fn a_task_moved_later_is_silent_at_the_old_time() {
    gentle(async |suite| {
        let (first, later) = (in_ms(SOON_MS), in_ms(2 * SOON_MS));
        let task = suite.task("later").due(first);
        task.put().await;
        let task = task.due(later);
        task.put().await;
        clock_shows(first).await;
        triggered(&task, 1, later).await;
        let expected = ["reminder.scheduled", "reminder.scheduled", "reminder.triggered"];
        assert_eq!(kinds(&task, "reminders"), expected);
    });
}

#[test]
fn several_reminders_fire_each_at_its_own_time() {
    gentle(async |suite| {
        let due = in_ms(2 * SOON_MS);
        let at = due - TimeDelta::milliseconds(1_500);
        let task = suite.task("several").due(due).with(
            "reminders",
            json!([
                { "id": "at-due", "before": "PT0S" },
                { "id": "before", "before": "PT1S" },
                { "id": "absolute", "at": rfc3339(at) },
                { "id": "long-past", "before": "P1D" },
            ]),
        );
        assert_eq!(task.put().await["nextReminderAt"], rfc3339(due - TimeDelta::days(1)));
        for (nth, (id, moment)) in [
            ("long-past", due - TimeDelta::days(1)),
            ("absolute", at),
            ("before", due - TimeDelta::seconds(1)),
            ("at-due", due),
        ]
        .into_iter()
        .enumerate()
        {
            let fired = triggered(&task, nth + 1, moment).await;
            assert_eq!(fired.data()["reminderId"], id);
        }
        assert_eq!(task.get().await["nextReminderAt"], Value::Null);
        assert_eq!(task.triggered(), 4);
    });
}

#[test]
fn a_local_time_with_a_zone_fires_at_the_instant_it_means() {
    gentle(async |suite| {
        // A zone without daylight saving, so the offset is known without the rules under test.
        let due = in_ms(SOON_MS);
        let local = (due + TimeDelta::hours(9)).format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
        let due_date = json!({ "local": local, "zone": "Asia/Tokyo" });
        let task = suite.task("zoned").with("dueDate", due_date.clone());
        assert_eq!(task.put().await["nextReminderAt"], rfc3339(due));
        let fired = triggered(&task, 1, due).await;
        assert_eq!(fired.data()["dueDate"], due_date, "the due date is told as it was given");
    });
}

#[test]
fn a_reopened_task_fires_after_all() {
    gentle(async |suite| {
        let due = in_ms(2 * SOON_MS);
        let task = suite.task("reopened").due(due);
        task.put().await;
        task.complete().await;
        let answer = task.call("reopen", &json!({})).await.accepted();
        assert_eq!(answer["nextReminderAt"], rfc3339(due));
        triggered(&task, 1, due).await;
    });
}
