//! The Markdown files of the repository, taken apart. (`tests/e2e`, `tests/cluster` and xtask, which run what they
//! say, take them apart by this as well.)

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// A fenced block of code.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// One file.
#[derive(Default)]
pub(crate) struct Page {
    /// Below the repository's root.
    pub(crate) path: PathBuf,
    pub(crate) links: Vec<String>,
    /// The anchors of its headings.
    pub(crate) anchors: BTreeSet<String>,
    /// Code within text.
    pub(crate) spans: Vec<String>,
    /// The lines of the spans.
    pub(crate) span_lines: Vec<usize>,
    pub(crate) blocks: Vec<Block>,
    /// The rows of its tables, heads left out, each with the heading it stands under.
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

impl Page {
    /// The rows of the tables under one heading.
    pub(crate) fn rows_under(&self, heading: &str) -> Vec<&[String]> {
        let rows = self.rows.iter().filter(|(under, _)| under == heading);
        rows.map(|(_, cells)| cells.as_slice()).collect()
    }

    /// Where a block is, for the report of a failure.
    pub(crate) fn place(&self, block: &Block) -> String {
        format!("{}:{}", self.path.display(), block.line)
    }
}

/// The repository: the folder of the crate that this is compiled into, or one above it.
pub(crate) fn root() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("CONTRIBUTING.md").exists()).unwrap()
}

/// Every page.
pub(crate) fn pages() -> Vec<Page> {
    let mut files = Vec::new();
    find(root(), &mut files);
    files.sort();
    let pages: Vec<Page> = files.iter().map(|file| read(file)).collect();
    assert!(pages.iter().any(|page| page.path == Path::new("README.md")));
    pages
}

pub(crate) fn page(path: &str) -> Page {
    read(&root().join(path))
}

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

fn read(file: &Path) -> Page {
    let text = std::fs::read_to_string(file).unwrap();
    parse(file.strip_prefix(root()).unwrap(), &text)
}

/// Takes a page apart.
pub(crate) fn parse(path: &Path, text: &str) -> Page {
    let mut page = Page { path: path.to_path_buf(), ..Page::default() };
    let mut heading: Option<String> = None;
    let mut under = String::new();
    let mut block: Option<Block> = None;
    let mut in_head = false;
    let mut cells: Vec<String> = Vec::new();
    let mut cell: Option<String> = None;
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                under = heading.take().unwrap();
                page.anchors.insert(anchor(&under));
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                let line = text[..range.start].lines().count() + 1;
                block = Some(Block { language: language.to_string(), text: String::new(), line });
            }
            Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.to_string());
            }
            Event::Start(Tag::TableHead) => in_head = true,
            Event::End(TagEnd::TableHead) => in_head = false,
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => cells.extend(cell.take().filter(|_| !in_head)),
            Event::End(TagEnd::TableRow) => {
                page.rows.push((under.clone(), std::mem::take(&mut cells)));
            }
            Event::Code(code) => {
                page.spans.push(code.to_string());
                page.span_lines.push(text[..range.start].lines().count());
                for text in [&mut heading, &mut cell].into_iter().flatten() {
                    text.push_str(&code);
                }
            }
            Event::Text(more) => {
                let block = block.as_mut().map(|block| &mut block.text);
                for text in [block, heading.as_mut(), cell.as_mut()].into_iter().flatten() {
                    text.push_str(&more);
                }
            }
            _ => {}
        }
    }
    page
}

/// The anchor that GitHub and mdBook give a heading.
fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
