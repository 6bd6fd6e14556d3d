//! `task pause` and `task resume`, of a task and of a user, from a shell.

use crate::api::in_ms;
use crate::pause::{AHEAD_MS, FOLLOW_DEADLINE, FOLLOWED_MS, fires_once, would_have_fired};
use crate::suite::{EVENT_DEADLINE, gentle};
use crate::task_command::{ends, json};
use chrono::Utc;
use reminder_stack::probe;
use serde_json::Value;

#[test]
fn tasks_and_users_are_paused_and_resumed_from_a_shell() {
    gentle(async |suite| {
        let due = in_ms(AHEAD_MS + FOLLOWED_MS);
        let user = suite.unique("shell-pauses") + "@example.org";
        let (fires, skips) =
            (suite.task("shell-fires").due(due), suite.task("shell-skips").due(due));
        let of_user = suite.task("shell-user").with("userId", user.as_str()).due(due);
        for task in [&fires, &skips, &of_user] {
            task.put().await;
        }
        for task in [&fires, &skips] {
            let paused = json(suite, &["pause", &task.id]).await;
            assert_eq!(paused["nextReminderAt"], Value::Null, "{paused}");
        }
        let paused = json(suite, &["pause", "--user", &user]).await;
        assert!(paused["pausedSince"].is_string() && paused["tasks"]["open"] == 1, "{paused}");
        let followed = probe::until(FOLLOW_DEADLINE, || async {
            // To pause twice changes nothing, and tells how far it is.
            let told = ends(suite, 0, &["pause", "--user", &user]).await;
            told.contains(" 0 of 1 open tasks have yet to follow").then_some(())
        });
        followed.await.expect("the task follows");
        assert!(Utc::now() < due, "the machine is too slow for this test");
        let sheets = [("paused since", &fires), ("user paused since", &of_user)];
        for (told, task) in sheets {
            let sheet = ends(suite, 0, &["get", &task.id]).await;
            assert!(sheet.contains(told), "{sheet}");
        }
        would_have_fired(due).await;
        for task in [&fires, &skips, &of_user] {
            assert_eq!(task.triggered(), 0, "{}", task.id);
        }

        let refused = ends(suite, 1, &["resume", &fires.id, "--if-version", "99"]).await;
        assert!(refused.contains("version"), "{refused}");
        ends(suite, 0, &["resume", &fires.id]).await;
        let skipped = json(suite, &["resume", &skips.id, "--missed", "skip"]).await;
        assert_eq!(skipped["nextReminderAt"], Value::Null, "{skipped}");
        let told = ends(suite, 0, &["resume", "--user", &user]).await;
        assert!(told.contains("is not paused"), "{told}");
        fires_once(&fires, due, EVENT_DEADLINE).await;
        fires_once(&of_user, due, FOLLOW_DEADLINE + EVENT_DEADLINE).await;
        let removed = skips.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "skipped");
        assert_eq!(skips.triggered(), 0);
    });
}
