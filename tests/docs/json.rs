//! Every JSON block parses; answers, problems and events are such as the service gives.

use crate::pages::{page, pages, root};
use reminder_contract::cloud_event::{CloudEvent, EventData, topic_name};
use reminder_contract::rest::{BatchAnswer, Page, ReminderItem};
use reminder_contract::wire::{
    CommandAnswer, ExplanationView, PreviewView, TaskView, UserAnswer, UserPaused, UserView,
    parse_user_put,
};
use reminder_contract::{EventType, Problem};
use reminder_domain::Topic;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a block shows.
fn check(json: &Value, text: &str) -> Result<(), String> {
    let has = |name: &str| json.get(name).is_some();
    if has("specversion") {
        check_event(json, text)
    } else if has("title") && has("type") {
        check_problem(text)
    } else if has("items") {
        rest::<Page<ReminderItem>>(json)
    } else if has("results") {
        rest::<BatchAnswer>(json)
    } else if has("firings") {
        serde_json::from_str::<PreviewView<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else if has("verdict") {
        let read = serde_json::from_str::<ExplanationView<'_>>(text);
        read.map(drop).map_err(|error| error.to_string())
    } else if has("reminders") && has("taskId") {
        serde_json::from_str::<TaskView<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else if has("pausedSince") && !has("preferences") {
        serde_json::from_str::<UserPaused<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else if has("userId") && has("tasks") {
        serde_json::from_str::<UserView<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else if has("userId") && has("version") {
        serde_json::from_str::<UserAnswer<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else if has("preferences") && !has("task") {
        parse_user_put(text.as_bytes()).map(drop).map_err(|problem| problem.to_string())
    } else if has("nextReminderAt") {
        serde_json::from_str::<CommandAnswer<'_>>(text).map(drop).map_err(|error| error.to_string())
    } else {
        Ok(())
    }
}

/// What the REST edge answers is read and written again as it was.
fn rest<T: DeserializeOwned + Serialize>(json: &Value) -> Result<(), String> {
    let read: T = serde_json::from_value(json.clone()).map_err(|error| error.to_string())?;
    let again = serde_json::to_value(read).map_err(|error| error.to_string())?;
    if again == *json { Ok(()) } else { Err(format!("it would be {again}")) }
}

fn check_event(json: &Value, text: &str) -> Result<(), String> {
    let event: CloudEvent<'_, EventData<'_>> =
        CloudEvent::read(text.as_bytes()).map_err(|error| error.to_string())?;
    let path = format!("schemas/{}/v1.json", event.event_type);
    let schema = std::fs::read_to_string(root().join(path)).map_err(|error| error.to_string())?;
    let schema: Value = serde_json::from_str(&schema).map_err(|error| error.to_string())?;
    let validator = jsonschema::options().should_validate_formats(true).build(&schema);
    let validator = validator.map_err(|error| error.to_string())?;
    validator.validate(json).map_err(|error| error.to_string())
}

fn check_problem(text: &str) -> Result<(), String> {
    let problem: Problem = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let kind = problem.kind().ok_or("its type is none of ours")?;
    if (problem.status, &*problem.title) == (kind.status(), kind.title()) {
        Ok(())
    } else {
        Err(format!("a {kind:?} has another status or title"))
    }
}

#[test]
fn json_blocks_are_what_the_service_gives() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "json") {
            count += 1;
            let verdict = serde_json::from_str(&block.text)
                .map_err(|error| error.to_string())
                .and_then(|json| check(&json, &block.text));
            if let Err(error) = verdict {
                wrong.push(format!("{}: {error}", page.place(block)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "there are examples");
}

#[test]
fn every_type_of_event_has_an_example_and_its_schema_linked() {
    for topic in [Topic::TaskEvents, Topic::Reminders, Topic::TaskUpdates] {
        let page = page(&reminder_contract::pages::path(topic));
        let shown: BTreeSet<String> = page
            .blocks
            .iter()
            .filter_map(|block| serde_json::from_str::<Value>(&block.text).ok())
            .filter_map(|json| json["type"].as_str().map(str::to_owned))
            .collect();
        let types = EventType::ALL.iter().filter(|event_type| event_type.topic() == topic);
        let all: BTreeSet<String> =
            types.clone().map(|event_type| event_type.as_str().to_owned()).collect();
        assert_eq!(shown, all, "{}", page.path.display());
        for event_type in types {
            let schema = format!("../../{}", reminder_contract::schemas::path(*event_type));
            assert!(page.links.contains(&schema), "{schema} is not linked");
        }
    }
}

#[test]
fn the_list_of_schemas_has_every_type_with_its_topic() {
    let page = page("schemas/README.md");
    let told: BTreeMap<String, String> = page
        .rows_under("Event schemas")
        .iter()
        .map(|cells| (cells[0].clone(), cells[1].clone()))
        .collect();
    for topic in [Topic::TaskEvents, Topic::Reminders, Topic::TaskUpdates] {
        let types = EventType::ALL.iter().filter(|event_type| event_type.topic() == topic);
        let types: Vec<&str> = types.map(|event_type| event_type.as_str()).collect();
        assert_eq!(told[topic_name(topic)], types.join(", "));
    }
    for event_type in EventType::ALL {
        let link = format!("{}/v1.json", event_type.as_str());
        assert!(page.links.contains(&link), "{link} is not linked");
    }
}
