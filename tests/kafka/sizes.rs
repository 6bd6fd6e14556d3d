//! From 100 bytes to the largest, and one byte more: commands and messages, each refused where it would
//! be too large, before anything is done.

use crate::suite::{Answer, Suite, TOPICS, test};
use reminder_contract::names::{PUBSUB, TASK_EVENTS, TASK_UPDATES, TASK_UPDATES_DLQ};
use reminder_contract::size::{EVENT_MAX_BYTES, MESSAGE_MAX_BYTES};
use reminder_domain::limits::{self, PAYLOAD_MAX_BYTES};
use reminder_stack::events::Record;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Sizes of a command's body.
const BODIES: [usize; 7] =
    [100, 1_000, 10_000, 30_000, 60_000, PAYLOAD_MAX_BYTES - 1, PAYLOAD_MAX_BYTES];

/// Tasks as large as they get, changed at once: together they are far above the limit of a message.
const LARGE_TASKS: usize = 32;

/// A put of exactly so many bytes.
fn body_of(bytes: usize) -> (String, String) {
    let body = |text: &str| {
        json!({ "task": { "title": "t", "userId": "u@example.org", "description": text } })
            .to_string()
    };
    let room = bytes - body("").len();
    // Letters of four bytes, since a description is bounded in characters.
    let text = format!("{}{}", "\u{1f600}".repeat(room / 4), "a".repeat(room % 4));
    let body = body(&text);
    assert_eq!(body.len(), bytes);
    (body, text)
}

#[test]
fn bodies_up_to_the_limit_are_published_whole_and_larger_ones_refused_before() {
    test(async |suite| {
        let mut watch = suite.follow(&TOPICS).await;
        for bytes in BODIES {
            let (task, (body, text)) = (suite.unique("size"), body_of(bytes));
            let answer = suite.call(1, &task, "put", body).await;
            assert_eq!(answer.status, 200, "{bytes} bytes: {}", answer.body);
            for topic in [TASK_EVENTS, TASK_UPDATES] {
                let record = watch.first(topic, &task).await;
                assert_eq!(record.json().unwrap()["data"]["description"], text, "{bytes} bytes");
                assert!(record.payload.len() <= EVENT_MAX_BYTES, "{}", record.payload.len());
            }
        }
        let (task, (body, _)) = (suite.unique("size"), body_of(PAYLOAD_MAX_BYTES + 1));
        let Answer { status, body } = suite.call(1, &task, "put", body).await;
        assert_eq!(status, 413, "{body}");
        assert!(body["type"].as_str().unwrap().ends_with("/payload-too-large"), "{body}");
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains(&PAYLOAD_MAX_BYTES.to_string()), "the limit is named: {detail}");
        // Nothing half done: there is no task, and nobody was told of one.
        assert_eq!(suite.call(1, &task, "get", "").await.status, 404);
        let told = watch.all(&TOPICS).await;
        assert!(told.iter().all(|record| record.key.as_deref() != Some(&task)));
    });
}

/// A task with as much as a body of 64 KiB can say, in letters that JSON makes two of.
fn largest(number: usize) -> Value {
    let text = |chars: usize| "\"".repeat(chars);
    let person = format!("{}@example.org", text(limits::PERSON_MAX_CHARS - 12));
    let reminders: Vec<Value> = (0..limits::REMINDERS_MAX)
        .map(|n| json!({ "id": format!("{n:0>64}"), "at": format!("2030-01-01T00:{n:02}:00Z") }))
        .collect();
    let tags: Vec<String> = (0..limits::TAGS_MAX)
        .map(|n| format!("{}{n:02}", text(limits::TAG_MAX_CHARS - 2)))
        .collect();
    json!({
        "title": format!("{}{number:02}", text(limits::TITLE_MAX_CHARS - 2)),
        "description": text(limits::DESCRIPTION_MAX_CHARS),
        "userId": person, "assignee": person, "createdBy": person,
        "tags": tags, "reminders": reminders,
    })
}

