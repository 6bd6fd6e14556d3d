//! `events tail`: it shows what is told, and takes nothing from anybody.

use crate::api::{Answer, in_ms};
use crate::ingest::publish;
use crate::operations::{command, environment_of, succeeds};
use crate::process::Service;
use crate::suite::{EVENT_DEADLINE, Suite, disruptive};
use reminder_contract::names::{PUBSUB, TASK_EVENTS};
use reminder_stack::probe;
use serde_json::{Value, json};

/// Longer than the broker takes to let a new consumer in, three times over.
const WAIT: &str = "90s";

/// A tail that ends after so many events of a user.
fn tail(suite: &Suite, user: &str, limit: &str, more: &[&str]) -> Service {
    let arguments =
        [&["events", "tail", "--json", "--user", user, "--limit", limit, "--wait", WAIT], more];
    Service::command(suite, &arguments.concat(), &environment_of(suite))
}

/// The topics that somebody follows through the stack's sidecar.
async fn followed(suite: &Suite) -> Vec<String> {
    let port = suite.manifest().replica(1).unwrap().http_port;
    let metadata = probe::get(port, "/v1.0/metadata", &[]).await.unwrap().body;
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let all = metadata["subscriptions"].as_array().unwrap().iter();
    let streamed = all.filter(|one| one["type"] == "STREAMING");
    streamed.map(|one| one["topic"].as_str().unwrap().to_owned()).collect()
}

/// Waits until nobody does: one that has ended leaves its topics one after the other.
async fn nobody_follows(suite: &Suite) {
    let gone = || async { followed(suite).await.is_empty().then_some(()) };
    probe::until(EVENT_DEADLINE, gone).await.expect("its subscriptions end with it");
}

/// Has an event followed by the service, as one of the todo-api.
async fn is_ingested(suite: &'static Suite, name: &str) {
    let id = suite.unique(name);
    let task =
        json!({"taskId": id, "title": "Told", "status": "pending", "userId": "u@example.org"});
    publish(suite, &id, "application/json", "", task.to_string().into_bytes()).await;
    let api = suite.api();
    let followed = probe::until(EVENT_DEADLINE, || async {
        api.call(&id, "get", "", &[]).await.ok().filter(Answer::is_accepted).map(drop)
    });
    followed.await.unwrap_or_else(|| panic!("{name}: the service has not followed {id}"));
}

#[test]
fn a_tail_shows_what_is_told_and_takes_nothing_from_the_service() {
    // Alone: a sidecar lets one tail at a time follow a topic.
    disruptive(async |suite| {
        let user = format!("{}@example.org", suite.unique("tail"));
        let following = tail(suite, &user, "6", &[]);
        let follows = probe::until(EVENT_DEADLINE, || async {
            followed(suite).await.contains(&TASK_EVENTS.to_owned()).then_some(())
        });
        follows.await.expect("it follows");
        // Another one would take its place; through the service's component it would take the service's.
        let second = command(suite, &["events", "tail", "--wait", "1s"]).await;
        assert_eq!(second.code, Some(1), "{second:?}");
        assert!(second.output.contains("already"), "{}", second.output);
        let stolen = ["events", "tail", "--wait", "1s", "--component", PUBSUB];
        let refused = command(suite, &stolen).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.output.contains("consumerGroup of its own"), "{}", refused.output);

        // The broker lets it in at a time that nobody is told: tasks are put until it has seen enough.
        let put = async {
            loop {
                let task = suite.task("tailed").with("userId", user.clone()).due(in_ms(3_600_000));
                task.put().await;
                suite.task("of-others").due(in_ms(3_600_000)).put().await;
                is_ingested(suite, "meanwhile").await;
            }
        };
        let ended = tokio::select! {
            ended = following.ended_within(EVENT_DEADLINE * 4) => ended,
            () = put => unreachable!("it goes on for ever"),
        };
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let shown: Vec<Value> =
            ended.output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(shown.len(), 6, "{}", ended.output);
        for record in &shown {
            assert_eq!(record["event"]["userid"], user, "{record}");
            assert!(record["event"]["id"].is_string() && record["topic"].is_string(), "{record}");
        }

        // Its end ends nothing but itself.
        nobody_follows(suite).await;
        is_ingested(suite, "afterwards").await;
        assert!(succeeds(suite, &["events", "tail", "--wait", "1s"]).await.contains("following"));
        nobody_follows(suite).await;
        let none =
            command(suite, &["events", "tail", "--wait", "1s", "--limit", "1", "--task", "no"])
                .await;
        assert_eq!(none.code, Some(1), "{none:?}");
    });
}
