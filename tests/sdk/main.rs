//! The actor API from Dapr's official SDKs of two other languages: `dapr` (Python) and `@dapr/dapr`
//! (JavaScript), over HTTP and, where the SDK offers it, gRPC. The programs in `tests/sdk` know the SDK
//! and `docs/actor-api.md`, and nothing of ours; here what they were told is judged.
//!
//! `cargo xtask test --only conformity` installs both, at the versions of their lock files, and sets
//!
//! | Variable | Names |
//! |---|---|
//! | `SDK_INSTANCE` | a running stack |
//! | `SDK_PYTHON` | a python with `tests/sdk/python/requirements.txt` |
//!
//! and what `tests/sdk/node/package-lock.json` asks for lies beside it, by `npm ci`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use chrono::{SecondsFormat, TimeDelta, Utc};
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{Manifest, Stack};
use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::SystemTime;

fn manifest() -> Manifest {
    let instance = std::env::var("SDK_INSTANCE").expect("SDK_INSTANCE names a running stack");
    Stack::load(&instance_dir(&workspace_root(), &instance)).unwrap().manifest().unwrap()
}

/// A name that no earlier run has used.
fn task(name: &str) -> String {
    let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    format!("sdk-{name}-{millis:x}")
}

/// Far enough away that nothing rings meanwhile.
fn due() -> String {
    (Utc::now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What a program printed.
fn said(mut program: Command) -> Value {
    let output = program.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the program ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().last().expect("it prints what it was told");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn check(said: &Value, task: &str) {
    assert_eq!(said["put"]["taskId"], task, "{said}");
    assert_eq!(said["put"]["version"], 1, "{said}");
    assert_eq!(said["again"]["version"], 1, "a known commandId is applied once: {said}");
    let got = &said["got"];
    assert_eq!(
        (&got["taskId"], &got["task"]["status"]),
        (&task.into(), &"pending".into()),
        "{said}"
    );
    assert_eq!(got["reminders"][0]["state"], "scheduled", "{said}");
    let refused = &said["refused"];
    assert_eq!(refused["status"], 409, "{said}");
    assert!(refused["type"].as_str().unwrap().ends_with("/inapplicable"), "{said}");
    assert_eq!(refused["taskId"], task, "{said}");
    assert_eq!(said["completed"]["version"], 2, "the refusal has changed nothing: {said}");
    assert_eq!(said["gotAfterwards"]["task"]["status"], "completed", "{said}");
}

#[test]
fn the_python_sdk_puts_gets_is_refused_and_completes() {
    let (manifest, task) = (manifest(), task("python"));
    let python = std::env::var_os("SDK_PYTHON").expect("SDK_PYTHON names a python");
    let mut program = Command::new(python);
    program
        .arg(workspace_root().join("tests/sdk/python/actor.py"))
        .args([&task, &due()])
        .env("DAPR_HTTP_PORT", manifest.replica(1).unwrap().http_port.to_string());
    check(&said(program), &task);
}

fn javascript(port: u16, protocol: &str) {
    let task = task(&format!("javascript-{protocol}"));
    let mut program = Command::new("node");
    program.arg(workspace_root().join("tests/sdk/node/actor.mjs")).args([
        &task,
        &due(),
        &port.to_string(),
        protocol,
    ]);
    check(&said(program), &task);
}

#[test]
fn the_javascript_sdk_puts_gets_is_refused_and_completes_over_http() {
    javascript(manifest().replica(1).unwrap().http_port, "http");
}

#[test]
fn the_javascript_sdk_puts_gets_is_refused_and_completes_over_grpc() {
    javascript(manifest().replica(1).unwrap().grpc_port, "grpc");
}
