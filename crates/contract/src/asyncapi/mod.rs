//! The `AsyncAPI` 3 document of the mesh: topics, types of event, who tells and who listens. Generated from
//! the tables of this crate, as committed under `schemas/`.

mod members;

use crate::cloud_event::{CONTENT_TYPE, EventType, topic_name};
use crate::dead_letter;
use crate::names;
use crate::topics::{self, TOPICS};
use members::{MEMBERS, Member};
use reminder_domain::Topic;
use serde_json::{Map, Value, json};

/// Where it is committed, below the repository's root.
pub const PATH: &str = "schemas/asyncapi.json";

/// Of the bindings to Kafka.
const BINDING_VERSION: &str = "0.5.0";

/// The name of the one message on the dead-letter topics.
const DEAD_LETTER: &str = "dead-letter";

/// The topics that members talk on, each with what it is for.
const ABOUT: [(Topic, &str); 3] = [
    (
        Topic::TaskEvents,
        "What happens to tasks. Each event is a whole snapshot, since the topic is compacted: the last \
         event of a task says all of it. There are no tombstones; a `status` of `deleted` says that a \
         task is gone.",
    ),
    (Topic::Reminders, "What happens to reminders: scheduled, fired, put off, seen, called off."),
    (
        Topic::TaskUpdates,
        "For live front ends: a snapshot with every change, short-lived. Who has missed some asks the \
         owner of the tasks.",
    ),
];

/// What each header of a dead letter tells.
const DEAD_LETTER_HEADERS: [(&str, &str); 10] = [
    (dead_letter::REASON, "Why it could not be handled, in a word."),
    (dead_letter::DETAIL, "The same in words, naming the field at fault."),
    (dead_letter::ORIGIN_TOPIC, "The topic that it was consumed from."),
    (dead_letter::ORIGIN_PARTITION, "The partition there."),
    (dead_letter::ORIGIN_OFFSET, "The offset there."),
    (dead_letter::EVENT_ID, "The id of the event, as far as it could be read."),
    (dead_letter::FAILED_AT, "When it was given up, RFC 3339 in UTC."),
    (dead_letter::FAILED_BY, "The Dapr app id of who gave it up."),
    (dead_letter::CORRELATION_ID, "The flow that it belongs to, as far as it could be read."),
    (
        dead_letter::CUT_FROM,
        "How many bytes the record has, where the letter holds only the first of them.",
    ),
];

/// The document. `examples` are events of a type as they were really told.
pub fn document(examples: &dyn Fn(EventType) -> Vec<Value>) -> Value {
    let messages = EventType::ALL.iter().map(|&event_type| {
        (event_type.as_str().to_owned(), message(event_type, examples(event_type)))
    });
    let messages = messages.chain([(DEAD_LETTER.to_owned(), dead_letter_message())]);
    json!({
        "asyncapi": "3.0.0",
        "id": "https://reminder-scheduler.dev/schemas/asyncapi.json",
        "info": info(),
        "defaultContentType": CONTENT_TYPE,
        "servers": servers(),
        "channels": channels(),
        "operations": operations(),
        "components": {
            "messages": messages.collect::<Map<_, _>>(),
            "correlationIds": { "flow": {
                "description": "The flow that an event belongs to, through every member.",
                "location": "$message.payload#/correlationid",
            } },
            "securitySchemes": { "scram": {
                "type": "scramSha512",
                "description": "SASL/SCRAM over TLS, with credentials from the secret store.",
            } },
        },
    })
}

fn info() -> Value {
    let members = MEMBERS.iter().map(|member| format!("- `{}` {}", member.app_id, member.about));
    let members = members.collect::<Vec<_>>().join("\n");
    json!({
        "title": "The event mesh of the reminder scheduler",
        "version": env!("CARGO_PKG_VERSION"),
        "description": format!(
            "Events are CloudEvents 1.0 in structured mode, delivered at least once and in order per \
             task, published through Dapr's component `{}`. The members:\n\n{members}",
            names::PUBSUB
        ),
        "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        "tags": MEMBERS.iter().map(tag).collect::<Vec<_>>(),
    })
}

fn tag(member: &Member) -> Value {
    json!({ "name": member.app_id, "description": format!("It {}.", member.about) })
}

fn servers() -> Value {
    json!({
        "local": {
            "host": "localhost:9092",
            "protocol": "kafka",
            "description": "One broker, as `cargo xtask up` and compose start it; status shows the port.",
        },
        "production": {
            "host": "{bootstrap}",
            "protocol": "kafka-secure",
            "description": "A cluster of three brokers or more.",
            "variables": { "bootstrap": {
                "default": "kafka-kafka-bootstrap.kafka.svc:9093",
                "description": "Where the cluster is, `host:port`.",
            } },
            "security": [{ "$ref": "#/components/securitySchemes/scram" }],
        },
    })
}

fn channels() -> Value {
    let of = |topic: &topics::Topic| (topic.name.to_owned(), channel(topic));
    Value::Object(TOPICS.iter().map(of).collect())
}

