//! Dead letters: from a record on a dead-letter topic, by Dapr, to the operator and back to its topic.

use crate::operations::{command, environment_of, succeeds};
use crate::process::Service;
use crate::suite::{EVENT_DEADLINE, RECOVERY_DEADLINE, Suite, disruptive, gentle};
use reminder_contract::dead_letter::REPLAY_OF;
use reminder_contract::names::{
    METRICS_PATH, PUBSUB, REMINDERS_DLQ, TASK_EVENTS, TASK_EVENTS_DLQ, TASK_UPDATES,
    TASK_UPDATES_DLQ,
};
use reminder_contract::topics::TOPICS;
use reminder_stack::events::{Reader, Record};
use reminder_stack::{Part, probe};
use serde_json::{Value, json};
use std::time::Duration;

/// Letters that come while the service dies.
const MANY: usize = 60;

/// Publishes through the sidecar: Dapr's Kafka component makes headers of the metadata.
async fn publish(suite: &Suite, topic: &str, body: &[u8], metadata: &[(&str, &str)]) {
    let port = suite.manifest().replica(1).unwrap().http_port;
    let mut url = format!("http://127.0.0.1:{port}/v1.0/publish/{PUBSUB}/{topic}")
        .parse::<reqwest::Url>()
        .unwrap();
    url.query_pairs_mut()
        .append_pair("metadata.rawPayload", "true")
        .extend_pairs(metadata.iter().map(|(name, text)| (format!("metadata.{name}"), *text)));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let request = client.post(url).header("content-type", "application/octet-stream");
    let answer = request.body(body.to_vec()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

/// A key that nothing else has, and that no test looks for in its own events.
fn unique() -> String {
    format!("letter-{}", uuid::Uuid::new_v4())
}

/// The letters that `dlq list` shows with these arguments.
async fn listed(suite: &Suite, arguments: &[&str]) -> Vec<Value> {
    let all = [&["dlq", "list", "--json"], arguments].concat();
    let output = succeeds(suite, &all).await;
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// As many letters about a task as were sent; each must come, and come once.
async fn letters_of(suite: &Suite, task: &str, count: usize, deadline: Duration) -> Vec<Value> {
    let came = probe::until(deadline, || async {
        let letters = listed(suite, &["--task", task, "--status", "all"]).await;
        (letters.len() >= count).then_some(letters)
    });
    let letters = came.await.unwrap_or_else(|| panic!("fewer than {count} letters about {task}"));
    assert_eq!(letters.len(), count, "{letters:?}");
    letters
}

async fn one_letter(suite: &Suite, task: &str) -> Value {
    letters_of(suite, task, 1, EVENT_DEADLINE).await.remove(0)
}

fn id_of(letter: &Value) -> String {
    letter["id"].to_string()
}

/// The last line of what a command said in JSON.
fn summary(output: &str) -> Value {
    let last = output.lines().rfind(|line| line.starts_with("{\"summary\"")).unwrap();
    serde_json::from_str::<Value>(last).unwrap()["summary"].clone()
}

#[test]
fn a_dead_letter_goes_the_whole_way_and_back_to_its_topic_as_it_was() {
    gentle(async |suite| {
        let task = unique();
        // Spaces and order as no writer of JSON would have them.
        let body = format!(
            r#"{{ "type":"task.sync",  "specversion" : "1.0","id":"{task}:1:task-updates-1", "subject":"task:{task}","data" : {{}} }} "#
        );
        let headers = [
            ("partitionKey", &*task),
            ("reason", "invalid"),
            ("detail", "data.version is missing"),
            ("their-own", "kept"),
            ("content-type", "application/cloudevents+json"),
        ];
        let bootstrap = suite.manifest().kafka_bootstrap().unwrap();
        let reader = Reader::connect(&bootstrap).await.unwrap();
        let mut consumer = reader.live(&[TASK_UPDATES]).await.unwrap();
        publish(suite, TASK_UPDATES_DLQ, body.as_bytes(), &headers).await;

        let letter = one_letter(suite, &task).await;
        let id = id_of(&letter);
        assert_eq!((&letter["reason"], &letter["status"]), (&json!("invalid"), &json!("open")));
        assert_eq!(letter["eventId"], format!("{task}:1:task-updates-1"));
        assert_eq!((&letter["key"], &letter["type"]), (&json!(task), &json!("task.sync")));
        assert_eq!(letter["bytes"], body.len());
        let shown = succeeds(suite, &["dlq", "show", &id, "--json"]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            (&shown["text"], &shown["headers"]["their-own"]),
            (&json!(body), &json!("kept"))
        );
        assert_eq!(succeeds(suite, &["dlq", "show", &id, "--value"]).await, body);
        let sheet = succeeds(suite, &["dlq", "show", &id]).await;
        assert!(sheet.contains("data.version is missing"), "{sheet}");

        let would = succeeds(suite, &["dlq", "replay", &id, "--dry-run"]).await;
        assert!(would.contains("would replay") && would.contains("nothing was done"), "{would}");
        let unasked = command(suite, &["dlq", "replay", &id]).await;
        assert_eq!(unasked.code, Some(1), "nobody was there to ask: {unasked:?}");
        let untouched = one_letter(suite, &task).await;
        assert_eq!(untouched, letter, "neither has changed anything");

        let replay = ["dlq", "replay", &id, "--yes", "--json", "--by", "ada", "--note", "mended"];
        let said = succeeds(suite, &replay).await;
        assert_eq!(summary(&said), json!({"done": 1, "left": 0, "more": 0}));
        let is_ours = |record: &Record| record.key.as_deref() == Some(&*task);
        let record = consumer.find_within(EVENT_DEADLINE, is_ours).await.expect("it is published");
        assert_eq!(record.payload, body.as_bytes(), "the very bytes");
        let header = |name: &str| {
            record.headers.get(name).map(|bytes| String::from_utf8(bytes.clone()).unwrap())
        };
        assert_eq!(header("their-own").as_deref(), Some("kept"));
        assert_eq!(header("content-type").as_deref(), Some("application/cloudevents+json"));
        assert_eq!(header(REPLAY_OF), Some(id.clone()));
        assert_eq!((header("reason"), header("__topic")), (None, None));

        let done = one_letter(suite, &task).await;
        assert_eq!((&done["status"], &done["changedBy"]), (&json!("replayed"), &json!("ada")));
        assert_eq!((&done["note"], &done["attempts"]), (&json!("mended"), &json!(1)));
        let again = command(suite, &["dlq", "replay", &id, "--yes"]).await;
        assert_eq!(again.code, Some(1), "once is enough: {again:?}");
        let second = consumer.find_within(Duration::from_millis(500), is_ours).await;
        assert_eq!(second, None, "it is published once");
    });
}

#[test]
fn a_replay_that_cannot_be_handled_either_comes_back_and_names_the_letter_that_it_was() {
    gentle(async |suite| {
        let task = unique();
        let event = json!({
            "specversion": "1.0", "id": format!("{task}:1:task-events-1"), "source": "/todo-api",
            "type": "task.created", "subject": format!("task:{task}"), "sequence": "0000000001",
            "data": {"taskId": task, "title": "Due when?", "dueDate": "soon", "version": 1},
        });
        let body = event.to_string();
        publish(suite, TASK_EVENTS, body.as_bytes(), &[("partitionKey", &task)]).await;
        let letter = one_letter(suite, &task).await;
        assert_eq!(
            (&letter["topic"], &letter["reason"]),
            (&json!(TASK_EVENTS_DLQ), &json!("invalid"))
        );
        assert_eq!((&letter["key"], &letter["replayOf"]), (&json!(task), &Value::Null));
        assert_eq!(letter["origin"]["topic"], TASK_EVENTS);
        assert!(letter["detail"].as_str().unwrap().contains("dueDate"), "{letter}");

        succeeds(suite, &["dlq", "replay", &id_of(&letter), "--yes"]).await;
        let letters = letters_of(suite, &task, 2, EVENT_DEADLINE).await;
        assert_eq!(
            (&letters[0]["status"], &letters[1]["status"]),
            (&json!("replayed"), &json!("open"))
        );
        assert_eq!(letters[1]["replayOf"], id_of(&letter));
        assert_ne!(letters[0]["origin"]["offset"], letters[1]["origin"]["offset"]);
        let again = succeeds(suite, &["dlq", "show", &id_of(&letters[1]), "--value"]).await;
        assert_eq!(again, body);
        succeeds(suite, &["dlq", "drop", &id_of(&letters[1]), "--yes"]).await;
    });
}

#[test]
fn a_letter_of_any_bytes_and_headers_blocks_nothing_and_is_told_where_it_lay() {
    gentle(async |suite| {
        let task = unique();
        let bytes = b"\xff\x00 no JSON\n";
        // As a sidecar forwards them; no HTTP header could carry this one.
        let forwarded = [
            ("partitionKey", &*task),
            ("__topic", "reminders"),
            ("__partition", "2"),
            ("__offset", "41"),
            ("no header name", "line\nbreak\u{7}"),
        ];
        publish(suite, REMINDERS_DLQ, bytes, &forwarded).await;
        publish(suite, REMINDERS_DLQ, b"behind it", &[("partitionKey", &task)]).await;
        let letters = letters_of(suite, &task, 2, EVENT_DEADLINE).await;
        assert_eq!(
            (&letters[0]["reason"], &letters[1]["reason"]),
            (&json!("forwarded"), &json!("unstated"))
        );
        let origin = json!({"topic": "reminders", "partition": 2, "offset": 41});
        assert_eq!(letters[0]["origin"], origin);
        assert_eq!(letters[0]["headers"]["no header name"], "line\nbreak\u{7}");
        assert_eq!(
            (&letters[0]["eventId"], &letters[0]["replayTopic"]),
            (&Value::Null, &json!("reminders"))
        );
        let shown = succeeds(suite, &["dlq", "show", &id_of(&letters[0]), "--json"]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["base64"], "/wAgbm8gSlNPTgo=");

        let all = ["dlq", "drop", "--all", "--task", &task, "--note", "noise"];
        let would = succeeds(suite, &[&all[..], &["--dry-run", "--json"]].concat()).await;
        assert_eq!(summary(&would), json!({"dryRun": true, "letters": 2, "more": 0}));
        let one = succeeds(suite, &[&all[..], &["--yes", "--json", "--limit", "1"]].concat()).await;
        assert_eq!(summary(&one), json!({"done": 1, "left": 0, "more": 1}));
        let rest = succeeds(suite, &[&all[..], &["--yes", "--json"]].concat()).await;
        assert_eq!(summary(&rest), json!({"done": 1, "left": 0, "more": 0}));
        assert!(listed(suite, &["--task", &task]).await.is_empty(), "none is open");
        let dropped = listed(suite, &["--task", &task, "--status", "dropped"]).await;
        assert_eq!(dropped.len(), 2);
        assert_eq!(dropped[1]["note"], "noise");
    });
}

#[test]
fn letters_are_filtered_and_what_cannot_be_meant_is_refused() {
    gentle(async |suite| {
        let (task, other) = (unique(), unique());
        let event = json!({"specversion": "1.0", "id": format!("e-{task}"), "type": "task.created",
                           "data": {"taskId": task}});
        let body = event.to_string();
        let (key, reason) = (("partitionKey", &*task), ("reason", "refused"));
        publish(suite, TASK_EVENTS_DLQ, body.as_bytes(), &[key, reason]).await;
        publish(suite, TASK_UPDATES_DLQ, b"x", &[key]).await;
        publish(suite, TASK_UPDATES_DLQ, b"x", &[("partitionKey", &other)]).await;
        letters_of(suite, &other, 1, EVENT_DEADLINE).await;
        letters_of(suite, &task, 2, EVENT_DEADLINE).await;
        let event_id = format!("e-{task}");
        for (arguments, count) in [
            (&["--topic", "task-events"][..], 1),
            (&["--topic", "task-updates-dlq"], 1),
            (&["--topic", "task-events", "--topic", "task-updates"], 2),
            (&["--reason", "refused"], 1),
            (&["--type", "task.created"], 1),
            (&["--event-id", &event_id], 1),
            (&["--since", "1h"], 2),
            (&["--until", "1h"], 0),
            (&["--status", "replayed"], 0),
            (&["--limit", "1"], 1),
        ] {
            let found = listed(suite, &[&["--task", &task], arguments].concat()).await;
            assert_eq!(found.len(), count, "{arguments:?}: {found:?}");
        }
        for (arguments, code) in [
            (&["list", "--topic", "tasks"][..], 2),
            (&["list", "--since", "soon"], 2),
            (&["replay"], 2),
            (&["drop", "1", "--task", "milk"], 2),
            (&["replay", "--all", "--status", "all"], 2),
            (&["show", "999999999"], 1),
            (&["replay", "999999999", "--yes"], 1),
        ] {
            let ended = command(suite, &[&["dlq"], arguments].concat()).await;
            assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.output);
        }
    });
}

#[test]
fn what_cannot_be_published_stays_open_with_what_came_behind_it() {
    gentle(async |suite| {
        let task = unique();
        for body in [&b"first"[..], b"second"] {
            publish(suite, TASK_UPDATES_DLQ, body, &[("partitionKey", &task)]).await;
        }
        letters_of(suite, &task, 2, EVENT_DEADLINE).await;
        let replay = ["dlq", "replay", "--all", "--task", &task, "--yes", "--wait", "0s", "--json"];
        // Nobody listens there.
        let astray = [&replay[..], &["--dapr-grpc-port", "1"]].concat();
        let ended = command(suite, &astray).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.output.contains("\"heldBack\""), "{}", ended.output);
        let letters = letters_of(suite, &task, 2, EVENT_DEADLINE).await;
        assert_eq!((&letters[0]["attempts"], &letters[1]["attempts"]), (&json!(1), &json!(0)));
        assert!(letters[0]["lastError"].is_string() && letters[0]["status"] == "open");

        let bootstrap = suite.manifest().kafka_bootstrap().unwrap();
        let reader = Reader::connect(&bootstrap).await.unwrap();
        let mut consumer = reader.live(&[TASK_UPDATES]).await.unwrap();
        let said = succeeds(suite, &replay).await;
        assert_eq!(summary(&said), json!({"done": 2, "left": 0, "more": 0}));
        for body in ["first", "second"] {
            let ours = |record: &Record| record.key.as_deref() == Some(&*task);
            let record = consumer.find_within(EVENT_DEADLINE, ours).await.expect("in their order");
            assert_eq!(record.payload, body.as_bytes());
        }
    });
}

#[test]
fn a_replay_that_is_killed_goes_on_where_it_stopped() {
    gentle(async |suite| {
        const LETTERS: usize = 6;
        let task = unique();
        for number in 0..LETTERS {
            let body = number.to_string();
            publish(suite, TASK_UPDATES_DLQ, body.as_bytes(), &[("partitionKey", &task)]).await;
        }
        letters_of(suite, &task, LETTERS, EVENT_DEADLINE).await;
        let bootstrap = suite.manifest().kafka_bootstrap().unwrap();
        let reader = Reader::connect(&bootstrap).await.unwrap();
        let mut consumer = reader.live(&[TASK_UPDATES]).await.unwrap();

        let replay = ["dlq", "replay", "--all", "--task", &task, "--yes", "--wait", "0s"];
        let slowly = [&replay[..], &["--rate", "1"]].concat();
        let slow = Service::command(suite, &slowly, &environment_of(suite));
        let replayed =
            async || listed(suite, &["--task", &task, "--status", "replayed"]).await.len();
        let begun = probe::until(EVENT_DEADLINE, || async { (replayed().await > 0).then_some(()) });
        begun.await.expect("it replays");
        drop(slow);
        // The one that it had in hand, if it had, is free again after half a minute.
        let done = probe::until(RECOVERY_DEADLINE, || async {
            command(suite, &replay).await;
            (replayed().await == LETTERS).then_some(())
        });
        done.await.expect("the next runs replay what is left");
        let mut seen: Vec<String> = Vec::new();
        while seen.len() < LETTERS {
            let ours = |record: &Record| record.key.as_deref() == Some(&*task);
            let record = consumer.find_within(EVENT_DEADLINE, ours).await.expect("none is lost");
            let body = String::from_utf8(record.payload).unwrap();
            if !seen.contains(&body) {
                seen.push(body);
            }
        }
        assert_eq!(seen, ["0", "1", "2", "3", "4", "5"], "in their order");
    });
}

#[test]
fn the_broker_has_the_topics_of_the_contract() {
    gentle(async |suite| {
        let bootstrap = suite.manifest().kafka_bootstrap().unwrap();
        let reader = Reader::connect(&bootstrap).await.unwrap();
        for topic in TOPICS {
            let partitions = reader.ends(&[topic.name]).await.unwrap().len();
            assert_eq!(partitions, usize::from(topic.partitions), "{}", topic.name);
        }
    });
}

#[test]
fn letters_that_come_while_the_service_dies_are_kept_once_each() {
    disruptive(async |suite| {
        let task = unique();
        for number in 0..MANY {
            if number == MANY / 3 {
                suite.kill(Part::App(1)).await;
            }
            if number == 2 * MANY / 3 {
                suite.start(Part::App(1)).await;
            }
            // Given up twice, by a consumer that died in between: one letter.
            let offset = (number - number % 2).to_string();
            let headers = [
                ("partitionKey", &*task),
                ("reason", "invalid"),
                ("origintopic", "task-updates"),
                ("originpartition", "0"),
                ("originoffset", &offset),
            ];
            publish(suite, TASK_UPDATES_DLQ, b"not yours", &headers).await;
        }
        // A last one of another key tells that all before it were delivered: they share a partition.
        let last = unique();
        publish(suite, TASK_UPDATES_DLQ, b"last", &[("partitionKey", &last)]).await;
        letters_of(suite, &last, 1, RECOVERY_DEADLINE).await;
        let letters = letters_of(suite, &task, MANY / 2, EVENT_DEADLINE).await;
        let offsets: Vec<i64> =
            letters.iter().map(|letter| letter["origin"]["offset"].as_i64().unwrap()).collect();
        let expected: Vec<i64> = (0..MANY).step_by(2).map(|n| i64::try_from(n).unwrap()).collect();
        assert_eq!(offsets, expected, "each once, in the order in which they came");

        let port = suite.manifest().replica(1).unwrap().app_port;
        let counted = probe::until(RECOVERY_DEADLINE, || async {
            let answer = probe::get(port, METRICS_PATH, &[]).await.ok()?;
            let name = "reminder_dead_letters_open{topic=\"task-updates-dlq\"} ";
            let line = answer.body.lines().find_map(|line| line.strip_prefix(name))?.to_owned();
            (line.parse::<usize>().ok()? >= MANY / 2).then_some(())
        });
        assert!(counted.await.is_some(), "the metric tells of them");
    });
}
