//! The lines of Dapr's own command line in the pages. It is made for a cluster, so nobody runs it here: what is held
//! against Dapr's release are the versions and values that they name, and the rest against a list of what was read in
//! its reference.

use std::fs;

use crate::documents::{self, Document};
use crate::pages::{Page, pages};
use crate::{lines, tools};

/// The verbs that the pages use, with their options; `=` stands for a value that follows.
const KNOWN: &[(&str, &[&str])] = &[
    ("init", &["--kubernetes", "--enable-ha", "--wait", "--set ="]),
    ("status", &["--kubernetes"]),
    ("upgrade", &["--kubernetes", "--runtime-version ="]),
    ("run", &["-f ="]),
];

/// The lines of a page, in blocks and in its text, without gaps.
fn lines_of(page: &Page) -> Vec<String> {
    let blocks = page.blocks.iter().filter(|block| block.language == "sh");
    let blocks = blocks.flat_map(|block| lines::commands(&block.text));
    let found = blocks.chain(page.spans.iter().cloned());
    found.filter(|line| line.starts_with("dapr ") && !line.contains(['…', '<'])).collect()
}

/// Why a line is none.
fn judge(line: &str) -> Result<(), String> {
    let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "\\").collect();
    let (_, options) = KNOWN
        .iter()
        .find(|(verb, _)| words.get(1) == Some(verb))
        .ok_or_else(|| "no such verb".to_owned())?;
    let mut rest = words[2..].iter();
    while let Some(option) = rest.next() {
        if options.contains(option) {
            continue;
        }
        if !options.contains(&&*format!("{option} =")) {
            return Err(format!("no option {option}"));
        }
        let value = rest.next().ok_or_else(|| format!("{option} has no value"))?;
        match *option {
            "--set" => set(value)?,
            "--runtime-version" if format!("v{value}") != tools::dapr_version() => {
                return Err(format!("{value} is not {}", tools::dapr_version()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether Dapr's chart has the value that is set.
fn set(assigned: &str) -> Result<(), String> {
    let unknown = || format!("the chart knows no {assigned}");
    let (name, _) = assigned.split_once('=').ok_or_else(unknown)?;
    let (chart, value) = name.split_once('.').ok_or_else(unknown)?;
    let file = tools::dapr_chart().join("charts").join(chart).join("values.yaml");
    let text = fs::read_to_string(&file).map_err(|_| unknown())?;
    let values: Vec<Document> = documents::parse(&file, &text);
    let pointer = format!("/{}", value.replace('.', "/"));
    values[0].value.pointer(&pointer).map(drop).ok_or_else(unknown)
}

#[test]
fn what_the_pages_tell_dapr_is_in_its_release() {
    let mut count = 0;
    for page in pages() {
        for line in lines_of(&page) {
            count += 1;
            let judged = judge(&line);
            assert!(judged.is_ok(), "{}: {line}: {judged:?}", page.path.display());
        }
        // Options that the text adds to a line.
        for added in page.spans.iter().filter_map(|span| span.strip_prefix("--set ")) {
            assert_eq!(set(added), Ok(()), "{}", page.path.display());
        }
    }
    assert!(count >= 4, "{count} lines");
    for wrong in [
        "dapr install",
        "dapr init --ha",
        "dapr init --set a.b=c",
        "dapr upgrade --runtime-version 1.0.0",
    ] {
        assert!(judge(wrong).is_err(), "{wrong}");
    }
}

/// The volumes that a page names, and that the API server of the test has.
#[test]
fn the_schedulers_volumes_are_called_as_the_chart_calls_them() {
    let folder = tools::dapr_chart().join("charts/dapr_scheduler/templates");
    let text = fs::read_to_string(folder.join("dapr_scheduler_statefulset.yaml")).unwrap();
    for name in ["name: dapr-scheduler-server\n", "name: dapr-scheduler-data-dir\n"] {
        assert!(text.contains(name), "{name}");
    }
}
