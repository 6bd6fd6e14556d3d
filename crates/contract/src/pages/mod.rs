//! A page of documentation per topic, made of the schemas and the `AsyncAPI` document, as committed under
//! `docs/events/`.

mod shape;

use crate::cloud_event::{EventType, topic_name};
use crate::schemas;
use reminder_domain::Topic;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is said of a page before its text.
const NOTE: &str =
    "<!-- Written by `cargo xtask schemas`: change the comments in crates/contract. -->";

const MS_PER_HOUR: u64 = 60 * 60 * 1000;

/// Where the page of a topic is committed, below the repository's root.
pub fn path(topic: Topic) -> String {
    format!("docs/events/{}.md", topic_name(topic))
}

/// The page of a topic. `asyncapi` is the document of [`crate::asyncapi`].
pub fn page(topic: Topic, asyncapi: &Value) -> String {
    let name = topic_name(topic);
    let types: Vec<EventType> =
        EventType::ALL.iter().copied().filter(|event_type| event_type.topic() == topic).collect();
    let all: Vec<(EventType, Value)> =
        types.iter().map(|event_type| (*event_type, schemas::schema(*event_type))).collect();
    let shapes = shared(&all);
    let channel = &asyncapi["channels"][name];
    let mut text = format!("# {name}\n\n{NOTE}\n\n{}\n\n", text_of(channel, "description"));
    text += "The [rules for consumers](../events.md#what-a-consumer-does) and the \
             [attributes](../events.md#attributes) are those of every topic; the whole mesh is in \
             [asyncapi.json](../../schemas/asyncapi.json).\n\n";
    text += &settings(channel, name);
    text += &who(asyncapi, name);
    for (event_type, schema) in &all {
        text += &section(*event_type, schema, &asyncapi["components"]["messages"], &shapes);
    }
    if !shapes.is_empty() {
        text += "## Shapes\n\nParts that several of the above have.\n\n";
    }
    for (name, shape) in &shapes {
        let _ = write!(
            text,
            "### {}\n\n{}\n\n{}",
            shape::heading(name),
            text_of(shape, "description"),
            shape::fields(shape)
        );
    }
    text.trim_end().to_owned() + "\n"
}

/// The parts that have a place of their own: whatever the data of a type refer to, and data that several
/// types share.
fn shared(all: &[(EventType, Value)]) -> BTreeMap<String, Value> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shapes = BTreeMap::new();
    for (_, schema) in all {
        *uses.entry(shape::data_name(schema)).or_default() += 1;
    }
    for (_, schema) in all {
        for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
            let is_own_data = name == shape::data_name(schema) && uses[name.as_str()] == 1;
            if !is_own_data {
                shapes.insert(name.clone(), part.clone());
            }
        }
    }
    shapes
}

fn settings(channel: &Value, name: &str) -> String {
    let kafka = &channel["bindings"]["kafka"];
    let configuration = &kafka["topicConfiguration"];
    let hours = configuration["retention.ms"].as_u64().unwrap_or_default() / MS_PER_HOUR;
    let cleanup = configuration["cleanup.policy"].as_array().into_iter().flatten();
    let cleanup: Vec<&str> = cleanup.filter_map(Value::as_str).collect();
    format!(
        "| Setting | Value |\n|---|---|\n| Key | the task id |\n| Partitions | {} |\n\
         | Replicas | {}, of which {} must have a record |\n| Kept | {hours} h |\n\
         | Cleanup | `{}` |\n| Dead letters | `{name}-dlq` |\n\n",
        kafka["partitions"],
        kafka["replicas"],
        configuration["min.insync.replicas"],
        cleanup.join(","),
    )
}

/// Who tells and who listens, by the operations.
fn who(asyncapi: &Value, topic: &str) -> String {
    let mut rows: BTreeMap<&str, [Vec<String>; 2]> = BTreeMap::new();
    let channel = format!("#/channels/{topic}");
    for operation in asyncapi["operations"].as_object().into_iter().flatten().map(|(_, it)| it) {
        if operation["channel"]["$ref"] != channel.as_str() {
            continue;
        }
        let member = text_of(&operation["tags"][0], "name");
        let sides = rows.entry(member).or_default();
        let side = usize::from(operation["action"] == "receive");
        let messages = operation["messages"].as_array().into_iter().flatten();
        let names = messages.filter_map(|message| text_of(message, "$ref").rsplit('/').next());
        sides[side].extend(names.map(|name| format!("[`{name}`](#{})", anchor(name))));
    }
    let mut text = "| Member | Tells | Listens to |\n|---|---|---|\n".to_owned();
    for (member, [tells, listens]) in rows {
        let cell = |names: &[String]| {
            if names.is_empty() { "-".to_owned() } else { names.join(", ") }
        };
        let _ = writeln!(text, "| `{member}` | {} | {} |", cell(&tells), cell(&listens));
    }
    text + "\n"
}

fn section(
    event_type: EventType,
    schema: &Value,
    messages: &Value,
    shapes: &BTreeMap<String, Value>,
) -> String {
    let name = event_type.as_str();
    let sources: Vec<String> =
        event_type.publisher().sources().iter().map(|source| format!("`{source}`")).collect();
    let mut text = format!(
        "## {name}\n\n{} Its `source` is {}. [Schema](../../schemas/{name}/v1.json).\n\n",
        event_type.about(),
        sources.join(" or "),
    );
    let data = shape::data_name(schema);
    if shapes.contains_key(data) {
        let _ = write!(text, "Its data: {}.\n\n", shape::link(data));
    } else {
        text += &shape::fields(&schema["$defs"][data]);
    }
    for example in messages[name]["examples"].as_array().into_iter().flatten() {
        let payload = schemas::pretty(example["payload"].clone());
        let _ = write!(text, "```json\n{payload}```\n\n");
    }
    text
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace('.', "").replace(' ', "-")
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
