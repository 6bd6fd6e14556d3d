//! What the design takes for granted of Dapr, Postgres and Kafka, each seen on the runtime at hand:
//! when a new version of it behaves otherwise, these fail first and say what has changed.

pub(crate) mod sidecar;

use crate::api::{Answer, in_ms};
use crate::suite::{EVENT_DEADLINE, Suite, gentle};
use chrono::{SecondsFormat, TimeDelta, Timelike, Utc};
use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use dapr::dapr::proto::runtime::v1::{
    ExecuteActorStateTransactionRequest, PublishEventRequest, TransactionalActorStateOperation,
};
use reminder_contract::cloud_event::CONTENT_TYPE;
use reminder_contract::names::{ACTOR_TYPE, APP_ID, PUBSUB, REMINDERS_DLQ, STATE_KEY, STATE_TABLE};
use reminder_stack::events::Reader;
use serde_json::{Value, json};
use sidecar::{DAPR_TOKEN, PROBE_TYPE, ProbeSidecar, Script, sidecar};
use std::collections::HashMap;
use tonic::transport::Channel;

/// A trace that no sidecar has begun.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Until a first call, from registration on.
const SHORTLY_MS: i64 = 300;

fn due(ms: i64) -> String {
    in_ms(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// An id that no earlier run has used.
fn fresh(name: &str) -> String {
    format!("{name}-{}", Utc::now().timestamp_micros())
}

/// Registers again inside the first call, answered with `status`; then nothing but the new time may
/// be left, which a later reminder of another actor shows.
async fn rearm_inside_callback(probe: &ProbeSidecar, status: u16) {
    let (actor, later) = (fresh("rearm"), fresh("later"));
    let rearm_after = Some(TimeDelta::milliseconds(1_500));
    probe.wake(&actor, &due(SHORTLY_MS), Script { statuses: vec![status], rearm_after }).await;
    let fired = probe.fired(&actor, 2).await;
    assert!(fired[1] - fired[0] >= TimeDelta::milliseconds(1_500), "{fired:?}");
    // A retry would have come a second after the first call, or after this one.
    probe.wake(&later, &due(1_500), Script::default()).await;
    probe.fired(&later, 1).await;
    assert_eq!(probe.fired_so_far(&actor).len(), 2);
}

#[test]
fn registering_again_inside_the_callback_leaves_only_the_new_time_when_it_succeeds() {
    gentle(async |suite| rearm_inside_callback(&*sidecar(suite).await, 200).await);
}

#[test]
fn registering_again_inside_the_callback_leaves_only_the_new_time_when_it_fails() {
    gentle(async |suite| rearm_inside_callback(&*sidecar(suite).await, 500).await);
}

#[test]
fn a_reminder_in_the_past_fires_at_once() {
    gentle(async |suite| {
        let probe = sidecar(suite).await;
        let actor = fresh("past");
        probe.wake(&actor, &due(-86_400_000), Script::default()).await;
        probe.fired(&actor, 1).await;
    });
}

#[test]
fn only_200_is_success_and_a_constant_policy_goes_on_until_then() {
    gentle(async |suite| {
        let probe = sidecar(suite).await;
        let (actor, later) = (fresh("third"), fresh("later"));
        let statuses = vec![500, 204, 500, 503];
        probe.wake(&actor, &due(SHORTLY_MS), Script { statuses, rearm_after: None }).await;
        // More often than the default policy, which gives up after three retries.
        let fired = probe.fired(&actor, 5).await;
        assert!(fired[4] - fired[0] >= TimeDelta::milliseconds(3_500), "a second apart: {fired:?}");
        probe.wake(&later, &due(1_500), Script::default()).await;
        probe.fired(&later, 1).await;
        assert_eq!(probe.fired_so_far(&actor).len(), 5, "200 ends it");
    });
}

#[test]
fn due_times_keep_their_fractions_of_a_second() {
    gentle(async |suite| {
        let probe = sidecar(suite).await;
        let actor = fresh("fraction");
        let at = in_ms(1_000).with_nanosecond(950_000_000).unwrap();
        probe
            .wake(&actor, &at.to_rfc3339_opts(SecondsFormat::Millis, true), Script::default())
            .await;
        let fired = probe.fired(&actor, 1).await;
        // Cut off, it would have fired almost a second too early.
        assert!(fired[0] >= at - TimeDelta::milliseconds(5), "{at} {fired:?}");
    });
}

#[test]
fn the_error_header_brings_a_refusal_to_the_caller_untouched() {
    gentle(async |suite| {
        let probe = sidecar(suite).await;
        let url = format!(
            "http://127.0.0.1:{}/v1.0/actors/{PROBE_TYPE}/{}/method/refuse",
            probe.http_port,
            fresh("refuse")
        );
        let request = reqwest::Client::new().put(url).header("dapr-api-token", DAPR_TOKEN);
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let content_type = header("content-type");
        let is_problem = header("X-DaprErrorResponseHeader") == "true";
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        let answer = Answer { status, content_type, is_problem, body };
        assert_eq!((answer.status, answer.is_problem), (200, true), "{answer:?}");
        assert_eq!(answer.content_type, "application/problem+json");
        assert_eq!(answer.body, json!({ "status": 422, "field": "here" }));
    });
}

async fn grpc(suite: &Suite) -> DaprClient<Channel> {
    let port = suite.manifest().replica(1).unwrap().grpc_port;
    DaprClient::connect(format!("http://127.0.0.1:{port}")).await.unwrap()
}

fn upsert(task: &str, key: &str, value: &[u8]) -> ExecuteActorStateTransactionRequest {
    let type_url = "type.googleapis.com/bytes".into();
    ExecuteActorStateTransactionRequest {
        actor_type: ACTOR_TYPE.into(),
        actor_id: task.into(),
        operations: vec![TransactionalActorStateOperation {
            operation_type: "upsert".into(),
            key: key.into(),
            value: Some(prost_types::Any { type_url, value: value.to_vec() }),
            metadata: HashMap::new(),
        }],
    }
}

async fn stored(suite: &Suite, task: &str, key: &str) -> Vec<u8> {
    let url = suite.manifest().database_url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let key = format!("{APP_ID}||{ACTOR_TYPE}||{task}||{key}");
    let select = format!("SELECT value FROM {STATE_TABLE} WHERE key = $1");
    client.query_one(&select, &[&key]).await.unwrap().get(0)
}

#[test]
fn the_fence_refuses_a_stale_write_through_the_sidecar_by_its_sqlstate() {
    gentle(async |suite| {
        let task = suite.task("fence").due(in_ms(3_600_000));
        task.put().await;
        let first = stored(suite, &task.id, STATE_KEY).await;
        task.complete().await;
        let second = stored(suite, &task.id, STATE_KEY).await;
        let mut client = grpc(suite).await;
        let stale = client.execute_actor_state_transaction(upsert(&task.id, STATE_KEY, &first));
        let refused = stale.await.unwrap_err();
        assert!(refused.message().contains("RS001"), "{refused:?}");
        // The same bytes again are a retry.
        client.execute_actor_state_transaction(upsert(&task.id, STATE_KEY, &second)).await.unwrap();
        assert_eq!(stored(suite, &task.id, STATE_KEY).await, second);
        assert_eq!(task.get().await["version"], 2);
    });
}

#[test]
fn state_bytes_are_stored_as_they_are() {
    gentle(async |suite| {
        let task = suite.task("bytes").due(in_ms(3_600_000));
        task.put().await;
        let bytes = b"\x00\xffnot JSON\n\xc3\x28";
        let mut client = grpc(suite).await;
        client.execute_actor_state_transaction(upsert(&task.id, "bytes", bytes)).await.unwrap();
        assert_eq!(stored(suite, &task.id, "bytes").await, bytes);
    });
}

#[test]
fn the_sidecar_keeps_the_attributes_of_an_event_and_its_key() {
    gentle(async |suite| {
        let reader = Reader::connect(&suite.manifest().kafka_bootstrap().unwrap()).await.unwrap();
        let mut tail = reader.live(&[REMINDERS_DLQ]).await.unwrap();
        let id = fresh("kept");
        let event = json!({
            "specversion": "1.0", "id": id, "source": "/ours", "type": "our.type",
            "subject": format!("task:{id}"), "time": "2026-01-02T03:04:05.678Z",
            "datacontenttype": "application/json", "dataschema": "https://example.org/s",
            "correlationid": "c", "userid": "u", "sequence": "0000000001", "data": { "a": 1 },
            // Without a `traceid` the sidecar would put its own trace in the place of ours.
            "traceparent": TRACE, "traceid": TRACE,
        });
        let message = PublishEventRequest {
            pubsub_name: PUBSUB.into(),
            topic: REMINDERS_DLQ.into(),
            data: event.to_string().into_bytes(),
            data_content_type: CONTENT_TYPE.into(),
            metadata: HashMap::from([("partitionKey".to_owned(), id.clone())]),
        };
        grpc(suite).await.publish_event(message).await.unwrap();
        let wanted = tail.find_within(EVENT_DEADLINE, |r| r.key.as_deref() == Some(&*id)).await;
        let record = wanted.expect("it comes under its key");
        // It is no event of ours, so its envelope is read as it is.
        let envelope = record.json().unwrap();
        for (name, value) in event.as_object().unwrap() {
            assert_eq!(&envelope[name], value, "{name}");
        }
    });
}
