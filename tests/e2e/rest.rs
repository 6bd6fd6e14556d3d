//! The REST edge by its client, directly and through the sidecar's service invocation alike.

use crate::api::{in_ms, rfc3339};
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use futures_util::future::join_all;
use reminder_client::{
    CallOptions, Client, CorrelationId, Delay, Error, IfVersion, Person, PresetName, ProblemKind,
    ReminderId, Ring, Snooze, TaskId, wire::CommandAnswer,
};
use reminder_contract::data::{ReminderState, TaskStatus};
use reminder_contract::names::APP_ID;
use reminder_domain::ids::Description;
use serde_json::{Value, json};

/// An hour ahead: nothing of it fires while a test runs.
const LATER_MS: i64 = 3_600_000;

fn direct(suite: &Suite) -> Client {
    let port = suite.manifest().replica(1).unwrap().app_port;
    Client::direct(&format!("http://127.0.0.1:{port}")).unwrap().build().unwrap()
}

fn through_sidecar(suite: &Suite) -> Client {
    let port = suite.manifest().replica(1).unwrap().http_port;
    let client = Client::through_sidecar(&format!("http://127.0.0.1:{port}"), APP_ID).unwrap();
    client.build().unwrap()
}

fn task(suite: &Suite, name: &str) -> TaskId {
    TaskId::parse(suite.unique(name)).unwrap()
}

fn at(version: u64) -> CallOptions {
    CallOptions { if_version: Some(IfVersion::At(version)), ..CallOptions::default() }
}

