//! The service or its sidecar goes away across the due time.

use crate::api::{Task, clock_shows, in_ms};
use crate::firing::assert_honest;
use crate::suite::{RECOVERY_DEADLINE, Suite, disruptive};
use chrono::{DateTime, Utc};
use reminder_stack::Part;

/// Time enough to send the commands and then to take a part away, on a busy machine.
pub(crate) const AHEAD_MS: i64 = 4_000;

/// Tasks that are all due then, answered and not fired yet.
pub(crate) async fn tasks_due(
    suite: &'static Suite,
    name: &str,
    count: usize,
    due: DateTime<Utc>,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        let task = suite.task(name).due(due);
        task.put().await;
        tasks.push(task);
    }
    assert!(Utc::now() < due, "the machine is too slow for this test");
    tasks
}

/// Every one fires, once its recovery is done, and none twice.
pub(crate) async fn all_fire(tasks: &[Task], due: DateTime<Utc>) {
    for task in tasks {
        let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_honest(&fired, due);
        task.event_within("task.updated", 2, RECOVERY_DEADLINE).await;
        task.event_within("task.sync", 2, RECOVERY_DEADLINE).await;
    }
    for task in tasks {
        assert_eq!(task.triggered(), 1, "{} fired twice", task.id);
        let view = task.get_until_answered().await;
        assert_eq!(view["reminders"][0]["state"], "fired", "{view}");
        // More when a turn took over what a dead process had left to publish.
        assert!(view["version"].as_u64() >= Some(2), "{view}");
    }
}

#[test]
fn reminders_due_while_the_killed_service_is_away_fire_when_it_is_back() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "app-killed", 5, due).await;
        suite.kill(Part::App(1)).await;
        clock_shows(due).await;
        suite.start(Part::App(1)).await;
        all_fire(&tasks, due).await;
    });
}

#[test]
fn reminders_due_while_the_stopped_service_is_away_fire_when_it_is_back() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "app-stopped", 5, due).await;
        suite.stop(Part::App(1)).await;
        clock_shows(due).await;
        suite.start(Part::App(1)).await;
        all_fire(&tasks, due).await;
    });
}

#[test]
fn a_service_killed_while_many_reminders_fire_loses_none() {
    disruptive(async |suite| {
        let due = in_ms(2 * AHEAD_MS);
        let tasks = tasks_due(suite, "app-killed-midway", 60, due).await;
        // Some have fired and some have not: the crash comes somewhere between commit and broker.
        tasks[0].event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        // What was committed and not published is published by the task's next turn.
        for task in &tasks {
            task.get_until_answered().await;
        }
        all_fire(&tasks, due).await;
    });
}

#[test]
fn reminders_due_while_the_killed_sidecar_is_away_fire_when_it_is_back() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "sidecar-killed", 5, due).await;
        suite.kill(Part::Sidecar(1)).await;
        clock_shows(due).await;
        suite.start(Part::Sidecar(1)).await;
        all_fire(&tasks, due).await;
    });
}
