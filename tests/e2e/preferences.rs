//! Users: their preferences over the actor API, and tasks that follow them.

use crate::api::{Answer, Api, Task, in_ms, rfc3339};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use chrono::{DateTime, DurationRound, TimeDelta, Timelike, Utc};
use dapr::dapr::proto::runtime::v1::InvokeActorRequest;
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use reminder_contract::names::USER_ACTOR_TYPE;
use reminder_contract::user_id::to_actor_id;
use reminder_domain::ids::Person;
use reminder_scheduler::ports::Users;
use reminder_scheduler::read_model::UserLookup;
use reminder_stack::{Part, probe};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// From a change to its last task, for the tasks of these tests.
const FOLLOW_DEADLINE: Duration = Duration::from_secs(30);

/// Time enough to send commands before something is due, on a busy machine.
const AHEAD_MS: i64 = 6_000;

/// Tokyo is so far ahead of UTC, all year round: known without the rules under test.
const TOKYO: TimeDelta = TimeDelta::hours(9);

struct User {
    suite: &'static Suite,
    id: String,
    actor: String,
    api: Api,
}

impl User {
    /// A user who never said anything, with an id that no actor could have as it is.
    fn new(suite: &'static Suite, name: &str) -> Self {
        let id = suite.unique(&format!("Zoë /{name}|")) + "@example.org";
        let actor = to_actor_id(&Person::parse(id.clone()).unwrap());
        Self { suite, id, actor, api: suite.api() }
    }

    async fn call(&self, method: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.api.call_actor(USER_ACTOR_TYPE, &self.actor, method, body, &[]).await.unwrap()
    }

    async fn put(&self, preferences: Value) -> Value {
        let body = json!({ "preferences": preferences });
        self.call("put", body.to_string()).await.accepted()
    }

    async fn get(&self) -> Value {
        self.call("get", "").await.accepted()
    }

    fn task(&self, name: &str) -> Task {
        self.suite.task(name).with("userId", self.id.as_str())
    }

    /// Waits until no task follows older preferences.
    async fn tasks_follow(&self, limit: Duration) {
        let followed = probe::until(limit, || async {
            let answer = self.api.call_actor(USER_ACTOR_TYPE, &self.actor, "get", "", &[]).await;
            let view = answer.ok()?.body;
            (view["tasks"]["outdated"] == 0).then_some(())
        });
        followed.await.expect("the tasks follow");
    }
}

async fn fires_at(task: &Task, at: DateTime<Utc>, limit: Duration) {
    let fired = task.event_within("reminder.triggered", 1, limit).await;
    assert_eq!(fired.data()["scheduledFor"], rfc3339(at), "{}", fired.envelope);
    assert!(Utc::now() >= at, "it fired early: {}", fired.envelope);
}

/// The next whole minute that leaves time to send commands before.
fn next_minute() -> DateTime<Utc> {
    in_ms(AHEAD_MS + 60_000).duration_trunc(TimeDelta::minutes(1)).unwrap()
}

fn time_of_day(at: DateTime<Utc>) -> String {
    at.format("%H:%M").to_string()
}

#[test]
fn preferences_are_kept_and_a_repeat_changes_nothing() {
    gentle(async |suite| {
        let user = User::new(suite, "keeps");
        let view = user.get().await;
        assert_eq!((&view["version"], &view["preferences"]["zone"]), (&json!(0), &json!("UTC")));
        let body = json!({
            "commandId": "c-1",
            "ifVersion": 0,
            "preferences": {
                "zone": "Europe/Berlin",
                "defaultTime": "08:30",
                "quietHours": { "from": "22:00", "to": "07:00" },
                "snoozePresets": { "nap": "PT20M", "next-day": { "days": 1, "at": "07:30" } },
            },
        });
        let first = user.call("put", body.to_string()).await.accepted();
        // Above those of users who were erased, by other tests.
        let version = first["version"].as_u64().unwrap();
        assert_eq!(first, json!({ "userId": user.id, "version": version }));
        assert!(version > 0);
        let view = user.get().await;
        let tasks = json!({ "open": 0, "outdated": 0 });
        let preferences = &body["preferences"];
        let expected = json!({
            "userId": user.id, "version": version, "preferences": preferences, "tasks": tasks
        });
        assert_eq!(view, expected);

        assert_eq!(user.put(json!({ "zone": "Asia/Tokyo" })).await["version"], version + 1);
        assert_eq!(user.call("put", body.to_string()).await.accepted(), first, "it is known");
        assert_eq!(user.get().await["preferences"]["zone"], "Asia/Tokyo");
        assert_eq!(
            user.put(json!({ "zone": "Asia/Tokyo" })).await["version"],
            version + 1,
            "nothing changes"
        );
        let mut other = body.clone();
        other["preferences"]["zone"] = json!("Asia/Seoul");
        user.call("put", other.to_string()).await.refused(422, Some("commandId"));
        other["commandId"] = json!("c-2");
        let conflict = user.call("put", other.to_string()).await.refused(409, Some("ifVersion"));
        let actual = json!(version + 1);
        assert_eq!((&conflict["actualVersion"], &conflict["userId"]), (&actual, &json!(user.id)));
    });
}

