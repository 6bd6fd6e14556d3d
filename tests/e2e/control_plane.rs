//! Dapr's scheduler or placement goes away.

use crate::api::in_ms;
use crate::firing::triggered;
use crate::restarts::{AHEAD_MS, all_fire, tasks_due};
use crate::suite::disruptive;
use reminder_stack::Part;

#[test]
fn reminders_due_while_the_killed_scheduler_is_away_fire_when_it_is_back() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "scheduler-killed", 5, due).await;
        suite.kill(Part::Scheduler).await;
        // It waits out the lease of its predecessor; the reminders fall due meanwhile.
        suite.start(Part::Scheduler).await;
        all_fire(&tasks, due).await;
    });
}

#[test]
fn a_task_scheduled_while_the_scheduler_is_away_fires_all_the_same() {
    disruptive(async |suite| {
        suite.stop(Part::Scheduler).await;
        let due = in_ms(AHEAD_MS);
        let during = tasks_due(suite, "scheduler-away", 3, due).await;
        // The turns ended in doubt, so the process settles them itself: nobody else could.
        all_fire(&during, due).await;

        let due = in_ms(2 * AHEAD_MS);
        let across = tasks_due(suite, "scheduler-returns", 3, due).await;
        suite.start_and_wait(Part::Scheduler).await;
        all_fire(&across, due).await;
        let due = in_ms(2_000);
        let after = suite.task("scheduler-back").due(due);
        after.put().await;
        triggered(&after, 1, due).await;
    });
}

#[test]
fn reminders_fire_and_commands_are_answered_after_placement_was_killed() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "placement-killed", 5, due).await;
        suite.kill(Part::Placement).await;
        let waiting = suite.task("placement-away").due(due);
        let command = tokio::spawn({
            let waiting = waiting.clone();
            async move { waiting.put_until_answered().await }
        });
        suite.start(Part::Placement).await;
        command.await.unwrap();
        all_fire(&tasks, due).await;
        all_fire(&[waiting], due).await;
    });
}