fn under(key: &str) -> CallOptions {
    let key = Some(CorrelationId::parse(key).unwrap());
    CallOptions { idempotency_key: key, ..CallOptions::default() }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> ProblemKind {
    match answer {
        Err(Error::Refused(problem)) => problem.kind().unwrap(),
        other => panic!("not refused: {other:?}"),
    }
}

/// A task of the user whom every event of these tests must name.
fn milk(due: Option<&str>) -> Value {
    let mut milk = json!({ "title": "Milk", "userId": "u@example.org" });
    if let Some(due) = due {
        milk["dueDate"] = due.into();
    }
    milk
}

async fn lives(suite: &Suite, client: &Client, name: &str) {
    let (id, any) = (task(suite, name), CallOptions::default());
    assert_eq!(refused(client.get(&id).await), ProblemKind::UnknownTask);
    let due = rfc3339(in_ms(LATER_MS));
    let put = client.put(&id, &milk(Some(&due)), &any).await.unwrap();
    assert_eq!((put.version, put.created), (1, Some(true)));
    assert!(client.get_if_changed(&id, 1).await.unwrap().is_none());
    let patch = json!({ "title": "Oat milk", "tags": ["home"] });
    assert_eq!(client.patch(&id, &patch, &any).await.unwrap().version, 2);
    let view = client.get(&id).await.unwrap();
    assert_eq!(view.task.title.as_str(), "Oat milk");
    assert_eq!(view.task.due_date.as_ref().map(|due| json!(due)), Some(json!(due)));
    assert_eq!(view.reminders[0].state, ReminderState::Scheduled);

    let delay = Delay::Preset(PresetName::parse("soon").unwrap());
    let nothing_rang = client.snooze(&id, &Snooze { reminder_id: None, delay }, &any).await;
    assert_eq!(refused(nothing_rang), ProblemKind::Inapplicable);
    let early = serde_json::from_value(json!({ "id": "early", "before": "PT10M" })).unwrap();
    client.put_reminder(&id, &early, &any).await.unwrap();
    let preview = client.preview(&id, Some(1)).await.unwrap();
    assert_eq!(preview.firings[0].reminder_id, "early");
    let early = ReminderId::parse("early").unwrap();
    let moment = preview.firings[0].scheduled_for;
    assert_eq!(client.explain(&id, &early, moment).await.unwrap().verdict, "scheduled");
    client.remove_reminder(&id, &early, &any).await.unwrap();

    let calendar = client.export_calendar(&id).await.unwrap();
    assert!(calendar.contains("SUMMARY:Oat milk"), "{calendar}");
    let imported = client.import_calendar(&id, &calendar, &any).await.unwrap();
    assert_eq!(imported.created, Some(false));

    assert_eq!(client.complete(&id, &any).await.unwrap().status, TaskStatus::Completed);
    assert_eq!(client.reopen(&id, &any).await.unwrap().status, TaskStatus::Pending);
    let deleted = client.delete(&id, &any).await.unwrap();
    assert_eq!(deleted.status, TaskStatus::Deleted);
    assert_eq!(refused(client.get(&id).await), ProblemKind::UnknownTask);
}

#[test]
fn a_task_lives_through_the_rest_edge() {
    gentle(async |suite| {
        lives(suite, &direct(suite), "rest-direct").await;
        lives(suite, &through_sidecar(suite), "rest-invoked").await;
    });
}

#[test]
fn a_reminder_that_was_put_over_rest_fires_in_its_flow() {
    gentle(async |suite| {
        let id = task(suite, "rest-fires");
        let flow = suite.unique("flow");
        let options = CallOptions {
            correlation_id: Some(CorrelationId::parse(&*flow).unwrap()),
            ..CallOptions::default()
        };
        let due = rfc3339(in_ms(1_500));
        let put = json!({ "title": "Tea", "dueDate": due, "userId": "u@example.org" });
        direct(suite).put(&id, &put, &options).await.unwrap();
        let fired =
            suite.journal.wait_for(id.as_str(), "reminder.triggered", 1, EVENT_DEADLINE).await;
        assert_eq!(fired.envelope["correlationid"], *flow);
        let any = CallOptions::default();
        let seen = direct(suite).acknowledge(&id, &Ring::default(), &any).await.unwrap();
        assert_eq!(seen.status, TaskStatus::Pending);
    });
}

#[test]
fn versions_and_keys_decide_what_is_applied() {
    gentle(async |suite| {
        let (client, id) = (through_sidecar(suite), task(suite, "rest-versions"));
        let milk = milk(None);
        let put = |options: CallOptions| {
            let (client, id, milk) = (client.clone(), id.clone(), milk.clone());
            async move { client.put(&id, &milk, &options).await }
        };
        let existing = CallOptions { if_version: Some(IfVersion::Existing), ..under("k-0") };
        assert_eq!(refused(put(existing.clone()).await), ProblemKind::PreconditionFailed);
        let absent = CallOptions { if_version: Some(IfVersion::Absent), ..CallOptions::default() };
        assert_eq!(put(absent.clone()).await.unwrap().version, 1);
        assert_eq!(refused(put(absent).await), ProblemKind::PreconditionFailed);

        // Sent again, a command is answered as before; another one may not take its name.
        let first = client.complete(&id, &under("k-1")).await.unwrap();
        client.reopen(&id, &CallOptions::default()).await.unwrap();
        assert_eq!(client.complete(&id, &under("k-1")).await.unwrap(), first);
        let another = client.delete(&id, &under("k-1")).await;
        assert_eq!(refused(another), ProblemKind::CommandIdReused);

        // A patch under one key is applied once, though it meets its own result when it is sent again.
        let patch = json!({ "description": "The one with the blue cap" });
        let patched = client.patch(&id, &patch, &under("k-2")).await.unwrap();
        let patch_of_other = json!({ "description": "Another one" });
        let after = client.patch(&id, &patch_of_other, &under("k-3")).await.unwrap();
        let again = client.patch(&id, &patch, &under("k-2")).await.unwrap();
        assert_eq!((after.version, again.version), (patched.version + 1, patched.version + 1));
        let now = client.get(&id).await.unwrap();
        assert_eq!(now.task.description.as_ref().map(Description::as_str), Some("Another one"));

        let stale = client.patch(&id, &patch, &at(1)).await.unwrap_err();
        let problem = stale.problem().unwrap();
        assert_eq!(problem.kind(), Some(ProblemKind::PreconditionFailed));
        assert_eq!(problem.actual_version, Some(after.version));
        assert_eq!(
            client.patch(&id, &patch, &at(after.version)).await.unwrap().version,
            after.version + 1
        );
        let replaced = put(CallOptions { if_version: Some(IfVersion::Existing), ..under("k-4") });
        assert_eq!(replaced.await.unwrap().version, after.version + 2);
    });
}

#[test]
fn patches_at_the_same_time_are_all_applied() {
    gentle(async |suite| {
        let (client, id) = (direct(suite), task(suite, "rest-patches"));
        let any = CallOptions::default();
        client.put(&id, &milk(None), &any).await.unwrap();
        let fields = ["description", "assignee", "createdBy", "title"];
        let patch = async |field: &str| {
            let patch = json!({ field: format!("by {field}") });
            client.patch(&id, &patch, &CallOptions::default()).await.unwrap()
        };
        let answers: Vec<CommandAnswer<'_>> = join_all(fields.map(patch)).await;
        let mut versions: Vec<u64> = answers.iter().map(|answer| answer.version).collect();
        versions.sort_unstable();
        assert_eq!(versions, [2, 3, 4, 5], "each was a version of its own");
        let task = serde_json::to_value(&*client.get(&id).await.unwrap().task).unwrap();
        for field in fields {
            assert_eq!(task[field], format!("by {field}"), "{task}");
        }
    });
}

#[test]
fn users_say_what_they_prefer_over_rest() {
    gentle(async |suite| {
        let user = suite.unique("Zoë /rest") + "@example.org";
        let user = Person::parse(user).unwrap();
        let tokyo = json!({ "zone": "Asia/Tokyo" });
        let absent = CallOptions { if_version: Some(IfVersion::Absent), ..CallOptions::default() };
        let first = direct(suite).put_preferences(&user, &tokyo, &absent).await.unwrap();
        assert_eq!(first.user_id.as_str(), user.as_str());
        // Dapr hands on the slash of the id as it is.
        let seen = through_sidecar(suite).preferences(&user).await.unwrap();
        assert_eq!((seen.version, seen.preferences.zone.name()), (first.version, "Asia/Tokyo"));
        let stale = direct(suite).put_preferences(&user, &Value::Null, &absent).await;
        assert_eq!(refused(stale), ProblemKind::InvalidInput);
        let stale = direct(suite).put_preferences(&user, &json!({}), &absent).await;
        assert_eq!(refused(stale), ProblemKind::PreconditionFailed);
    });
}
