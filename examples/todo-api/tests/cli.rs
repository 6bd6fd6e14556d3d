//! The executable: what it says of itself, and what it refuses.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::process::{Command, Output};

fn run(argument: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_todo-api")).arg(argument).output().unwrap()
}

#[test]
fn its_help_names_every_setting() {
    let output = run("--help");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for variable in ["APP_PORT", "DAPR_HTTP_PORT", "APP_API_TOKEN", "PUBSUB", "STATE_STORE"] {
        assert!(help.contains(variable), "{variable}");
    }
}

#[test]
fn a_setting_that_cannot_be_used_ends_it_at_once() {
    assert!(!run("--app-port=many").status.success());
}
