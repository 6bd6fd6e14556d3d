//! The worked examples of docs/time.md, worked out.

use crate::pages::page;
use reminder_contract::wire::{self, Method};
use reminder_domain::decide::{Turn, decide, decide_wake};
use reminder_domain::preferences::KnownPreferences;
use reminder_domain::preview::preview;
use reminder_domain::{Fact, TaskId, TaskState, Timestamp};
use serde_json::{Value, json};

/// When the examples take place unless they say so.
const NOW: &str = "2027-01-02T00:00:00Z";

fn time(text: &Value) -> Timestamp {
    Timestamp::parse(text.as_str().unwrap()).unwrap()
}

fn known(example: &Value) -> Option<KnownPreferences> {
    let preferences = serde_json::from_value(example.get("preferences")?.clone()).unwrap();
    Some(KnownPreferences { version: 1, preferences, ..KnownPreferences::default() })
}

/// Puts the task; answers its state and the rules that the answer names.
fn put(example: &Value, now: Timestamp) -> (TaskState, Vec<String>) {
    let body = json!({ "task": example["task"] }).to_string();
    let command = wire::parse_command(Method::Put, body.as_bytes()).unwrap();
    let id = TaskId::parse("example").unwrap();
    let turn = decide(&id, None, &command, known(example).as_ref(), now).unwrap();
    let Turn::Commit(change) = turn else { panic!("a put of a new task commits") };
    let rules =
        change.answer.adjusted.iter().map(|adjusted| adjusted.step.rule.as_str().to_owned());
    (change.state, rules.collect())
}

fn check(example: &Value) -> Result<(), String> {
    let now = example.get("now").map_or_else(|| Timestamp::parse(NOW).unwrap(), time);
    let (mut state, adjusted) = put(example, now);
    let expected: Vec<Timestamp> = example["fires"].as_array().unwrap().iter().map(time).collect();
    let mut fired = Vec::new();
    if let Some(again) = example.get("awakeAgain").map(time) {
        let Turn::Commit(change) = decide_wake(&state, again) else {
            return Err("nothing was missed".into());
        };
        for event in &change.events {
            if let Fact::ReminderTriggered(triggered) = &event.fact {
                fired.push(triggered.scheduled_for);
                if json!(triggered.coalesced) != example["coalesced"] {
                    return Err(format!("it stands for {}", triggered.coalesced));
                }
            }
        }
        state = change.state;
    }
    let left = expected.len() - fired.len();
    fired.extend(preview(&state, now, left).iter().map(|firing| firing.triggered.scheduled_for));
    if fired != expected {
        return Err(format!("it fires at {fired:?}"));
    }
    let told = example.get("adjusted").cloned().unwrap_or_else(|| json!([]));
    if told == json!(adjusted) { Ok(()) } else { Err(format!("the answer says {adjusted:?}")) }
}

#[test]
fn every_worked_example_is_right() {
    let page = page("docs/time.md");
    let mut wrong = Vec::new();
    let mut count = 0;
    for block in page.blocks.iter().filter(|block| block.language == "json") {
        let example: Value = serde_json::from_str(&block.text).unwrap();
        if example.get("fires").is_none() {
            continue;
        }
        count += 1;
        if let Err(error) = check(&example) {
            wrong.push(format!("{}: {error}", page.place(block)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 14, "there are examples of every rule");
}
