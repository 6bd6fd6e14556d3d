//! Recurrence against python-dateutil: random series, and the first occurrences of each.
//!
//! `DATEUTIL_PYTHON` names a python that has dateutil and tzdata; `DIFFERENTIAL_SEED` and
//! `DIFFERENTIAL_CASES` choose other series. What dateutil does differently by intention is written
//! in `oracle.py`; any other difference fails.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod generate;

use generate::{Case, Random};
use reminder_domain::recurrence::{Clock, LocalMoment, Rule, Series};
use reminder_domain::time::zone_database;
use serde::Deserialize;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// The series tried unless told otherwise.
const SEED: u64 = 5545;
const CASES: usize = 4_000;

/// How many differences are told of.
const SHOWN: usize = 10;

#[derive(Deserialize)]
struct Answer {
    /// Local time, and the instant in seconds.
    occurrences: Vec<(String, i64)>,
    /// There are no more in the years that are looked at.
    ended: bool,
}

#[test]
fn occurrences_are_those_of_dateutil() {
    let seed = setting("DIFFERENTIAL_SEED", SEED);
    let wanted = setting("DIFFERENTIAL_CASES", CASES);
    println!("DIFFERENTIAL_SEED={seed}, {wanted} series");
    let mut random = Random::new(seed);
    let mut refused = 0;
    let cases: Vec<Case> = std::iter::repeat_with(|| Case::random(&mut random))
        .take(wanted * 2)
        .filter(|case| {
            let usable = Rule::parse(&case.rule).is_ok();
            refused += usize::from(!usable);
            usable
        })
        .take(wanted)
        .collect();
    assert_eq!(cases.len(), wanted, "too many rules are refused");
    let answers = ask(&cases);
    assert_eq!(answers.len(), cases.len(), "the oracle stopped early");
    let differences: Vec<String> =
        cases.iter().zip(&answers).filter_map(|(case, answer)| difference(case, answer)).collect();
    let compared: usize = answers.iter().map(|answer| answer.occurrences.len()).sum();
    println!("{refused} more were refused; {compared} occurrences compared");
    assert!(
        differences.is_empty(),
        "{} of {wanted} series differ with DIFFERENTIAL_SEED={seed}:\n{}",
        differences.len(),
        differences[..differences.len().min(SHOWN)].join("\n")
    );
}

fn setting<T: std::str::FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Puts all cases to the oracle at once.
fn ask(cases: &[Case]) -> Vec<Answer> {
    let python = std::env::var("DATEUTIL_PYTHON").expect("DATEUTIL_PYTHON names a python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/oracle.py");
    let mut oracle = Command::new(python)
        .arg(script)
        // Zones come from the tzdata package, whose version is pinned, not from the machine.
        .env("PYTHONTZPATH", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = oracle.stdin.take().unwrap();
    let lines: String =
        cases.iter().map(|case| serde_json::to_string(case).unwrap() + "\n").collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = oracle.wait_with_output().unwrap();
    // An oracle that has failed has told why on its standard error.
    writer.join().unwrap().ok();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let zones: String = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(zones, zone_database(), "tzdata and chrono-tz must be of one version: see xtask");
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How our occurrences differ from the oracle's, if they do.
fn difference(case: &Case, answer: &Answer) -> Option<String> {
    let rule = Rule::parse(&case.rule).unwrap();
    let moments = |texts: &[String]| -> Vec<LocalMoment> {
        texts.iter().map(|text| LocalMoment::parse(text).unwrap()).collect()
    };
    let (exdates, rdates) = (moments(&case.exdates), moments(&case.rdates));
    let time_of_day = case.time_of_day.as_ref().map(|text| text.parse().unwrap());
    let clock = Clock { zone: case.zone.parse().unwrap(), time_of_day };
    let start = case.start.parse().unwrap();
    let series = Series { rule: &rule, start, exdates: &exdates, rdates: &rdates, clock };
    let ours = std::iter::successors(series.first(), |last| series.next(&last.cursor));
    let ours: Vec<(String, i64)> = ours
        .map(|occurrence| {
            let local = occurrence.cursor.local.format("%Y-%m-%dT%H:%M:%S").to_string();
            (local, occurrence.resolved.at.as_millis() / 1000)
        })
        .take_while(|(local, _)| *local < case.horizon())
        .take(answer.occurrences.len() + usize::from(answer.ended))
        .collect();
    let theirs = &answer.occurrences;
    if ours == *theirs {
        return None;
    }
    let place = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
    Some(format!(
        "{}\n  at {place}: ours {:?}, theirs {:?}",
        serde_json::to_string(case).unwrap(),
        ours.get(place),
        theirs.get(place)
    ))
}
