//! What nobody else would notice: a scheduler that stays away or forgot, events left by the dead.

use crate::api::in_ms;
use crate::doctor;
use crate::firing::triggered;
use crate::restarts::{AHEAD_MS, all_fire, tasks_due};
use crate::suite::{RECOVERY_DEADLINE, disruptive, gentle};
use reminder_stack::Part;

/// Beyond the arm horizon of the stack under test (40 s), so that only the sweep registers the wake.
const BEYOND_HORIZON_MS: i64 = 55_000;
/// Within it, and time enough for a scheduler to start from nothing and for the audit to notice.
const AFTER_THE_LOSS_MS: i64 = 38_000;

#[test]
fn a_task_beyond_the_horizon_is_registered_by_the_sweep_in_time() {
    gentle(async |suite| {
        let due = in_ms(BEYOND_HORIZON_MS);
        let task = suite.task("far").due(due);
        task.put().await;
        let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "onTime", "fired only by the audit: {}", fired.envelope);
    });
}

#[test]
fn reminders_fire_while_the_scheduler_stays_away() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let tasks = tasks_due(suite, "scheduler-gone", 5, due).await;
        suite.kill(Part::Scheduler).await;
        // It does not come back before they have fired: only the audit can have done it.
        all_fire(&tasks, due).await;
    });
}

#[test]
fn a_scheduler_that_lost_its_data_is_told_again() {
    disruptive(async |suite| {
        let due = in_ms(AFTER_THE_LOSS_MS);
        let task = suite.task("scheduler-wiped").due(due);
        task.put().await;
        suite.kill(Part::Scheduler).await;
        suite.stack.wipe(Part::Scheduler).unwrap();
        suite.start_and_wait(Part::Scheduler).await;
        let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
        assert_eq!(fired.data()["cause"], "onTime", "fired only by the audit: {}", fired.envelope);
        let due = in_ms(2_000);
        let after = suite.task("scheduler-new").due(due);
        after.put().await;
        triggered(&after, 1, due).await;
        // What else the service keeps there is there again as well.
        doctor::until(suite, RECOVERY_DEADLINE, &[("canary", "ok"), ("purge job", "ok")]).await;
    });
}

#[test]
fn events_that_a_killed_process_left_behind_are_published_without_any_turn() {
    disruptive(async |suite| {
        suite.stop(Part::Kafka).await;
        let task = suite.task("left-to-the-audit").due(in_ms(3_600_000));
        task.put().await;
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::Kafka).await;
        suite.start_and_wait(Part::App(1)).await;
        // Nobody calls the task: the audit finds that its process is dead.
        for kind in ["reminder.scheduled", "task.updated", "task.sync"] {
            let event = task.event_within(kind, 1, RECOVERY_DEADLINE).await;
            assert_eq!(event.sequence, 1);
        }
    });
}
