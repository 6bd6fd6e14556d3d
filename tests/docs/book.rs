//! The book of `docs/`: its summary names every page once, and no page that is not there.

use crate::pages::{page, pages, root};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The order of the pages, for mdBook and for whoever reads them from start to end.
const SUMMARY: &str = "docs/SUMMARY.md";

/// The pages of the book, as the summary names them.
fn listed() -> Vec<PathBuf> {
    page(SUMMARY).links.iter().map(|link| Path::new("docs").join(link)).collect()
}

#[test]
fn the_summary_lists_every_page_once() {
    let listed = listed();
    let mut seen = BTreeSet::new();
    let twice: Vec<&PathBuf> = listed.iter().filter(|path| !seen.insert(*path)).collect();
    assert!(twice.is_empty(), "{SUMMARY} names these twice: {twice:?}");
    let there: Vec<PathBuf> = pages()
        .into_iter()
        .map(|page| page.path)
        .filter(|path| path.starts_with("docs") && *path != Path::new(SUMMARY))
        .collect();
    let missing: Vec<&PathBuf> = there.iter().filter(|path| !seen.contains(path)).collect();
    assert!(missing.is_empty(), "{SUMMARY} does not name {missing:?}");
    let gone: Vec<&&PathBuf> = seen.iter().filter(|path| !there.contains(path)).collect();
    assert!(gone.is_empty(), "{SUMMARY} names what is not a page of the book: {gone:?}");
}

#[test]
fn the_book_begins_with_its_introduction() {
    assert_eq!(listed().first(), Some(&PathBuf::from("docs/introduction.md")));
}

#[test]
fn every_page_of_the_book_has_one_title() {
    for path in listed() {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        assert!(text.starts_with("# "), "{} does not begin with its title", path.display());
    }
}
