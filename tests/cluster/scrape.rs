//! A scrape of the running service: it is what the table in the code says, what Prometheus' linter likes,
//! and what alerts and the dashboard ask for, down to labels and their values.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use reminder_contract::names::METRICS_PATH;
use reminder_scheduler::metrics::TABLE;
use reminder_stack::options::{instance_dir, workspace_root};
use reminder_stack::{Manifest, probe};

use crate::promql::{self, Selector};
use crate::tools;

/// Names the running stack.
const INSTANCE_VARIABLE: &str = "CLUSTER_INSTANCE";

/// Until the service has done something and was scraped.
const SCRAPE_DEADLINE: Duration = Duration::from_secs(60);

/// The labels that Prometheus adds to whatever it scrapes from a pod.
const OF_THE_TARGET: [&str; 2] = ["namespace", "pod"];

/// The values of a label, by its name.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// A scrape, once the audit of the service has done a round.
fn scraped() -> String {
    let instance = std::env::var(INSTANCE_VARIABLE).expect(
        "a running stack: use `cargo xtask test`, or see the head of tests/cluster/main.rs",
    );
    let manifest = Manifest::read(&instance_dir(&workspace_root(), &instance)).unwrap();
    let port = manifest.replica(1).unwrap().app_port;
    let scrape = || async {
        let text = probe::get(port, METRICS_PATH, &[]).await.ok()?.body;
        let done = "reminder_audit_rounds_total{outcome=\"done\"} ";
        let rounds: f64 = text.lines().find_map(|line| line.strip_prefix(done))?.parse().ok()?;
        (rounds >= 1.0).then_some(text)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(probe::until(SCRAPE_DEADLINE, scrape)).expect("the service is scraped")
}

/// The series of a scrape by the name of their metric; the labels of each metric with their values.
fn series(text: &str) -> BTreeMap<String, Labels> {
    let mut found: BTreeMap<String, Labels> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        // What follows is an exemplar.
        let sample = line.split(" # ").next().unwrap();
        let (series, _) = sample.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let known = found.entry(name.to_owned()).or_default();
        for pair in labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty()) {
            let (label, value) = pair.split_once("=\"").unwrap();
            let values = known.entry(label.to_owned()).or_default();
            values.insert(value.trim_end_matches('"').to_owned());
        }
    }
    found
}

/// The name in the table for that of a series.
fn base(name: &str) -> &str {
    let histogram = |base: &&str| TABLE.iter().any(|row| row.0 == *base && row.1 == "histogram");
    let parts = ["_bucket", "_count", "_sum"];
    parts.iter().find_map(|part| name.strip_suffix(part).filter(histogram)).unwrap_or(name)
}

#[test]
fn the_scrape_is_what_the_table_says() {
    let series = series(&scraped());
    let told: BTreeSet<&str> = series.keys().map(|name| base(name)).collect();
    assert_eq!(told, TABLE.iter().map(|(name, ..)| *name).collect());
    for (name, labels) in &series {
        let (_, kind, told) = TABLE.iter().find(|(known, ..)| known == &base(name)).unwrap();
        let mut expected: BTreeSet<&str> = told.split(", ").filter(|label| *label != "-").collect();
        if *kind == "histogram" && name.ends_with("_bucket") {
            expected.insert("le");
        }
        let labels: BTreeSet<&str> = labels.keys().map(|label| &**label).collect();
        assert_eq!(labels, expected, "{name}");
    }
}

#[test]
fn prometheus_own_linter_likes_the_names() {
    // The linter reads the older format: there a counter is declared by its whole name, and what comes
    // with OpenMetrics is not known.
    let counters = TABLE.iter().filter(|(_, kind, _)| *kind == "counter");
    let scraped = scraped();
    let lines = scraped.lines().filter(|line| !line.starts_with("# EOF"));
    let lines: Vec<&str> = lines.map(|line| line.split(" # ").next().unwrap()).collect();
    let mut text = lines.join("\n") + "\n";
    for (name, ..) in counters {
        let declared = name.strip_suffix("_total").unwrap();
        for what in ["HELP", "TYPE"] {
            text = text.replace(&format!("# {what} {declared} "), &format!("# {what} {name} "));
        }
    }
    let lint = |text: &str| {
        let mut promtool = Command::new(tools::promtool())
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let answer = promtool.wait_with_output().unwrap();
        (answer.status.success(), String::from_utf8_lossy(&answer.stderr).into_owned())
    };
    let (good, said) = lint(&text);
    assert!(good, "{said}");
    assert!(!lint("# TYPE x_milliseconds counter\nx_milliseconds 1\n").0, "it likes everything");
}

/// The metrics behind a name, which may be that of a recording rule.
fn scraped_behind(selector: &Selector) -> Vec<&Selector> {
    match promql::all().iter().find(|asked| asked.place == selector.metric) {
        None => vec![selector],
        Some(rule) => rule.names.selectors.iter().flat_map(scraped_behind).collect(),
    }
}

#[test]
fn alerts_and_the_dashboard_ask_for_what_there_is() {
    let series = series(&scraped());
    let mut asked_for = BTreeSet::new();
    for asked in promql::all() {
        let mut labels: BTreeSet<&str> = OF_THE_TARGET.into();
        for selector in &asked.names.selectors {
            for behind in scraped_behind(selector) {
                let place = format!("{}: {}", asked.place, behind.metric);
                let known = series.get(&behind.metric);
                let known = known.unwrap_or_else(|| panic!("{place} is not in a scrape"));
                asked_for.insert(base(&behind.metric).to_owned());
                labels.extend(known.keys().map(|label| &**label));
                for matcher in behind.matchers.iter().filter(|one| !is_of_the_target(&one.label)) {
                    let values = known.get(&matcher.label);
                    let values =
                        values.unwrap_or_else(|| panic!("{place} has no label {}", matcher.label));
                    let wanted = match &*matcher.operator {
                        "=~" | "!~" => matcher.value.split('|').collect(),
                        _ => vec![&*matcher.value],
                    };
                    for value in wanted {
                        assert!(
                            values.contains(value),
                            "{place}: {} is never {value}",
                            matcher.label
                        );
                    }
                }
            }
        }
        for group in &asked.names.groups {
            assert!(labels.contains(&**group), "{}: nothing has a label {group}", asked.place);
        }
    }
    // What nobody looks at need not be counted.
    let all: BTreeSet<String> = TABLE.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(asked_for, all);
}

fn is_of_the_target(label: &str) -> bool {
    OF_THE_TARGET.contains(&label)
}
