//! Many callers change the same tasks through two replicas at once: whoever reads the broker sees each
//! task's events in order, and none is missing.

use crate::suite::{Suite, TOPICS, test};
use reminder_contract::names::REMINDERS;
use reminder_stack::events::Record;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use tokio::task::JoinSet;

/// Tasks, callers of each, and what each caller sends.
const TASKS: usize = 5;
const CALLERS: usize = 6;
const PUTS: usize = 6;

/// The task, the topic and the number of one of our events.
fn place(record: &Record) -> (String, String, u64) {
    let event = record.json().unwrap();
    let sequence = event["sequence"].as_str().unwrap().parse().unwrap();
    (record.key.clone().unwrap(), record.topic.clone(), sequence)
}

/// Numbers by task and topic, in the order of the broker, repeats dropped.
fn sequences(records: &[Record]) -> HashMap<(String, String), Vec<u64>> {
    let mut known = HashSet::new();
    let mut found: HashMap<_, Vec<u64>> = HashMap::new();
    for record in records {
        let (task, topic, sequence) = place(record);
        if known.insert((task.clone(), topic.clone(), sequence)) {
            found.entry((task, topic)).or_default().push(sequence);
        }
    }
    found
}

async fn caller(suite: &'static Suite, task: String, caller: usize) {
    for put in 0..PUTS {
        let replica = if (caller + put).is_multiple_of(2) { 1 } else { 2 };
        let fields = json!({
            "title": format!("Put {put} of {caller}"), "userId": "u@example.org",
            // Another one each time, so that `reminders` has events of each put too.
            "dueDate": format!("2030-01-{:02}T{:02}:00:00Z", 1 + caller, put),
        });
        suite.put(replica, &task, fields).await;
    }
}

#[test]
fn events_of_a_task_are_in_order_and_complete_whoever_changes_it() {
    test(async |suite| {
        let mut watch = suite.follow(&TOPICS).await;
        let tasks: Vec<String> = (0..TASKS).map(|_| suite.unique("order")).collect();
        let mut callers = JoinSet::new();
        for task in &tasks {
            (0..CALLERS).for_each(|n| drop(callers.spawn(caller(suite, task.clone(), n))));
        }
        callers.join_all().await;
        // Every put is a version of its own, and each version is told once on these two topics.
        let puts = (CALLERS * PUTS) as u64;
        let is_ours =
            |record: &Record| tasks.iter().any(|task| record.key.as_deref() == Some(task));
        let mut ended = HashSet::new();
        let last_of_all = |record: &Record| {
            if is_ours(record) && record.topic != REMINDERS {
                let (task, topic, sequence) = place(record);
                (sequence == puts).then(|| ended.insert((task, topic)));
            }
            ended.len() == 2 * TASKS
        };
        watch.find("the last events of each task", last_of_all).await;
        // As it lies there, not as it came: partitions are read side by side.
        let mut records = watch.all(&TOPICS).await;
        records.retain(is_ours);
        let found = sequences(&records);
        assert_eq!(found.len(), TASKS * TOPICS.len(), "{:?}", found.keys());
        for ((task, topic), numbers) in found {
            let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
            assert_eq!(numbers, expected, "{task} on {topic}");
            assert!(numbers.len() as u64 >= puts, "{task} on {topic}");
        }
    });
}
