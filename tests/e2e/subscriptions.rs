//! A sidecar that stops consuming: it goes on saying that it is subscribed, and delivers nothing. The
//! service notices, and has it subscribe anew.

use crate::api::Task;
use crate::ingest::{followed, tell, told, versions};
use crate::replicas::second_replica;
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive};
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType;
use dapr::dapr::proto::runtime::v1::{
    SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsRequestInitialAlpha1,
};
use futures_util::{StreamExt as _, stream};
use reminder_contract::names::{METRICS_PATH, PUBSUB, TASK_EVENTS};
use reminder_stack::{Part, Signal, probe};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;

/// What the service is told, so that it notices soon.
const WATCH: &str = "5s";
/// Tasks whose events are under way when the service stalls.
const UNDER_WAY: usize = 30;
/// How often it is tried: a busy machine may make the sidecar take the service for ill by itself, which
/// heals as well.
const TRIES: usize = 4;
/// Until canaries were missed and the sidecar has subscribed anew, on a busy machine.
const HEAL_DEADLINE: Duration = Duration::from_secs(120);

/// Runs the services of the stack with a watch like that.
async fn watch(suite: &Suite, quiet: &str) {
    let environment = [("TOPIC_WATCH".to_owned(), quiet.to_owned())];
    suite.stack.run_app_as(&suite.program, &BTreeMap::from(environment)).unwrap();
    suite.stop(Part::App(1)).await;
    suite.start_and_wait(Part::App(1)).await;
    suite.stack.wait_hosting(1).await.unwrap();
}

async fn subscriptions(suite: &Suite, replica: u32) -> Vec<Value> {
    let port = suite.manifest().replica(replica).unwrap().http_port;
    let metadata = probe::get(port, "/v1.0/metadata", &[]).await.unwrap();
    let metadata: Value = serde_json::from_str(&metadata.body).unwrap();
    metadata["subscriptions"].as_array().cloned().unwrap_or_default()
}

/// Has a sidecar drop a topic, in the way in which it does so by itself: a second subscription of the same
/// topic ends, and takes the topic off the component's list although the first one goes on. It must end
/// while nothing is delivered to it, so it comes right after an event: no canary is near then.
async fn deafen(suite: &'static Suite, replica: u32, topic: &str) {
    let before = suite.task("heard");
    tell(suite, &told(&before.id, "task.created", 1, &json!({}))).await;
    followed(&before, 1, RECOVERY_DEADLINE).await;
    let port = suite.manifest().replica(replica).unwrap().grpc_port;
    let mut client = DaprClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap();
    let initial = SubscribeTopicEventsRequestInitialAlpha1 {
        pubsub_name: PUBSUB.into(),
        topic: topic.into(),
        ..Default::default()
    };
    let kind = SubscribeTopicEventsRequestType::InitialRequest(initial);
    let first =
        SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(kind) };
    let (end, ended) = oneshot::channel::<()>();
    let requests = stream::iter([first]).chain(stream::pending()).take_until(ended);
    let mut answers = client.subscribe_topic_events_alpha1(requests).await.unwrap().into_inner();
    answers.message().await.unwrap().expect("an answer to the first request");
    drop(end);
    // To its end, which is that of the subscription.
    while answers.message().await.is_ok_and(|answer| answer.is_some()) {}
    let ended = probe::until(EVENT_DEADLINE, || async {
        let all = subscriptions(suite, replica).await;
        let of_topic = all.iter().filter(|one| one["topic"] == topic).collect::<Vec<_>>();
        (of_topic.len() == 1 && of_topic[0]["type"] == "PROGRAMMATIC").then_some(())
    });
    assert!(ended.await.is_some(), "the second subscription did not end");
}

/// How often a replica had its sidecar subscribe anew.
async fn resubscriptions(suite: &Suite, replica: u32) -> u64 {
    let port = suite.manifest().replica(replica).unwrap().app_port;
    let Ok(scraped) = probe::get(port, METRICS_PATH, &[]).await else { return 0 };
    let mut lines = scraped.body.lines();
    let name = "reminder_resubscriptions_total{outcome=\"done\"} ";
    lines.find_map(|line| line.strip_prefix(name)).map_or(0, |count| count.parse().unwrap())
}

