//! The command lines that the documentation shows, held against the parser: every page, every `sh` block,
//! every code span that is a whole command.

use clap::Parser;

use self::pages::Page;
use crate::Cli;

#[path = "../../tests/docs/pages.rs"]
#[expect(dead_code, reason = "what only tests/docs needs")]
mod pages;

const CALL: &str = "cargo xtask ";

/// The command lines of a page, without comments and what the shell does with their output.
fn command_lines(page: &Page) -> Vec<String> {
    let scripts = page.blocks.iter().filter(|block| block.language == "sh");
    let joined: Vec<String> = scripts.map(|block| block.text.replace("\\\n", " ")).collect();
    let spans = page.spans.iter().map(String::as_str).filter(|span| !is_a_pattern(span));
    let lines = joined.iter().flat_map(|script| script.lines()).chain(spans);
    lines.filter_map(command).map(str::to_owned).collect()
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
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::pages() {
        for command in command_lines(&page) {
            count += 1;
            if let Err(error) = understood(&command) {
                wrong.push(format!("{}: {CALL}{command}: {error}", page.path.display()));
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
    let page = pages::parse("page.md".as_ref(), page);
    assert_eq!(command_lines(&page), ["logs app -f", "bench    index", "up"]);
    assert!(understood("bench index --rows 1000").is_ok());
    assert!(understood("bench index --row 1000").is_err() && understood("upp").is_err());
}
