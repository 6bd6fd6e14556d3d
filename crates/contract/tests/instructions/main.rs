//! How many instructions the steps of a turn take: a measure that a busy machine does not change.
//!
//! Valgrind's `callgrind` counts them, one step at a time, and they are compared with those of
//! `baseline.json`: more than a tenth beyond it fails. What grew on purpose is written down anew:
//! `UPDATE_INSTRUCTIONS=1 cargo test -p reminder-contract --features instruction-tests --test instructions`.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod cases;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many more instructions than the baseline are let pass, in hundredths of it.
const TOLERANCE_PERCENT: u64 = 10;
/// What counts of a child: nothing but what happens in here.
const COUNTED: &str = "*counted_step*";

/// Tells the child which step to count.
const STEP_VARIABLE: &str = "INSTRUCTIONS_STEP";

/// What is known of an earlier time. Another compiler makes other instructions of the same code.
#[derive(Deserialize, Serialize)]
struct Baseline {
    rustc: String,
    architecture: String,
    instructions: BTreeMap<String, u64>,
}

#[inline(never)]
fn counted_step(step: &dyn Fn()) {
    step();
}

/// What callgrind looks at: the one step that it is told, or all of them, once and warm.
#[test]
fn steps() {
    let told = std::env::var(STEP_VARIABLE).ok();
    for (name, step) in cases::all() {
        // What is made at the first use of all shall not count.
        step();
        if told.as_deref().is_none_or(|told| told == name) {
            counted_step(&step);
        }
    }
}

#[test]
fn no_step_takes_many_more_instructions_than_it_did() {
    let (rustc, architecture) = (compiler(), std::env::consts::ARCH.to_owned());
    let instructions = counts();
    for (name, counted) in &instructions {
        println!("{counted:>9}  {name}");
    }
    if std::env::var_os("UPDATE_INSTRUCTIONS").is_some() {
        let baseline = Baseline { rustc, architecture, instructions };
        let text = serde_json::to_string_pretty(&baseline).unwrap();
        std::fs::write(baseline_file(), text + "\n").unwrap();
        return;
    }
    let baseline = std::fs::read_to_string(baseline_file()).unwrap();
    let baseline: Baseline = serde_json::from_str(&baseline).unwrap();
    if (&baseline.rustc, &baseline.architecture) != (&rustc, &architecture) {
        println!(
            "not compared: the baseline is of {} on {}",
            baseline.rustc, baseline.architecture
        );
        return;
    }
    let grown = grown(&baseline.instructions, &instructions);
    assert!(grown.is_empty(), "more instructions than the baseline allows:\n{}", grown.join("\n"));
}

/// The steps that take too many, or are not the same ones.
fn grown(was: &BTreeMap<String, u64>, is: &BTreeMap<String, u64>) -> Vec<String> {
    let names = was.keys().chain(is.keys().filter(|name| !was.contains_key(*name)));
    let judge = |name: &String| match (was.get(name), is.get(name)) {
        (Some(was), Some(is)) if is * 100 <= was * (100 + TOLERANCE_PERCENT) => None,
        (Some(was), Some(is)) => Some(format!("{name}: {is}, and {was} before")),
        (None, _) => Some(format!("{name}: not in the baseline")),
        (_, None) => Some(format!("{name}: in the baseline, but it is no step")),
    };
    names.filter_map(judge).collect()
}

/// Counts the instructions of each step, in a child under callgrind for each.
fn counts() -> BTreeMap<String, u64> {
    cases::all().into_iter().map(|(name, _)| (name.to_owned(), count(name))).collect()
}

fn count(step: &str) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--read-inline-info=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "steps", "--test-threads", "1"])
        .env(STEP_VARIABLE, step)
        .output();
    let output =
        output.unwrap_or_else(|error| panic!("valgrind (apt-get install valgrind): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let count = said.lines().find_map(|line| line.split_once(" Collected : "));
    let (_, count) = count.unwrap_or_else(|| panic!("callgrind does not say how many: {said}"));
    match count.trim().parse() {
        Ok(0) | Err(_) => panic!("nothing was counted: {said}"),
        Ok(count) => count,
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn baseline_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instructions/baseline.json")
}

#[test]
fn what_grew_or_is_unknown_is_named() {
    let of = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<BTreeMap<_, _>>()
    };
    assert!(grown(&of(&[("a", 100)]), &of(&[("a", 110)])).is_empty());
    let bad = grown(&of(&[("a", 100), ("gone", 1)]), &of(&[("a", 111), ("new", 1)]));
    assert_eq!(bad.len(), 3, "{bad:?}");
}
