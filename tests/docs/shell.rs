//! The bodies of `curl` commands are commands that the service understands.

use crate::pages::pages;
use reminder_contract::rest::parse_batch;
use reminder_contract::wire::{self, Method};
use reminder_scheduler::dapr::inbound::internal::{SETTLE, SettleRequest};

/// What shell variables stand for; the pages use them for times and days only.
const TIME: &str = "2027-03-01T09:00:00Z";
const DAY: &str = "2027-03-01";

/// Splits a script into its commands, and those into words, as a shell does: quotes, escapes at the
/// end of a line, variables. No more than the pages need; a form that is not known here panics.
pub(crate) fn commands(script: &str) -> Vec<Vec<String>> {
    let script = script.replace("\\\n", " ");
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => {
                commands.last_mut().unwrap().extend(word.take());
                commands.push(Vec::new());
            }
            ' ' => commands.last_mut().unwrap().extend(word.take()),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let quoted: String = chars.by_ref().take_while(|c| *c != '"').collect();
                assert!(!quoted.contains(['\\', '$']) || quoted.starts_with('$'), "{quoted}");
                word.get_or_insert_default().push_str(match &*quoted {
                    due if due.starts_with("$DUE") => TIME,
                    "$DAY" => DAY,
                    other => other,
                });
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().unwrap().extend(word);
    commands
}

/// The actor method that a `curl` command calls, and its body.
fn call(words: &[String]) -> Option<(&str, &str)> {
    if words.first().map(String::as_str) != Some("curl") {
        return None;
    }
    let mut calls = words.iter().filter(|word| !word.contains("/v1.0/invoke/"));
    let (_, method) = calls.find_map(|word| word.split_once("/method/"))?;
    let body = words.iter().position(|word| word == "-d").map(|at| words[at + 1].as_str());
    Some((method, body.unwrap_or_default()))
}

#[test]
fn curl_bodies_are_understood() {
    let mut count = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "sh") {
            for words in commands(&block.text) {
                let Some((name, body)) = call(&words) else { continue };
                count += 1;
                let place = page.place(block);
                let method = Method::ALL.iter().find(|method| method.as_str() == name);
                let understood = match method {
                    Some(method) => wire::parse_command(*method, body.as_bytes()).map(drop),
                    None if name == "get" => wire::parse_get(body.as_bytes()).map(drop),
                    None if name == "preview" => wire::parse_preview(body.as_bytes()).map(drop),
                    None if name == "exportCalendar" => {
                        wire::parse_export(body.as_bytes()).map(drop)
                    }
                    None if name == "explain" => wire::parse_explain(body.as_bytes()).map(drop),
                    None if name == SETTLE => {
                        serde_json::from_str::<SettleRequest>(body).unwrap();
                        continue;
                    }
                    None => panic!("{place}: there is no method {name}"),
                };
                // A block that shows a refusal says so.
                let refused = block.text.contains("# refused");
                assert!(understood.is_ok() != refused, "{place}: {understood:?}\n{body}");
            }
        }
    }
    assert!(count >= 8, "the tour of the actor API");
}

/// The verb of a `curl` command to the REST edge, its path, and its body.
fn rest_call(words: &[String]) -> Option<(String, String, &str)> {
    if words.first().map(String::as_str) != Some("curl") {
        return None;
    }
    let path = words.iter().find_map(|word| word.split_once("$REST/v1/"))?.1;
    let after = |names: &[&str]| {
        let place = words.iter().position(|word| names.contains(&word.as_str()))?;
        words.get(place + 1).map(String::as_str)
    };
    let path = path.split('?').next().unwrap_or_default().to_owned();
    Some((
        after(&["-X"]).unwrap_or("GET").into(),
        path,
        after(&["-d", "--json"]).unwrap_or_default(),
    ))
}

/// Whether the edge and the actors would understand it.
fn understood(verb: &str, path: &str, body: &str) -> Result<(), reminder_contract::Problem> {
    let parts: Vec<&str> = path.split('/').collect();
    let within = |field: &str| format!("{{\"{field}\":{body}}}");
    let command = |method, body: &str| wire::parse_command(method, body.as_bytes()).map(drop);
    match (verb, &parts[..]) {
        ("GET", ["tasks" | "reminders"] | ["tasks", _]) if body.is_empty() => Ok(()),
        ("POST", ["tasks", _, "pause"]) => command(Method::Pause, body),
        ("POST", ["tasks", _, "resume"]) => command(Method::Resume, body),
        ("POST", ["users", _, "pause"]) => wire::parse_user_pause(body.as_bytes()).map(drop),
        ("PUT", ["tasks", _]) => command(Method::Put, &within("task")),
        ("PATCH", ["tasks", _]) => {
            let mut task = serde_json::json!({ "title": "A task" });
            let fields: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(body).unwrap();
            task.as_object_mut().unwrap().extend(fields);
            command(Method::Put, &serde_json::json!({ "task": task }).to_string())
        }
        ("PUT", ["tasks", _, "reminders", id]) => {
            let mut reminder: serde_json::Value = serde_json::from_str(body).unwrap();
            reminder["id"] = (*id).into();
            let body = serde_json::json!({ "reminder": reminder }).to_string();
            command(Method::PutReminder, &body)
        }
        ("POST", ["tasks:batch"]) => {
            for item in parse_batch(body.as_bytes())? {
                command(item.method, &serde_json::Value::Object(item.body()?).to_string())?;
            }
            Ok(())
        }
        other => panic!("nothing is known of {other:?}"),
    }
}

/// Whether the tests here look at a command.
pub(crate) fn is_checked(words: &[String]) -> bool {
    call(words).is_some() || rest_call(words).is_some()
}

#[test]
fn curl_bodies_of_the_rest_edge_are_understood() {
    let mut count = 0;
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "sh") {
            for words in commands(&block.text) {
                let Some((verb, path, body)) = rest_call(&words) else { continue };
                count += 1;
                let place = page.place(block);
                let read = understood(&verb, &path, body);
                assert!(read.is_ok(), "{place}: {read:?}\n{body}");
            }
        }
    }
    assert!(count >= 6, "the examples of the REST API");
}

#[test]
fn scripts_are_split_as_a_shell_does() {
    let script = "curl -s a/method/put -d '{\"a\":\n 1}'  # a note\nDUE=$(date)\ncurl -d '{\"t\": \"'\"$DUE\"'\"}' b\n";
    let split = commands(script);
    assert_eq!(call(&split[0]), Some(("put", "{\"a\":\n 1}")));
    assert_eq!(split[2][2], format!("{{\"t\": \"{TIME}\"}}"));
}
