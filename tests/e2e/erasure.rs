//! Erasure: everything of a user goes from the whole database, and no event after it says a word.

use crate::api::{Task, in_ms};
use crate::firing::triggered;
use crate::operations::environment_of;
use crate::process::{Ended, Service};
use crate::retention::database;
use crate::suite::{EVENT_DEADLINE, Suite, disruptive};
use reminder_stack::{Part, probe};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use tokio_postgres::Client;

const FAR_MS: i64 = 3_600_000;
const SOON_MS: i64 = 2_500;
/// Erasing, and looking for a while whether anything comes after it.
const ERASED_WITHIN: Duration = Duration::from_secs(100);

/// Where a text is in the database, in any column of any table.
async fn found(client: &Client, text: &str) -> Vec<String> {
    let columns = "SELECT table_name, column_name, data_type FROM information_schema.columns
                   WHERE table_schema = 'public'";
    let mut places = Vec::new();
    for row in client.query(columns, &[]).await.unwrap() {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let there = if kind == "bytea" {
            format!(r#"position(convert_to($1, 'UTF8') IN "{column}") > 0"#)
        } else {
            format!(r#"position($1 IN "{column}"::text) > 0"#)
        };
        let sql = format!(r#"SELECT count(*) FROM "{table}" WHERE {there}"#);
        let count: i64 = client.query_one(&sql, &[&text]).await.unwrap().get(0);
        if count > 0 {
            places.push(format!("{count} in {table}.{column}"));
        }
    }
    places
}

async fn cli(suite: &Suite, arguments: &[&str]) -> Ended {
    let mut environment = environment_of(suite);
    let port = suite.manifest().replica(1).unwrap().app_port;
    environment.insert("REMINDER_URL".into(), format!("http://127.0.0.1:{port}"));
    Service::command(suite, arguments, &environment).ended_within(ERASED_WITHIN).await
}

async fn erasure(suite: &Suite, user: &str) -> Value {
    let port = suite.manifest().replica(1).unwrap().app_port;
    let path = format!("/v1/users/{user}/erasure");
    serde_json::from_str(&probe::get(port, &path, &[]).await.unwrap().body).unwrap()
}

/// What was told of these tasks so far: how many events of each.
fn told(tasks: &[&Task]) -> HashMap<String, usize> {
    tasks.iter().map(|task| (task.id.clone(), task.events().len())).collect()
}

/// Waits for all that is told of her tasks, and of those of others: what is on its way is told as it was. The last
/// two of hers are completed and deleted, and one has fired before.
async fn all_told(hers: [&Task; 4], of_others: &[&Task; 3]) {
    for (task, changes) in hers.into_iter().zip([1, 2, 2, 2]) {
        task.event("reminder.scheduled").await;
        task.event_within("task.updated", changes, EVENT_DEADLINE).await;
        task.event_within("task.sync", changes, EVENT_DEADLINE).await;
    }
    for task in &hers[2..] {
        task.event("reminder.removed").await;
    }
    for task in of_others {
        for kind in ["reminder.scheduled", "task.updated", "task.sync"] {
            task.event(kind).await;
        }
    }
}

#[test]
fn nothing_of_an_erased_user_is_left_or_told() {
    disruptive(async |suite| {
        let user = format!("{}@example.org", suite.unique("ada"));
        let secret = suite.unique("Call-the-clinic");
        let client = database(suite).await;
        let hers =
            |name| suite.task(name).with("userId", user.clone()).with("title", secret.clone());
        let due = in_ms(SOON_MS);
        let (pending, fired) =
            (hers("erase-pending").due(in_ms(FAR_MS)), hers("erase-fired").due(due));
        let (completed, deleted) =
            (hers("erase-done").due(in_ms(FAR_MS)), hers("erase-deleted").due(in_ms(FAR_MS)));
        let (other, unsent) = (suite.task("erase-other").due(in_ms(FAR_MS)), hers("erase-unsent"));
        let all = [&pending, &fired, &completed, &deleted];
        for task in all {
            task.put().await;
        }
        // Of somebody else: she shall do one, and has asked for the other.
        let named = [("erase-assigned", "assignee"), ("erase-asked-for", "createdBy")];
        let named = named.map(|(name, field)| {
            let of_other =
                suite.task(name).due(in_ms(FAR_MS)).with("createdBy", "else@example.org");
            of_other.with(field, user.clone())
        });
        for task in named.iter().chain([&other]) {
            task.put().await;
        }
        completed.complete().await;
        deleted.delete().await;
        triggered(&fired, 1, due).await;
        let body = json!({ "preferences": { "zone": "Asia/Tokyo" } });
        let actor = reminder_contract::user_id::to_actor_id(
            &reminder_domain::ids::Person::parse(user.clone()).unwrap(),
        );
        let put = suite.api();
        let put = put.call_actor("UserActor", &actor, "put", body.to_string(), &[]).await;
        put.unwrap().accepted();
        all_told(all, &[&named[0], &named[1], &other]).await;

        // Events that wait for the broker: of a new task, and of one that is known.
        suite.kill(Part::Kafka).await;
        let unsent = unsent.due(in_ms(FAR_MS));
        unsent.put().await;
        pending.complete().await;
        let handed_to_her = other.clone().with("assignee", user.clone());
        handed_to_her.put().await;
        let all = [&pending, &fired, &completed, &deleted, &unsent];
        let [assigned, asked_for] = &named;
        let of_others = [assigned, asked_for, &other];
        let before = told(&[&all[..], &of_others].concat());
        assert!(
            !found(&client, &secret).await.is_empty() && !found(&client, &user).await.is_empty()
        );

        let refused = cli(suite, &["user", "erase", &user]).await;
        assert_ne!(refused.code, Some(0), "nobody said that it is meant: {}", refused.output);
        let ended = cli(suite, &["user", "erase", &user, "--yes", "--wait", "95s"]).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        assert!(ended.output.contains("done: nothing of the user is left"), "{}", ended.output);
        let view = erasure(suite, &user).await;
        assert_eq!((&view["erasing"], &view["tasks"]), (&json!(false), &json!(0)), "{view}");
        for text in [&user, &secret, &actor] {
            assert_eq!(found(&client, text).await, Vec::<String>::new(), "{text}");
        }
        for task in all {
            task.call("get", &json!({})).await.refused(404, None);
        }
        for task in of_others {
            let kept = task.get().await["task"].clone();
            assert_eq!(
                (&kept["title"], &kept["status"]),
                (&task.fields["title"], &json!("pending"))
            );
            assert_eq!(kept.get("assignee"), None, "of others nothing goes but her name: {kept}");
        }
        assert_eq!(assigned.get().await["task"]["createdBy"], "else@example.org");
        assert_eq!(asked_for.get().await["task"].get("createdBy"), None);

        // The broker is back: what waited is told, in sequence, without a word.
        suite.start_and_wait(Part::Kafka).await;
        let last = pending.event_within("task.updated", 3, EVENT_DEADLINE * 2).await;
        assert_eq!(last.data()["reason"], "deleted");
        unsent.event_within("task.updated", 2, EVENT_DEADLINE * 2).await;
        for (task, number) in [(assigned, 2), (asked_for, 2), (&other, 3)] {
            task.event_within("task.updated", number, EVENT_DEADLINE * 2).await;
        }
        for task in all.into_iter().chain(of_others) {
            for event in task.events().into_iter().skip(before[&task.id.clone()]) {
                let text = event.envelope.to_string();
                assert!(!text.contains(&user) && !text.contains(&secret), "{text}");
                let of_nobody = event.envelope.get("userid").is_none_or(Value::is_null);
                assert!(of_nobody || !all.iter().any(|hers| hers.id == task.id), "{text}");
            }
        }

        // A task of the user's is a new one.
        let due = in_ms(SOON_MS);
        let again = pending.clone().due(due);
        assert_eq!(again.put().await["created"], true);
        let number = again.events().iter().filter(|e| e.kind == "reminder.triggered").count();
        triggered(&again, number + 1, due).await;
    });
}
