//! Kafka goes away: commands do not depend on it, and its absence loses no event.

use crate::api::{clock_shows, in_ms, rfc3339};
use crate::restarts::AHEAD_MS;
use crate::suite::{RECOVERY_DEADLINE, disruptive};
use reminder_stack::{Part, probe};
use serde_json::json;
use std::time::Duration;

/// Until a firing that cannot be told to anybody has been committed.
const COMMIT_DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn commands_go_on_without_the_broker_and_their_events_follow_in_order() {
    disruptive(async |suite| {
        suite.stop(Part::Kafka).await;
        let due = in_ms(AHEAD_MS);
        let task = suite.task("broker-away").due(in_ms(3_600_000));
        assert_eq!(task.put().await["version"], 1);
        let task = task.due(due);
        assert_eq!(task.put().await["version"], 2);
        clock_shows(due).await;
        let fired = probe::until(COMMIT_DEADLINE, || async {
            let state = task.get().await["reminders"][0]["state"].clone();
            (state == "fired").then_some(())
        });
        assert!(fired.await.is_some(), "it fires without the broker");
        assert_eq!(task.complete().await["version"], 4);
        assert!(task.events().is_empty());

        suite.start(Part::Kafka).await;
        task.event_within("task.updated", 4, RECOVERY_DEADLINE).await;
        task.event_within("task.sync", 4, RECOVERY_DEADLINE).await;
        let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["scheduledFor"], rfc3339(due));
        let of = |topic: &str| -> Vec<String> {
            let events = task.events().into_iter().filter(|event| event.topic == topic);
            events.map(|event| event.kind).collect()
        };
        // The journal checks the order by the sequence; here is what it must consist of.
        assert_eq!(
            of("reminders"),
            ["reminder.scheduled", "reminder.scheduled", "reminder.triggered"]
        );
        assert_eq!((of("task-events").len(), of("task-updates").len()), (4, 4));
        let reminder = &task.get().await["reminders"][0];
        assert_eq!((&reminder["id"], &reminder["state"]), (&json!("due"), &json!("fired")));
        assert_eq!(reminder["scheduledFor"], rfc3339(due));
    });
}

#[test]
fn events_that_a_killed_process_left_behind_are_published_by_the_next_turn() {
    disruptive(async |suite| {
        suite.stop(Part::Kafka).await;
        let task = suite.task("left-behind").due(in_ms(3_600_000));
        task.put().await;
        let task = task.with("title", "Second");
        task.put().await;
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::Kafka).await;
        suite.start_and_wait(Part::App(1)).await;
        task.get_until_answered().await;
        let updated = task.event_within("task.updated", 2, RECOVERY_DEADLINE).await;
        assert_eq!(updated.data()["title"], "Second");
        task.event_within("task.sync", 2, RECOVERY_DEADLINE).await;
        let scheduled = task.event_within("reminder.scheduled", 1, RECOVERY_DEADLINE).await;
        assert_eq!(scheduled.sequence, 1);
    });
}
