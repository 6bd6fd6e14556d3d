//! Command lines of the service's binary: each must be one that it understands. Those of `cargo xtask`
//! are held against its own parser, in `xtask/src/documented.rs`.

use crate::pages::pages;
use crate::shell;
use std::process::Command;

/// Builds its answer from what was parsed before it, so a wrong word is named and nothing is run.
const HELP: &str = "--help";

const BINARY: &str = "reminder-scheduler";

/// What follows the binary's name, if these words call it: by itself, or in a pod, behind `--`.
fn arguments(words: &[String]) -> Option<&[String]> {
    let words = match words.iter().rposition(|word| word == "--") {
        Some(at) if words[0] == "kubectl" => &words[at + 1..],
        _ => words,
    };
    let (first, arguments) = words.split_first()?;
    (first == BINARY && !arguments.is_empty()).then_some(arguments)
}

/// Up to where the shell takes over: a pipe, a redirection, the next command.
fn before_the_shell(arguments: &[String]) -> &[String] {
    let end = arguments.iter().position(|word| word.starts_with(['|', '>', '<', '&', ';']));
    &arguments[..end.unwrap_or(arguments.len())]
}

/// A code span may stand for many command lines; those with a gap are not held against the parser.
fn has_a_gap(span: &str) -> bool {
    span.contains(['…', '<', '|', '[']) || span.contains("kubectl")
}

fn understood(arguments: &[String]) -> Result<(), String> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_reminder-scheduler")).args(arguments).arg(HELP).output();
    let output = output.unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn every_command_line_of_the_service_is_understood() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let blocks = page.blocks.iter().filter(|block| block.language == "sh");
        let blocks = blocks.map(|block| (page.place(block), block.text.as_str()));
        let spans = page.spans.iter().filter(|span| !has_a_gap(span));
        let spans = spans.map(|span| (page.path.display().to_string(), span.as_str()));
        for (place, text) in blocks.chain(spans).filter(|(_, text)| text.contains(BINARY)) {
            for words in shell::commands(text) {
                let Some(arguments) = arguments(&words).map(before_the_shell) else { continue };
                count += 1;
                if let Err(error) = understood(arguments) {
                    wrong.push(format!("{place}: {}: {error}", arguments.join(" ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "the operator's commands are documented");
}

#[test]
fn a_wrong_word_is_found() {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(understood(&words("firing stop --user ada@example.org")).is_ok());
    assert!(understood(&words("firing halt")).is_err());
    assert!(understood(&words("firing stop --usr ada@example.org")).is_err());
    let in_a_pod =
        words("kubectl exec deploy/reminder-scheduler -- reminder-scheduler repair list");
    assert_eq!(arguments(&in_a_pod).unwrap(), words("repair list"));
    assert_eq!(before_the_shell(&words("dlq list | head")), words("dlq list"));
}