#[test]
fn bad_preferences_are_refused_by_field_over_http_and_grpc() {
    gentle(async |suite| {
        let user = User::new(suite, "refused");
        user.put(json!({ "zone": "Asia/Tokyo" })).await;
        let before = user.get().await;
        let port = suite.manifest().replica(1).unwrap().grpc_port;
        let mut grpc = DaprClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap();
        let put = |preferences: Value| json!({ "preferences": preferences }).to_string();
        for (method, body, status, field) in [
            ("put", String::new(), 422, Some("preferences")),
            ("put", "{".to_owned(), 422, None),
            ("put", put(json!({ "zone": "Europe/Atlantis" })), 422, Some("preferences.zone")),
            ("put", put(json!({ "defaultTime": "9" })), 422, Some("preferences.defaultTime")),
            (
                "put",
                put(json!({ "quietHours": { "from": "22:00" } })),
                422,
                Some("preferences.quietHours.to"),
            ),
            ("put", put(json!({ "colour": "blue" })), 422, Some("preferences.colour")),
            ("put", put(json!({ "snoozePresets": { "x": "y".repeat(70_000) } })), 413, None),
            ("get", json!({ "verbose": true }).to_string(), 422, Some("verbose")),
        ] {
            let problem = user.call(method, body.clone()).await.refused(status, field);
            assert_eq!(problem["userId"], user.id, "{problem}");
            let message = InvokeActorRequest {
                actor_type: USER_ACTOR_TYPE.into(),
                actor_id: user.actor.clone(),
                method: method.into(),
                data: body.into_bytes(),
                metadata: HashMap::new(),
            };
            let answer = grpc.invoke_actor(message).await.unwrap().into_inner();
            assert_eq!(serde_json::from_slice::<Value>(&answer.data).unwrap(), problem);
        }
        assert_eq!(user.get().await, before);
        for id in ["_", "a_41", "a_4", "ada.example"] {
            let answer = suite.api().call_actor(USER_ACTOR_TYPE, id, "get", "", &[]).await.unwrap();
            answer.refused(422, Some("userId"));
        }
    });
}

#[test]
fn a_new_task_has_the_default_reminders_of_its_user() {
    gentle(async |suite| {
        let user = User::new(suite, "defaults");
        let due = in_ms(86_400_000);
        let reminders = async |task: &Task| -> Vec<Value> {
            task.put().await;
            let view = task.get().await;
            let all = view["reminders"].as_array().unwrap();
            all.iter().map(|one| one["id"].clone()).collect()
        };
        user.put(json!({ "defaultReminders": [
            { "id": "hour", "before": "PT1H" }, { "id": "after", "after": "PT1M" },
        ] }))
        .await;
        let task = user.task("defaults").due(due);
        assert_eq!(reminders(&task).await, ["hour", "after"]);
        assert_eq!(task.get().await["nextReminderAt"], rfc3339(due - TimeDelta::hours(1)));
        let silent = user.task("silent").due(due).with("reminders", json!([]));
        assert!(reminders(&silent).await.is_empty());
        user.put(json!({ "defaultReminders": [{ "id": "other", "before": "PT2H" }] })).await;
        user.tasks_follow(FOLLOW_DEADLINE).await;
        let next = task.get().await["nextReminderAt"].clone();
        assert_eq!(next, rfc3339(due - TimeDelta::hours(1)), "defaults are those of new tasks");
        assert_eq!(reminders(&user.task("newer").due(due)).await, ["other"]);
    });
}

#[test]
fn a_change_of_zone_moves_floating_times() {
    gentle(async |suite| {
        let user = User::new(suite, "floats");
        let due = in_ms(AHEAD_MS);
        let local = (due + TOKYO).format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
        let task = user.task("floats").with("dueDate", json!({ "local": local }));
        // Nobody said where the user is: UTC, in which it is nine hours away.
        assert_eq!(task.put().await["nextReminderAt"], rfc3339(due + TOKYO));
        let fixed = user.task("fixed").due(due + TOKYO);
        fixed.put().await;
        user.put(json!({ "zone": "Asia/Tokyo" })).await;
        user.tasks_follow(FOLLOW_DEADLINE).await;
        assert_eq!(user.get().await["tasks"], json!({ "open": 2, "outdated": 0 }));
        let scheduled = task.event_within("reminder.scheduled", 2, EVENT_DEADLINE).await;
        assert_eq!(scheduled.data()["scheduledFor"], rfc3339(due));
        fires_at(&task, due, EVENT_DEADLINE).await;
        assert_eq!(fixed.get().await["nextReminderAt"], rfc3339(due + TOKYO), "an instant stays");
        assert_eq!(fixed.events().iter().filter(|e| e.kind == "reminder.scheduled").count(), 1);
    });
}

