//! Every command of a shell block has somebody who runs it, or who holds it against the parser that it is for. A
//! command of a kind that is not known here is one that nobody tries.

use crate::lines;
use crate::pages::{Page, pages, root};
use crate::shell;
use std::collections::BTreeSet;

/// Pages whose commands are run word for word, in their order, on the real runtime, and the test that does it: it
/// fails when it has not come to one of them. Those of `kubectl` and `cargo xtask` are others' there, too.
const PLAYED: &[(&str, &str)] = &[
    ("docs/tutorial.md", "tests/e2e/tutorial.rs"),
    ("docs/rest-api.md", "tests/e2e/tutorial.rs"),
    ("docs/how-to/backup-and-restore.md", "tests/e2e/backup.rs"),
    ("docs/how-to/migrate.md", "tests/e2e/migrate.rs"),
];

/// Whose commands are all tried, wherever they stand, and by what.
const TRIED: &[(&str, &str)] = &[
    ("cargo xtask", "xtask/src/documented.rs"),
    ("reminder-scheduler", "tests/docs/cli.rs"),
    ("kubectl", "tests/cluster/kubectl/mod.rs"),
    ("dapr", "tests/cluster/dapr.rs"),
];

/// Programs of Postgres: what they do is no matter of grammar, so their lines stand on a page that is played.
const OF_POSTGRES: [&str; 4] = ["psql", "pg_dump", "pg_restore", "pg_basebackup"];

/// Pages with statements of SQL, and who runs them.
const STATEMENTS: &[(&str, &str)] = &[
    ("docs/how-to/backup-and-restore.md", "tests/e2e/backup.rs"),
    ("docs/how-to/kubernetes.md", "tests/postgres/guides.rs"),
    ("docs/how-to/migrate.md", "tests/postgres/polling.rs"),
];

/// Commands that nobody runs, by their page and how they begin, and why not.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("README.md", "java ", "the consumer of the tutorial, without an end"),
    ("examples/todo-api/README.md", "curl ", "the service's own API, with a port to fill in"),
    ("fuzz/README.md", "cargo install", "needs a nightly compiler, as all that follows"),
    ("fuzz/README.md", "mkdir", "the same"),
    ("fuzz/README.md", "cargo +nightly", "the same; what it fuzzes is run by crates/fuzzing"),
];

/// What prepares the next command: variables, and waiting.
fn only_prepares(command: &str) -> bool {
    let first = command.split(' ').next().unwrap_or_default();
    let assigns = |word: &str| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    matches!(first, "export" | "sleep") || (assigns(first) && program(command).is_empty())
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// A command from its program on; empty when it only sets variables.
fn program(command: &str) -> &str {
    let mut rest = command;
    while let Some((name, value)) = rest.split_once('=')
        && is_name(name)
    {
        let end = if value.starts_with("$(") { value.find(')').map(|at| at + 1) } else { None };
        let after = &value[end.or_else(|| value.find(' ')).unwrap_or(value.len())..];
        rest = after.trim_start();
    }
    rest
}

/// Whether something tries this command.
fn is_tried(page: &Page, command: &str) -> bool {
    let program = program(command);
    let begins = |name: &str| program.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
    if only_prepares(command) || TRIED.iter().any(|(name, _)| begins(name)) {
        return true;
    }
    if begins("cargo test") {
        return names_a_test(program);
    }
    if begins("curl") {
        return shell::commands(command).iter().any(|words| shell::is_checked(words));
    }
    if OF_POSTGRES.iter().any(|name| begins(name)) && !is_played(page) {
        return on_played_pages().contains(command.trim());
    }
    is_played(page)
}

fn is_played(page: &Page) -> bool {
    PLAYED.iter().any(|(path, _)| page.path.to_str() == Some(path))
}

/// The commands of the pages that are played.
fn on_played_pages() -> BTreeSet<String> {
    let played = pages().into_iter().filter(is_played);
    played
        .flat_map(|page| commands_of(&page))
        .map(|(_, command)| command.trim().to_owned())
        .collect()
}

/// Whether a line of `cargo test` runs tests that there are.
fn names_a_test(command: &str) -> bool {
    let words: Vec<&str> = command.split(' ').collect();
    let after = |name: &str| words[words.iter().position(|word| *word == name)? + 1..].first();
    let Some(test) = after("--test") else { return false };
    root().join("tests").join(test).join("main.rs").exists()
}

/// The commands of a page, each with its place.
fn commands_of(page: &Page) -> Vec<(String, String)> {
    let blocks = page.blocks.iter().filter(|block| block.language == "sh");
    let of_block = |block| {
        let place = page.place(block);
        lines::commands(&block.text).into_iter().map(move |command| (place.clone(), command))
    };
    blocks.flat_map(of_block).collect()
}

#[test]
fn every_command_of_the_pages_is_tried_by_somebody() {
    let mut untried = Vec::new();
    let mut used = BTreeSet::new();
    for page in pages() {
        for (place, command) in commands_of(&page) {
            let excepted = EXCEPTIONS.iter().position(|(path, begins, _)| {
                page.path.to_str() == Some(path) && command.starts_with(begins)
            });
            match excepted {
                Some(at) => {
                    used.insert(at);
                }
                None if is_tried(&page, &command) => {}
                None => untried.push(format!("{place}: {command}")),
            }
        }
    }
    assert!(untried.is_empty(), "nobody runs\n{}", untried.join("\n"));
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception that is none any more");
}

#[test]
fn every_statement_of_the_pages_is_run_by_somebody() {
    for page in pages() {
        let run = STATEMENTS.iter().any(|(path, _)| page.path.to_str() == Some(path));
        let block = page.blocks.iter().find(|block| block.language == "sql");
        assert!(run || block.is_none(), "nobody runs {}", page.place(block.unwrap()));
    }
}

#[test]
fn whoever_runs_commands_is_there_and_reads_the_page() {
    for (program, file) in TRIED {
        assert!(root().join(file).exists(), "{program}: {file}");
    }
    for (page, file) in PLAYED.iter().chain(STATEMENTS) {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(page), "{file} does not read {page}");
    }
}

#[test]
fn a_command_that_nobody_runs_is_found() {
    let page = crate::pages::page("docs/operations.md");
    for command in [
        "psql --command 'DROP TABLE reminder_state'",
        "pg_restore reminders.dump",
        "cargo test --features e2e --test nothing",
        "curl -s http://example.org/",
        "helm install something",
        "A=b rm -rf .",
    ] {
        assert!(!is_tried(&page, command), "{command}");
    }
    for command in [
        "DUE=$(date -u -d '+5 seconds' +%FT%TZ)",
        "E2E_INSTANCE=e2e cargo test --features e2e --test e2e",
        "kubectl get pods",
    ] {
        assert!(is_tried(&page, command), "{command}");
    }
}
