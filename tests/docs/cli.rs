//! The command line in the documentation and in its own help: every command is one that is understood,
//! and every command is told. (Those of `cargo xtask` are held against its own parser, in `xtask/src/documented.rs`.)

use crate::pages::{page, pages};
use crate::shell::commands;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory, Parser};
use reminder_scheduler::cli::command::Cli;
use std::collections::BTreeSet;

/// What it is called.
const NAME: &str = "reminder-scheduler";

/// Where a command ends in a line of a shell.
const ENDS: [&str; 5] = ["|", ">", "<", "&&", ">>"];

/// The calls of ours in a script; within a pod, they stand behind `--`.
fn calls(script: &str) -> Vec<Vec<String>> {
    let ours = |words: Vec<String>| {
        let began = words.iter().position(|word| word == NAME)?;
        let before = words[..began].last();
        if !before.is_none_or(|word| word == "--" || word == "|" || word.contains('=')) {
            return None;
        }
        let end = words.iter().position(|word| ENDS.contains(&word.as_str()));
        Some(words[began..end.filter(|end| *end > began).unwrap_or(words.len())].to_vec())
    };
    commands(script).into_iter().filter_map(ours).collect()
}

/// A span may stand for many commands, and has a gap then.
fn has_a_gap(span: &str) -> bool {
    span.contains(['…', '<', '|', '['])
}

/// A span may name a command without all that it needs.
fn is_incomplete(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// Notes what of a script is not understood, as far as that matters; answers how many commands there were.
fn check(
    script: &str,
    place: &str,
    passes: fn(&clap::Error) -> bool,
    wrong: &mut Vec<String>,
) -> usize {
    let all = calls(script);
    for words in &all {
        if let Err(error) = Cli::try_parse_from(words)
            && error.use_stderr()
            && !passes(&error)
        {
            wrong.push(format!("{place}: {}: {error}", words.join(" ")));
        }
    }
    all.len()
}

const NOTHING: fn(&clap::Error) -> bool = |_| false;

#[test]
fn every_command_of_the_pages_is_understood() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in pages() {
        for block in page.blocks.iter().filter(|block| block.language == "sh") {
            count += check(&block.text, &page.place(block), NOTHING, &mut wrong);
        }
        let spans = page.spans.iter().zip(&page.span_lines);
        for (span, line) in spans.filter(|(span, _)| span.contains(NAME) && !has_a_gap(span)) {
            let place = format!("{}:{line}", page.path.display());
            count += check(span, &place, is_incomplete, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "{count} commands");
}

#[test]
fn a_wrong_word_is_found() {
    let wrong = |script: &str, passes| {
        let mut wrong = Vec::new();
        assert_eq!(check(script, "here", passes, &mut wrong), 1, "{script}");
        !wrong.is_empty()
    };
    let in_a_pod =
        "kubectl exec deploy/reminder-scheduler -- reminder-scheduler repair list | head";
    assert!(!wrong(in_a_pod, NOTHING) && !wrong("reminder-scheduler repair", is_incomplete));
    for script in ["reminder-scheduler firing halt", "A=b reminder-scheduler firing stop --usr ada"]
    {
        assert!(wrong(script, is_incomplete), "{script}");
    }
    assert!(wrong("reminder-scheduler firing stop", NOTHING), "it needs a reason");
}

/// The commands that do something, by their whole names.
fn leaves(command: &Command, before: &str, found: &mut Vec<(String, Command)>) {
    for one in command.get_subcommands().filter(|one| one.get_name() != "help") {
        let name = format!("{before} {}", one.get_name()).trim().to_owned();
        if !one.has_subcommands() || !one.is_subcommand_required_set() {
            found.push((name.clone(), one.clone()));
        }
        leaves(one, &name, found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    leaves(&Cli::command(), "", &mut found);
    assert!(found.len() > 20, "{found:?}");
    found
}

#[test]
fn the_page_of_the_command_line_tells_every_command_and_no_other() {
    let page = page("docs/cli.md");
    let told: BTreeSet<String> = page
        .rows_under("Command line")
        .iter()
        .flat_map(|cells| cells[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let known: BTreeSet<String> = all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(told, known);
}

/// The examples at the end of a command's help. What is said beside one is some spaces away from it.
fn examples(command: &Command) -> Vec<String> {
    // However wide the terminal is, if there is one.
    let help = command.clone().term_width(0).render_long_help().to_string();
    let after = help.split_once("Examples:").map(|(_, after)| after.to_owned());
    let lines = after.unwrap_or_default();
    let lines = lines.lines().map(|line| line.trim().split("  ").next().unwrap_or_default());
    // What is meant for a shell, and not for ours, is not split.
    let ours = lines.filter(|line| line.contains(&format!("{NAME} ")) && !line.contains("\"$"));
    ours.map(str::to_owned).collect()
}

#[test]
fn every_command_has_examples_and_they_are_understood() {
    let (mut wrong, mut bare) = (Vec::new(), Vec::new());
    let root = Cli::command();
    for (name, command) in all() {
        let own = examples(&command);
        // Small commands have theirs together.
        let above = name.split(' ').next().and_then(|above| root.find_subcommand(above));
        let above = above.map(examples).unwrap_or_default();
        let of_this = |line: &&String| line.contains(&format!("{NAME} {name}"));
        if own.is_empty() && !above.iter().any(|line| of_this(&line)) {
            bare.push(name.clone());
        }
        for example in own.iter().chain(&above) {
            check(example, &name, NOTHING, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(bare.is_empty(), "without examples: {bare:?}");
}
