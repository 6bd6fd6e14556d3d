//! An operator stops firing across due times, and lets it go on: nothing is lost, nothing fires twice.

use crate::api::{Task, clock_shows, in_ms};
use crate::firing::assert_honest;
use crate::operations::succeeds;
use crate::suite::{EVENT_DEADLINE, Suite, disruptive};
use chrono::{DateTime, TimeDelta, Utc};
use reminder_stack::probe;
use serde_json::json;
use std::time::Duration;

/// From the put to the due time: the switch has to be seen before.
const AHEAD_MS: i64 = 6_000;
/// How long after the due time it stays stopped: the audit would have settled it by then.
const STOPPED_FOR_MS: i64 = 17_000;
/// A user that no other test has.
const USER: &str = "stopped@example.org";
/// Until the switch was seen; it is read every second.
const SEEN_DEADLINE: Duration = Duration::from_secs(10);

async fn fires_once(task: &Task, due: DateTime<Utc>) {
    let fired = task.event_within("reminder.triggered", 1, EVENT_DEADLINE).await;
    assert_honest(&fired, due);
    task.event_within("task.sync", 2, EVENT_DEADLINE).await;
    assert_eq!(task.triggered(), 1);
}

/// Waits until a task of this user that is due does not fire: then the switch was seen.
async fn nothing_fires(suite: &'static Suite, user: &str) {
    let silent = probe::until(SEEN_DEADLINE, || async {
        let due = in_ms(0);
        let task = suite.task("seen").with("userId", user).due(due);
        task.put().await;
        let late = TimeDelta::milliseconds(1_000);
        clock_shows(due + late).await;
        (task.get().await["reminders"][0]["state"] != "fired").then_some(())
    });
    assert!(silent.await.is_some(), "firing goes on");
}

async fn stop_across_due_times(suite: &'static Suite, user: Option<&str>) {
    let (of_user, of_other) = (suite.task("stopped").with("userId", USER), suite.task("free"));
    let who = user.map_or(vec![], |user| vec!["--user", user]);
    let stop = [&["firing", "stop", "--reason", "a test"][..], &who].concat();
    let said = succeeds(suite, &stop).await;
    assert!(said.contains("stops within"), "{said}");
    nothing_fires(suite, USER).await;

    let due = in_ms(AHEAD_MS);
    let (of_user, of_other) = (of_user.due(due), of_other.due(due));
    of_user.put().await;
    of_other.put().await;
    if user.is_some() {
        fires_once(&of_other, due).await;
    }
    clock_shows(due + TimeDelta::milliseconds(STOPPED_FOR_MS)).await;
    assert_eq!(of_user.triggered(), 0);
    assert_eq!(of_other.triggered(), usize::from(user.is_some()));
    // Commands work as ever.
    let done = suite.task("done").with("userId", USER).due(in_ms(0));
    done.put().await;
    done.call("complete", &json!({})).await.accepted();
    let status = succeeds(suite, &["firing", "status"]).await;
    assert!(status.contains("a test") && !status.contains("(0 tasks"), "{status}");

    let resume = [&["firing", "resume"][..], &who].concat();
    succeeds(suite, &resume).await;
    fires_once(&of_user, due).await;
    fires_once(&of_other, due).await;
    assert_eq!(done.triggered(), 0, "it was completed before it could fire");
    assert!(succeeds(suite, &["firing", "status"]).await.contains("nothing is stopped"));
}

#[test]
fn what_comes_due_while_everyone_is_stopped_fires_once_at_the_release() {
    disruptive(async |suite| stop_across_due_times(suite, None).await);
}

#[test]
fn what_comes_due_while_a_user_is_stopped_fires_once_at_the_release() {
    disruptive(async |suite| stop_across_due_times(suite, Some(USER)).await);
}