fn channel(topic: &topics::Topic) -> Value {
    let told = ABOUT.iter().find(|(known, _)| topic_name(*known) == topic.name);
    let (about, names) = match told {
        Some((known, about)) => ((*about).to_owned(), types_on(*known)),
        None => (dead_letters_about(topic), vec![DEAD_LETTER]),
    };
    let reference =
        |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/messages/{name}") }));
    json!({
        "address": topic.name,
        "description": about,
        "messages": names.iter().map(|name| reference(name)).collect::<Map<_, _>>(),
        "bindings": { "kafka": {
            "topic": topic.name,
            "partitions": topic.partitions,
            "replicas": topics::REPLICATION_FACTOR,
            "topicConfiguration": {
                "cleanup.policy": topic.cleanup.as_str().split(',').collect::<Vec<_>>(),
                "retention.ms": u64::try_from(topic.retention.as_millis()).unwrap_or(u64::MAX),
                "min.insync.replicas": topics::MIN_INSYNC_REPLICAS,
            },
            "bindingVersion": BINDING_VERSION,
        } },
    })
}

fn types_on(topic: Topic) -> Vec<&'static str> {
    let all = EventType::ALL.iter().filter(|event_type| event_type.topic() == topic);
    all.map(|event_type| event_type.as_str()).collect()
}

fn dead_letters_about(dead: &topics::Topic) -> String {
    let origin = TOPICS.iter().find(|topic| topic.dead_letter == Some(dead.name));
    let origin = origin.map_or("another topic", |topic| topic.name);
    format!(
        "What a consumer of `{origin}` could not handle, as it came, byte for byte and with its key. \
         `{} dlq` lists, shows, replays and drops them.",
        names::APP_ID
    )
}

fn message(event_type: EventType, examples: Vec<Value>) -> Value {
    let name = event_type.as_str();
    let shown = examples.into_iter().map(|example| {
        let source = example["source"].as_str().unwrap_or_default();
        let id = example["id"].as_str().unwrap_or_default();
        json!({ "name": id, "summary": format!("Told by {source}."), "payload": example })
    });
    json!({
        "name": name,
        "title": name,
        "summary": event_type.about(),
        "contentType": CONTENT_TYPE,
        "correlationId": { "$ref": "#/components/correlationIds/flow" },
        "payload": { "$ref": format!("./{name}/v1.json") },
        "bindings": { "kafka": key_binding() },
        "examples": shown.collect::<Vec<_>>(),
    })
}

fn key_binding() -> Value {
    json!({
        "key": {
            "type": "string",
            "description": "The task id: the events of a task share a partition, so their order survives.",
        },
        "bindingVersion": BINDING_VERSION,
    })
}

fn dead_letter_message() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let headers = DEAD_LETTER_HEADERS.iter().map(|(name, about)| {
        let mut header = text(about);
        if *name == dead_letter::REASON {
            let words = dead_letter::Reason::WORDS.iter();
            header["anyOf"] = words
                .map(|(word, about)| json!({ "const": word, "description": about }))
                .chain([json!({ "description": "Another word, which a later release may add." })])
                .collect();
        }
        ((*name).to_owned(), header)
    });
    json!({
        "name": DEAD_LETTER,
        "title": "A dead letter",
        "summary": "A record as it came, with headers that say why it is here.",
        "description": "One that the sidecar itself has put here, when its retries were used up, has \
                        none of these headers.",
        "contentType": "application/octet-stream",
        "headers": { "type": "object", "properties": headers.collect::<Map<_, _>>() },
        "payload": { "description": "Whatever it was." },
        "bindings": { "kafka": key_binding() },
    })
}

fn operations() -> Value {
    let mut all = Map::new();
    for member in &MEMBERS {
        for (topic, _) in ABOUT {
            let name = topic_name(topic);
            let dead = TOPICS.iter().find(|known| known.name == name).and_then(|t| t.dead_letter);
            let (sends, receives) = (names(member.sends(topic)), names(member.receives(topic)));
            let consumes = !receives.is_empty();
            add(&mut all, member, Action::Send, name, &sends);
            add(&mut all, member, Action::Receive, name, &receives);
            let Some(dead) = dead else { continue };
            let letters = |wanted: bool| if wanted { vec![DEAD_LETTER] } else { Vec::new() };
            add(&mut all, member, Action::Send, dead, &letters(consumes));
            let keeps = member.keeps_dead_letters_of.contains(&topic);
            add(&mut all, member, Action::Receive, dead, &letters(keeps));
        }
    }
    Value::Object(all)
}

fn names(types: Vec<EventType>) -> Vec<&'static str> {
    types.into_iter().map(EventType::as_str).collect()
}

#[derive(Clone, Copy)]
enum Action {
    Send,
    Receive,
}

/// Adds what a member does on a channel, if it does anything there.
fn add(
    all: &mut Map<String, Value>,
    member: &Member,
    action: Action,
    channel: &str,
    messages: &[&str],
) {
    if messages.is_empty() {
        return;
    }
    let (word, verb) = match action {
        Action::Send => ("send", "sends"),
        Action::Receive => ("receive", "receives"),
    };
    let reference =
        |name: &&str| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") });
    let mut operation = json!({
        "action": word,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "summary": format!("`{}` {verb} on `{channel}`.", member.app_id),
        "tags": [{ "name": member.app_id }],
        "messages": messages.iter().map(reference).collect::<Vec<_>>(),
    });
    if matches!(action, Action::Receive) {
        let group = json!({ "type": "string", "enum": [member.app_id] });
        operation["bindings"] =
            json!({ "kafka": { "groupId": group, "bindingVersion": BINDING_VERSION } });
    }
    all.insert(format!("{}-{verb}-{channel}", member.app_id), operation);
}