async fn put_largest(suite: &'static Suite, number: usize) -> String {
    let (task, replica) = (suite.unique("largest"), if number.is_multiple_of(2) { 1 } else { 2 });
    suite.put(replica, &task, largest(number)).await;
    task
}

#[test]
fn the_largest_tasks_are_published_all_at_once() {
    test(async |suite| {
        let mut watch = suite.follow(&TOPICS).await;
        let mut puts = JoinSet::new();
        (0..LARGE_TASKS).for_each(|number| drop(puts.spawn(put_largest(suite, number))));
        let tasks = puts.join_all().await;
        let mut sizes = Vec::new();
        for task in &tasks {
            let sync = watch.first(TASK_UPDATES, task).await;
            let reminders = sync.json().unwrap()["data"]["reminders"].as_array().unwrap().len();
            assert_eq!(reminders, limits::REMINDERS_MAX);
            sizes.push(sync.payload.len());
            let updated = watch.first(TASK_EVENTS, task).await;
            assert!(updated.payload.len() <= EVENT_MAX_BYTES);
        }
        let (all, most) = (sizes.iter().sum::<usize>(), *sizes.iter().max().unwrap());
        println!("{LARGE_TASKS} events of up to {most} bytes, {all} in all");
        // Each is far below the bound, which supposes six bytes for each character; together they are
        // no single message.
        assert!(most > 2 * limits::DESCRIPTION_MAX_CHARS && most <= EVENT_MAX_BYTES, "{most}");
        assert!(all > MESSAGE_MAX_BYTES, "{all}");
    });
}

/// What the Kafka client of the sidecar counts of a message beside its value: framing, and of each header
/// its name, its value and ten bytes.
const FRAMING_BYTES: usize = 36 + (10 + "rawPayload".len() + "true".len());

/// Publishes bytes as they are, through the sidecar.
async fn publish(suite: &Suite, bytes: Vec<u8>) -> (u16, String) {
    let port = suite.sidecar(1);
    let url = format!(
        "http://127.0.0.1:{port}/v1.0/publish/{PUBSUB}/{TASK_UPDATES_DLQ}?metadata.rawPayload=true"
    );
    let request = suite.client.post(url).header("content-type", "application/octet-stream");
    let answer = request.body(bytes).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[test]
fn messages_up_to_the_limit_reach_the_broker_and_larger_ones_are_refused_by_the_sidecar() {
    test(async |suite| {
        let mut watch = suite.follow(&[TASK_UPDATES_DLQ]).await;
        let largest = MESSAGE_MAX_BYTES - FRAMING_BYTES;
        let mark = suite.unique("raw");
        let message = |bytes: usize| {
            let mut message = mark.clone().into_bytes();
            message.resize(bytes, b'.');
            message
        };
        let accepted = [100, 10_000, 100_000, largest];
        for bytes in accepted {
            let (status, said) = publish(suite, message(bytes)).await;
            assert_eq!(status, 204, "{bytes} bytes: {said}");
        }
        let (status, said) = publish(suite, message(largest + 1)).await;
        assert_eq!(status, 500, "{said}");
        let said: Value = serde_json::from_str(&said).unwrap();
        let said = said["message"].as_str().unwrap();
        let why = format!("MaxMessageBytes: {} > {MESSAGE_MAX_BYTES}", MESSAGE_MAX_BYTES + 1);
        assert!(said.contains(&why), "{said}");

        // What comes after it is there, and it is not.
        assert_eq!(publish(suite, message(101)).await.0, 204);
        let ours = |record: &&Record| record.payload.starts_with(mark.as_bytes());
        let sizes = |records: &[Record]| -> Vec<usize> {
            records.iter().filter(ours).map(|record| record.payload.len()).collect()
        };
        let last = |one: &Record| ours(&one) && one.payload.len() == 101;
        watch.find("the last message", last).await;
        let expected = [&accepted[..], &[101]].concat();
        assert_eq!(sizes(&watch.all(&[TASK_UPDATES_DLQ]).await), expected);
    });
}
