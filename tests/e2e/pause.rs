//! Reminders that are paused and resumed, of a task and of a user, on the real runtime.

use crate::api::{Api, Task, clock_shows, in_ms, rfc3339};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use chrono::{DateTime, TimeDelta, Utc};
use reminder_contract::names::USER_ACTOR_TYPE;
use reminder_contract::user_id::to_actor_id;
use reminder_domain::ids::Person;
use reminder_stack::{Part, probe};
use serde_json::{Value, json};
use std::time::Duration;

/// From a command to its reminder: time enough to pause it, on a busy machine.
pub(crate) const AHEAD_MS: i64 = 6_000;
/// The same for the tasks of a user, who have to follow first.
pub(crate) const FOLLOWED_MS: i64 = 15_000;
/// How long after a due time a reminder that was not held back would surely have come: the wake is
/// registered, and the audit settles what is overdue by five seconds within ten more.
const WOULD_HAVE_FIRED: TimeDelta = TimeDelta::seconds(18);
/// From a user's change to its last task.
pub(crate) const FOLLOW_DEADLINE: Duration = Duration::from_secs(30);

struct User {
    suite: &'static Suite,
    id: String,
    api: Api,
}

impl User {
    fn new(suite: &'static Suite, name: &str) -> Self {
        Self { suite, id: suite.unique(name) + "@example.org", api: suite.api() }
    }

    async fn call(&self, method: &str, body: Value) -> Value {
        let actor = to_actor_id(&Person::parse(self.id.clone()).unwrap());
        let answer = self.api.call_actor(USER_ACTOR_TYPE, &actor, method, body.to_string(), &[]);
        answer.await.unwrap().accepted()
    }

    fn task(&self, name: &str) -> Task {
        self.suite.task(name).with("userId", self.id.as_str())
    }

    async fn tasks_follow(&self) {
        let followed = probe::until(FOLLOW_DEADLINE, || async {
            (self.call("get", json!({})).await["tasks"]["outdated"] == 0).then_some(())
        });
        followed.await.expect("the tasks follow");
    }
}

/// When what was due at `due` would surely have fired.
pub(crate) async fn would_have_fired(due: DateTime<Utc>) {
    clock_shows(due + WOULD_HAVE_FIRED).await;
}

pub(crate) async fn fires_once(task: &Task, due: DateTime<Utc>, limit: Duration) {
    let fired = task.event_within("reminder.triggered", 1, limit).await;
    assert_eq!(fired.data()["scheduledFor"], rfc3339(due), "{}", fired.envelope);
    assert_eq!(fired.data()["cause"], "late", "{}", fired.envelope);
    // It comes after all firings before it, on the same topic.
    task.call("acknowledge", &json!({})).await.accepted();
    task.event("reminder.acknowledged").await;
    assert_eq!(task.triggered(), 1);
}

#[test]
fn a_paused_task_is_silent_and_what_it_missed_fires_once_or_is_skipped() {
    gentle(async |suite| {
        let due = in_ms(AHEAD_MS);
        let (fires, skips) =
            (suite.task("pause-fires").due(due), suite.task("pause-skips").due(due));
        for task in [&fires, &skips] {
            task.put().await;
            let paused = task.call("pause", &json!({})).await.accepted();
            assert!(Utc::now() < due, "the machine is too slow for this test");
            assert_eq!(paused["nextReminderAt"], Value::Null);
            let again = task.call("pause", &json!({})).await.accepted();
            assert_eq!(again, paused, "twice is once");
        }
        let view = fires.get().await;
        assert!(view["paused"]["task"].is_string(), "{view}");
        let moment = json!({ "reminderId": "due", "scheduledFor": rfc3339(due) });
        let explained = fires.call("explain", &moment).await.accepted();
        assert_eq!(explained["verdict"], "paused");
        would_have_fired(due).await;
        assert_eq!((fires.triggered(), skips.triggered()), (0, 0));

        let resumed = fires.call("resume", &json!({})).await.accepted();
        assert_eq!(resumed["nextReminderAt"], rfc3339(due), "it is overdue");
        let passed = skips.call("resume", &json!({ "missed": "skip" })).await.accepted();
        assert_eq!(passed["nextReminderAt"], Value::Null);
        fires_once(&fires, due, EVENT_DEADLINE).await;
        let removed = skips.event("reminder.removed").await;
        assert_eq!(removed.data()["reason"], "skipped");
        assert_eq!(skips.triggered(), 0);
    });
}

#[test]
fn all_tasks_of_a_paused_user_are_silent_the_new_ones_too() {
    gentle(async |suite| {
        let user = User::new(suite, "pauses");
        let due = in_ms(AHEAD_MS + FOLLOWED_MS);
        let before = user.task("user-before").due(due);
        before.put().await;
        let paused = user.call("pause", json!({})).await;
        assert!(paused["pausedSince"].is_string() && paused["tasks"]["open"] == 1, "{paused}");
        user.tasks_follow().await;
        let after = user.task("user-after").due(due);
        let put = after.put().await;
        assert_eq!(put["nextReminderAt"], Value::Null, "from its first commit");
        assert!(Utc::now() < due, "the machine is too slow for this test");
        user.call("put", json!({ "preferences": { "zone": "Asia/Tokyo" } })).await;
        user.tasks_follow().await;
        would_have_fired(due).await;
        assert_eq!((before.triggered(), after.triggered()), (0, 0));
        let resumed = user.call("resume", json!({})).await;
        assert_eq!(resumed.get("pausedSince"), None, "{resumed}");
        for task in [&before, &after] {
            fires_once(task, due, FOLLOW_DEADLINE + EVENT_DEADLINE).await;
        }
    });
}

#[test]
fn a_pause_and_a_resumption_survive_the_death_of_the_service() {
    disruptive(async |suite| {
        let due = in_ms(AHEAD_MS);
        let task = suite.task("pause-killed").due(due);
        task.put().await;
        task.call("pause", &json!({})).await.accepted();
        assert!(Utc::now() < due, "the machine is too slow for this test");
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        suite.stack.wait_hosting(1).await.unwrap();
        would_have_fired(due).await;
        let view = task.get_until_answered().await;
        assert!(view["paused"]["task"].is_string() && view.get("history").is_none(), "{view}");
        assert_eq!(task.triggered(), 0);
        task.call("resume", &json!({})).await.accepted();
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        fires_once_after_recovery(&task, due).await;
    });
}

async fn fires_once_after_recovery(task: &Task, due: DateTime<Utc>) {
    let fired = task.event_within("reminder.triggered", 1, RECOVERY_DEADLINE).await;
    assert_eq!(fired.data()["scheduledFor"], rfc3339(due));
    task.get_until_answered().await;
    assert_eq!(task.triggered(), 1);
}