/// Waits until one of the replicas has healed; until then the task has followed nothing.
async fn healed(suite: &Suite, task: &Task, replicas: &[u32]) {
    let done = probe::until(HEAL_DEADLINE, || async {
        let mut times = 0;
        for replica in replicas {
            times += resubscriptions(suite, *replica).await;
        }
        // While it is subscribing, the event may come before this is counted.
        if times > 0 || !versions(task).is_empty() { Some(times) } else { None }
    });
    assert!(done.await.is_some(), "the sidecar was not made to subscribe anew");
}

#[test]
fn what_was_under_way_when_the_service_stalled_is_followed_and_what_comes_then() {
    disruptive(async |suite| {
        suite.stack.kill(Part::App(1), Signal::Stop).await.unwrap();
        let tasks: Vec<_> = (0..UNDER_WAY).map(|_| suite.task("stalled")).collect();
        for task in &tasks {
            tell(suite, &told(&task.id, "task.created", 1, &json!({}))).await;
        }
        // The sidecar takes it for ill, with deliveries under way.
        let port = suite.manifest().replica(1).unwrap().http_port;
        let withdrawn = probe::until(RECOVERY_DEADLINE, || async {
            let metadata = probe::get(port, "/v1.0/metadata", &[]).await.ok()?;
            let metadata: Value = serde_json::from_str(&metadata.body).ok()?;
            (metadata["actorRuntime"]["runtimeStatus"] == "INITIALIZING").then_some(())
        });
        assert!(withdrawn.await.is_some(), "the sidecar does not notice");
        suite.stack.kill(Part::App(1), Signal::Cont).await.unwrap();
        for task in &tasks {
            followed(task, 1, RECOVERY_DEADLINE).await;
            tell(suite, &told(&task.id, "task.updated", 2, &json!({}))).await;
        }
        for task in &tasks {
            followed(task, 2, RECOVERY_DEADLINE).await;
            assert_eq!(versions(task), [1, 2]);
        }
    });
}

#[test]
fn a_sidecar_that_dropped_a_topic_is_made_to_subscribe_anew() {
    disruptive(async |suite| {
        watch(suite, WATCH).await;
        let mut task = suite.task("deaf");
        for _ in 0..TRIES {
            deafen(suite, 1, TASK_EVENTS).await;
            task = suite.task("deaf");
            tell(suite, &told(&task.id, "task.created", 1, &json!({}))).await;
            healed(suite, &task, &[1]).await;
            followed(&task, 1, RECOVERY_DEADLINE).await;
            if resubscriptions(suite, 1).await > 0 {
                break;
            }
        }
        let healed = resubscriptions(suite, 1).await;
        assert!(healed > 0, "it was followed, but each time something else had helped");
        // What it leads to works as ever, and so do the other topics.
        tell(suite, &told(&task.id, "task.updated", 2, &json!({}))).await;
        followed(&task, 2, EVENT_DEADLINE).await;
    });
}

#[test]
fn of_two_replicas_a_deaf_one_is_no_alarm_and_when_both_are_one_subscribes_anew() {
    disruptive(async |suite| {
        watch(suite, WATCH).await;
        second_replica(suite).await;
        deafen(suite, 1, TASK_EVENTS).await;
        for version in 1..=2 {
            let task = suite.task("one-deaf");
            tell(suite, &told(&task.id, "task.created", version, &json!({}))).await;
            followed(&task, version, RECOVERY_DEADLINE).await;
        }
        let times = (resubscriptions(suite, 1).await, resubscriptions(suite, 2).await);
        assert_eq!(times, (0, 0), "the other one hears");
        deafen(suite, 2, TASK_EVENTS).await;
        let task = suite.task("both-deaf");
        tell(suite, &told(&task.id, "task.created", 1, &json!({}))).await;
        healed(suite, &task, &[1, 2]).await;
        followed(&task, 1, RECOVERY_DEADLINE).await;
        let times = resubscriptions(suite, 1).await + resubscriptions(suite, 2).await;
        assert!(times <= 1, "one is enough, but {times} have");
        // The first may be deaf still, which is nothing as long as the second one hears; for those who
        // come after this, it must hear itself.
        suite.stop(Part::Sidecar(1)).await;
        suite.start_and_wait(Part::Sidecar(1)).await;
    });
}
