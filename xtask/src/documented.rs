//! The command lines that the documentation shows, held against the parser: every page, every `sh` block,
//! every code span that is a whole command.

use std::path::{Path, PathBuf};

use clap::Parser;
use pulldown_cmark::{CodeBlockKind, Event, Parser as Markdown, Tag, TagEnd};
use reminder_stack::options::workspace_root;

use crate::Cli;

const CALL: &str = "cargo xtask ";

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", "node_modules"];

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                find(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// The command lines of a page, without comments and what the shell does with their output.
fn command_lines(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_shell = false;
    for event in Markdown::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                in_shell = &*language == "sh";
            }
            Event::End(TagEnd::CodeBlock) => in_shell = false,
            Event::Text(text) if in_shell => {
                let joined = text.replace("\\\n", " ");
                found.extend(joined.lines().filter_map(command).map(str::to_owned));
            }
            Event::Code(span) if !is_a_pattern(&span) => {
                found.extend(command(&span).map(str::to_owned));
            }
            _ => {}
        }
    }
    found
}

/// What stands behind `cargo xtask`, with variables or without.
fn command(line: &str) -> Option<&str> {
    let (before, command) = line.split_once(CALL)?;
    let ours = before.split_whitespace().all(|word| word.contains('='));
    let end = command.find(['#', '|', '>', ';']).unwrap_or(command.len());
    let command = command[..end].trim();
    (ours && !command.is_empty()).then_some(command)
}

/// Whether a span stands for many command lines: it has a gap, or a word in capitals to be replaced.
fn is_a_pattern(span: &str) -> bool {
    let capitals = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    span.contains('…') || span.split(' ').any(|word| capitals(word) || word == "N" || word == "M")
}

fn understood(command: &str) -> Result<(), String> {
    let words = command.split_whitespace();
    match Cli::try_parse_from(std::iter::once("cargo xtask").chain(words)) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[test]
fn every_documented_command_line_is_understood() {
    let mut files = Vec::new();
    find(&workspace_root(), &mut files);
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files {
        for command in command_lines(&std::fs::read_to_string(&file).unwrap()) {
            count += 1;
            if let Err(error) = understood(&command) {
                wrong.push(format!("{}: {CALL}{command}: {error}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "the developer's commands are documented");
}

#[test]
fn a_wrong_word_is_found() {
    let page = "`cargo xtask up` and `cargo xtask simulate replay SEED`\n\n```sh\nA=b cargo xtask logs app -f  # all\n\
                cargo xtask bench \\\n  index\necho cargo xtask nothing\n```\n";
    assert_eq!(command_lines(page), ["up", "logs app -f", "bench    index"]);
    assert!(understood("bench index --rows 1000").is_ok());
    assert!(understood("bench index --row 1000").is_err() && understood("upp").is_err());
}