#[test]
fn a_date_is_due_at_the_default_time_where_the_user_is() {
    gentle(async |suite| {
        let user = User::new(suite, "dates");
        let at = next_minute();
        // Where it is noon now, half an hour later is on the same date.
        let ahead = 12 - i64::from(at.hour());
        let zone = format!("Etc/GMT{:+}", -ahead);
        let there = at + TimeDelta::hours(ahead);
        let date = there.date_naive();
        let task = user.task("dates").with("dueDate", json!({ "date": date.to_string() }));
        let later = (date + TimeDelta::days(400)).to_string();
        let far = user.task("far-date").with("dueDate", json!({ "date": later }));
        let half_past = time_of_day(there + TimeDelta::minutes(30));
        user.put(json!({ "zone": zone, "defaultTime": half_past })).await;
        let moved = rfc3339(at + TimeDelta::minutes(30));
        assert_eq!(task.put().await["nextReminderAt"], moved);
        far.put().await;
        user.put(json!({ "zone": zone, "defaultTime": time_of_day(there) })).await;
        user.tasks_follow(FOLLOW_DEADLINE).await;
        assert_eq!(far.get().await["nextReminderAt"], rfc3339(at + TimeDelta::days(400)));
        fires_at(&task, at, RECOVERY_DEADLINE).await;
    });
}

#[test]
fn reminders_wait_for_the_end_of_quiet_hours_unless_urgent() {
    gentle(async |suite| {
        let user = User::new(suite, "sleeps");
        let end = next_minute();
        let quiet =
            json!({ "from": time_of_day(end - TimeDelta::hours(12)), "to": time_of_day(end) });
        user.put(json!({ "zone": "UTC", "quietHours": quiet })).await;
        let due = in_ms(AHEAD_MS / 3);
        let normal = user.task("quiet").due(due);
        let urgent = user.task("urgent").due(due).with("priority", "urgent");
        assert_eq!(normal.put().await["nextReminderAt"], rfc3339(end));
        assert_eq!(urgent.put().await["nextReminderAt"], rfc3339(due));
        fires_at(&urgent, due, EVENT_DEADLINE).await;
        assert_eq!(normal.triggered(), 0);
        fires_at(&normal, end, RECOVERY_DEADLINE).await;
    });
}

#[test]
fn a_service_killed_while_tasks_follow_a_change_finishes_it_later() {
    disruptive(async |suite| {
        const TASKS: usize = 60;
        let user = User::new(suite, "interrupted");
        let person = Person::parse(user.id.clone()).unwrap();
        let lookup = UserLookup::default();
        lookup.open(&suite.manifest().database_url(), "public".into()).unwrap();
        let due = in_ms(10 * 86_400_000).duration_trunc(TimeDelta::seconds(1)).unwrap();
        let local = due.format("%Y-%m-%dT%H:%M:%S").to_string();
        let mut tasks = Vec::new();
        for _ in 0..TASKS {
            let task = user.task("follows").with("dueDate", json!({ "local": local }));
            task.put().await;
            tasks.push(task);
        }
        // A change is soon followed, so another one is made until the kill comes in its middle.
        let zones = [("Asia/Tokyo", 9), ("Asia/Dubai", 4), ("America/Lima", -5)];
        let mut hours = 0;
        let mut left = 0;
        for (zone, ahead) in zones.into_iter().cycle().take(12) {
            hours = ahead;
            user.put(json!({ "zone": zone })).await;
            let begun = probe::until(FOLLOW_DEADLINE, || async {
                let outdated = lookup.progress(&person).await.ok()?.outdated;
                (outdated < TASKS as u64).then_some(outdated)
            });
            if begun.await.expect("the tasks begin to follow") == 0 {
                continue;
            }
            suite.kill(Part::App(1)).await;
            left = lookup.progress(&person).await.unwrap().outdated;
            if left > 0 {
                break;
            }
            suite.start_and_wait(Part::App(1)).await;
        }
        assert!(left > 0, "the kill never came in the middle");
        suite.start_and_wait(Part::App(1)).await;
        user.tasks_follow(RECOVERY_DEADLINE).await;
        for task in &tasks {
            let view = task.get_until_answered().await;
            assert_eq!(view["nextReminderAt"], rfc3339(due - TimeDelta::hours(hours)), "{view}");
        }
    });
}
