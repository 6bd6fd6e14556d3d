//! Names that the documentation uses: of tests, of files, of developer commands.

use crate::pages::{pages, root};
use reminder_scheduler::metrics::TABLE;
use std::collections::BTreeSet;
use std::path::Path;

/// Whether a code span is the name of a test: four or more words joined by `_`.
fn is_test_name(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    // Metrics are named likewise.
    !TABLE.iter().any(|(metric, ..)| *metric == span)
        && span.chars().all(plain)
        && span.split('_').filter(|word| !word.is_empty()).count() >= 4
}

/// The names of all functions below `tests`, `src`, `crates` and `xtask` that are tests: they stand
/// below an attribute that says so, or in a `proptest!` block.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["tests", "src", "crates", "xtask"] {
        collect(&root().join(folder), &mut names);
    }
    assert!(names.contains("every_named_test_exists"));
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                if let Some(function) = function {
                    let name = function.split(['(', '<']).next().unwrap_or_default();
                    names.extend(is_test.then(|| name.to_owned()));
                    is_test = false;
                } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    is_test = true;
                }
            }
        }
    }
}

#[test]
fn every_named_test_exists() {
    let tests = tests();
    let mut missing = BTreeSet::new();
    let mut named = 0;
    for page in pages() {
        for span in page.spans.iter().filter(|span| is_test_name(span)) {
            named += 1;
            if !tests.contains(span) {
                missing.insert(format!("{}: {span}", page.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(named > 20, "the guarantees name their tests");
}

#[test]
fn every_guarantee_names_a_test() {
    let readme = crate::pages::page("README.md");
    let rows = readme.rows_under("Guarantees");
    assert_eq!(rows.len(), 6);
    for row in rows {
        assert!(row.last().unwrap().split([' ', ',']).any(is_test_name), "{row:?}");
    }
}

#[test]
fn every_named_path_exists() {
    let folders: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && name != "target")
        .collect();
    let mut missing = BTreeSet::new();
    // Pages in folders of their own may name files beside them; they are few and link instead.
    for page in pages().iter().filter(|page| page.path.starts_with("docs") || is_at_root(page)) {
        for span in &page.spans {
            let path = span.split([':', ' ']).next().unwrap_or_default();
            let ours = folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
            if ours && !path.contains(['*', '<', '{']) && !root().join(path).exists() {
                missing.insert(format!("{}: {path}", page.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "no such files: {missing:#?}");
}

fn is_at_root(page: &crate::pages::Page) -> bool {
    page.path.parent() == Some(Path::new(""))
}

#[test]
fn every_developer_command_exists() {
    for page in pages() {
        let blocks = page.blocks.iter().map(|block| block.text.as_str());
        for text in page.spans.iter().map(String::as_str).chain(blocks) {
            for after in text.split("cargo xtask ").skip(1) {
                let name: String = after.chars().take_while(char::is_ascii_lowercase).collect();
                let folder = root().join("xtask/src");
                let exists = name.is_empty()
                    || folder.join(format!("{name}.rs")).exists()
                    || folder.join(&name).join("mod.rs").exists();
                assert!(exists, "{}: cargo xtask {name}", page.path.display());
            }
        }
    }
}
