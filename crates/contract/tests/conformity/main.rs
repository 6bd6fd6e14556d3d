//! What others make of our contract: the official `CloudEvents` SDK for Python of our events, and the
//! official parser of `AsyncAPI` of our document. `cargo xtask test --only conformity` installs both.
//!
//! | Variable | Names |
//! |---|---|
//! | `CONFORMITY_PYTHON` | a python with `tests/conformity/requirements.txt` |
//! | `CONFORMITY_NODE` | the folder with what `tests/conformity/package.json` asks for |
//! | `CONFORMITY_EVENTS` | a file of events that were read from Kafka, one a line |

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use reminder_contract::cloud_event::topic_name;
use reminder_contract::topics::TOPICS;
use reminder_contract::{CloudEvent, EventType, asyncapi, schemas};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the SDK has made of an event.
#[derive(Deserialize)]
struct Judgement {
    wrong: Vec<String>,
    /// The event, written again.
    again: Option<String>,
    /// Another one, built by the SDK.
    made: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn setting(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")).into()
}

/// What the SDK says of each event.
fn judge(events: &[Value]) -> Vec<Judgement> {
    let mut sdk = Command::new(setting("CONFORMITY_PYTHON"))
        .arg(root().join("tests/conformity/events.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = sdk.stdin.take().unwrap();
    let lines = events.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = sdk.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the SDK's script ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let judgements: Vec<Judgement> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(judgements.len(), events.len(), "each event is judged");
    judgements
}

/// What the SDK has written is read by us as the same event, and fits the schema.
fn check_written(told: &Value, written: &str, id: &str) {
    let read = CloudEvent::read(written.as_bytes());
    let read = read.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(read.id, id);
    let mut ours = CloudEvent::read(told.to_string().as_bytes()).unwrap();
    ours.id.clone_from(&read.id);
    assert_eq!(read, ours, "nothing is lost on the way");
    let event_type = EventType::parse(&read.event_type).unwrap();
    let validator = jsonschema::draft202012::options().should_validate_formats(true);
    let validator = validator.build(&schemas::schema(event_type)).unwrap();
    let written: Value = serde_json::from_str(written).unwrap();
    let faults: Vec<String> = validator.iter_errors(&written).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}: {written}");
}

fn check(events: &[Value]) {
    for (event, judgement) in events.iter().zip(judge(events)) {
        assert!(judgement.wrong.is_empty(), "{:?}: {event}", judgement.wrong);
        let id = event["id"].as_str().unwrap();
        check_written(event, &judgement.again.unwrap(), id);
        check_written(event, &judgement.made.unwrap(), &format!("{id}-by-the-sdk"));
    }
}

#[test]
fn the_sdk_reads_an_event_of_each_type_and_we_read_what_it_makes() {
    let events: Vec<Value> = EventType::ALL
        .iter()
        .flat_map(|event_type| {
            let text = std::fs::read_to_string(root().join(schemas::path(*event_type))).unwrap();
            let schema: Value = serde_json::from_str(&text).unwrap();
            schema["examples"].as_array().unwrap().clone()
        })
        .collect();
    assert!(events.len() > EventType::ALL.len(), "an update is told in two ways");
    check(&events);
}

#[test]
fn the_sdk_reads_what_a_running_stack_has_told() {
    let text = std::fs::read_to_string(setting("CONFORMITY_EVENTS")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    check(&events);
    let topics: BTreeSet<&str> = events
        .iter()
        .map(|event| EventType::parse(event["type"].as_str().unwrap()).unwrap())
        .map(|event_type| topic_name(event_type.topic()))
        .collect();
    assert_eq!(topics.len(), 3, "events of every topic, and not only of {topics:?}");
    println!("{} events of {topics:?}", events.len());
}

#[test]
fn the_sdk_refuses_what_is_no_event() {
    let schema = schemas::path(EventType::TaskCreated);
    let schema = std::fs::read_to_string(root().join(schema)).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let good = schema["examples"][0].clone();
    let without = |name: &str| {
        let mut event = good.clone();
        event[name] = Value::String(String::new());
        event
    };
    for judgement in judge(&[without("id"), without("source"), without("type"), without("subject")])
    {
        assert!(!judgement.wrong.is_empty());
    }
}

#[derive(Deserialize)]
struct Parsed {
    wrong: Vec<String>,
    found: Option<Found>,
}

#[derive(Deserialize)]
struct Found {
    version: String,
    channels: BTreeSet<String>,
    messages: BTreeSet<String>,
    operations: usize,
}

fn parse(document: &Path) -> Parsed {
    let node = setting("CONFORMITY_NODE");
    let output = Command::new("node")
        .arg(root().join("tests/conformity/asyncapi.mjs"))
        .args([document, &node])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the parser ended with {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_official_parser_finds_nothing_amiss_in_the_asyncapi_document() {
    let parsed = parse(&root().join(asyncapi::PATH));
    assert_eq!(parsed.wrong, Vec::<String>::new());
    let found = parsed.found.unwrap();
    assert_eq!(found.version, "3.0.0");
    assert_eq!(found.channels, TOPICS.iter().map(|topic| topic.name.to_owned()).collect());
    for event_type in EventType::ALL {
        assert!(found.messages.contains(event_type.as_str()), "{event_type:?}");
    }
    assert!(found.operations > TOPICS.len());
}

#[test]
fn the_official_parser_finds_what_is_amiss() {
    let text = std::fs::read_to_string(root().join(asyncapi::PATH)).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["channels"]["reminders"]["bindings"]["kafka"]["partitions"] = "three".into();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("asyncapi.json");
    // References lead on from where the document is.
    let text = document.to_string().replace("./", &format!("{}/schemas/", root().display()));
    std::fs::write(&path, text).unwrap();
    let wrong = parse(&path).wrong;
    assert!(wrong.iter().any(|found| found.contains("partitions")), "{wrong:?}");
}
