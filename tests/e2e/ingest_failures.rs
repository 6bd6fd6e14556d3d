//! Ingestion while something is wrong: with an event, the service, the database.

use crate::api::Task;
use crate::ingest::{followed, publish, tell, told, versions};
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use reminder_contract::dead_letter::{
    CUT_FROM, DETAIL, EVENT_ID, FAILED_AT, FAILED_BY, ORIGIN_OFFSET, ORIGIN_PARTITION,
    ORIGIN_TOPIC, REASON, VALUE_MAX_BYTES,
};
use reminder_contract::names::{APP_ID, TASK_EVENTS, TASK_EVENTS_DLQ};
use reminder_contract::size::MESSAGE_MAX_BYTES;
use reminder_stack::events::{Reader, Record};
use reminder_stack::{Part, probe};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Tasks and versions of a backlog.
const TASKS: usize = 30;
const VERSIONS: u64 = 5;

/// Until a backlog is followed while the machine is busy and parts come back.
const BACKLOG_DEADLINE: Duration = Duration::from_secs(150);

async fn dead_letters(suite: &Suite) -> Vec<Record> {
    let bootstrap = suite.manifest().kafka_bootstrap().unwrap();
    let reader = Reader::connect(&bootstrap).await.unwrap();
    reader.read(&[TASK_EVENTS_DLQ], &BTreeMap::new()).await.unwrap()
}

fn header<'a>(record: &'a Record, name: &str) -> &'a str {
    record.headers.get(name).map_or("", |value| std::str::from_utf8(value).unwrap())
}

#[test]
fn what_cannot_be_understood_is_put_away_with_its_reason_and_blocks_nobody() {
    gentle(async |suite| {
        let task = suite.task("poisoned");
        let key = task.id.as_str();
        let nonsense = format!("\u{1}nonsense of {key}").into_bytes();
        publish(
            suite,
            key,
            "application/octet-stream",
            "&metadata.rawPayload=true",
            nonsense.clone(),
        )
        .await;
        let mut untitled = told(key, "task.created", 1, &json!({}));
        untitled["data"].as_object_mut().unwrap().remove("title");
        tell(suite, &untitled).await;
        tell(suite, &told(key, "task.created", 2, &json!({ "dueDate": "2199-01-01T00:00:00Z" })))
            .await;
        // They share a partition: what comes behind them is followed all the same.
        tell(suite, &told(key, "task.created", 3, &json!({}))).await;
        followed(&task, 3, EVENT_DEADLINE).await;

        let of_this_task = || async {
            let all = dead_letters(suite).await;
            let own: Vec<_> =
                all.into_iter().filter(|one| one.key.as_deref() == Some(key)).collect();
            (own.len() >= 3).then_some(own)
        };
        let mut letters =
            probe::until(EVENT_DEADLINE, of_this_task).await.expect("three dead letters");
        assert_eq!(letters.len(), 3);
        letters.sort_by_key(|letter| header(letter, ORIGIN_OFFSET).parse::<i64>().unwrap());
        let reasons: Vec<_> = letters.iter().map(|letter| header(letter, REASON)).collect();
        assert_eq!(reasons, ["malformed", "invalid", "refused"]);
        let [malformed, invalid, refused] = &letters[..] else { panic!("three") };
        assert_eq!(malformed.payload, nonsense, "byte for byte");
        assert_eq!(invalid.json().unwrap()["id"], untitled["id"]);
        assert_eq!(header(invalid, DETAIL), "title is missing");
        assert_eq!(header(invalid, EVENT_ID), untitled["id"].as_str().unwrap());
        assert!(header(refused, DETAIL).starts_with("task.dueDate"), "{}", header(refused, DETAIL));
        for letter in &letters {
            assert_eq!(header(letter, ORIGIN_TOPIC), TASK_EVENTS);
            assert_eq!(header(letter, FAILED_BY), APP_ID);
            assert!(header(letter, ORIGIN_PARTITION).parse::<u32>().is_ok());
            assert!(chrono::DateTime::parse_from_rfc3339(header(letter, FAILED_AT)).is_ok());
        }
    });
}

#[test]
fn a_record_that_is_too_large_for_a_letter_is_put_away_by_its_beginning_and_blocks_nobody() {
    gentle(async |suite| {
        let task = suite.task("vast");
        let key = task.id.as_str();
        // It fits into a message; with the reason in its headers it would not.
        let vast = vec![b'x'; MESSAGE_MAX_BYTES - 500];
        let raw = "&metadata.rawPayload=true";
        publish(suite, key, "application/octet-stream", raw, vast.clone()).await;
        tell(suite, &told(key, "task.created", 1, &json!({}))).await;
        followed(&task, 1, EVENT_DEADLINE).await;
        let of_this_task = || async {
            let all = dead_letters(suite).await;
            all.into_iter().find(|one| one.key.as_deref() == Some(key))
        };
        let letter = probe::until(EVENT_DEADLINE, of_this_task).await.expect("a dead letter");
        assert_eq!(header(&letter, REASON), "malformed");
        assert_eq!(header(&letter, CUT_FROM), vast.len().to_string());
        assert_eq!(letter.payload, vast[..VALUE_MAX_BYTES]);
    });
}

/// Publishes all versions of all tasks, version by version.
async fn backlog(suite: &'static Suite, name: &str) -> Vec<Task> {
    let tasks: Vec<_> = (0..TASKS).map(|_| suite.task(name)).collect();
    for version in 1..=VERSIONS {
        for task in &tasks {
            tell(suite, &told(&task.id, "task.updated", version, &json!({}))).await;
        }
    }
    tasks
}

/// Every task is at the last version, has come there step by step, and nothing is a dead letter.
async fn all_followed(suite: &Suite, tasks: &[Task]) {
    for task in tasks {
        followed(task, VERSIONS, BACKLOG_DEADLINE).await;
        let expected: Vec<_> = (1..=VERSIONS).collect();
        assert_eq!(versions(task), expected, "{}", task.id);
    }
    let letters = dead_letters(suite).await;
    let of_tasks =
        |letter: &&Record| tasks.iter().any(|task| letter.key.as_ref() == Some(&task.id));
    assert_eq!(letters.iter().find(of_tasks), None, "nothing was wrong with any of them");
}

#[test]
fn a_backlog_survives_the_service_being_killed_in_the_middle() {
    disruptive(async |suite| {
        suite.kill(Part::App(1)).await;
        let tasks = backlog(suite, "backlog").await;
        suite.start(Part::App(1)).await;
        followed(&tasks[0], 1, RECOVERY_DEADLINE).await;
        suite.kill(Part::App(1)).await;
        suite.start_and_wait(Part::App(1)).await;
        all_followed(suite, &tasks).await;
    });
}

#[test]
fn events_wait_for_postgres_and_are_followed_in_order_when_it_is_back() {
    disruptive(async |suite| {
        suite.stop(Part::Postgres).await;
        let tasks = backlog(suite, "no-database").await;
        assert!(tasks.iter().all(|task| task.events().is_empty()));
        suite.start_and_wait(Part::Postgres).await;
        all_followed(suite, &tasks).await;
    });
}
