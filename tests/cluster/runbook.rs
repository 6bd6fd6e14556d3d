//! Each alert has an entry in the runbook, and leads there.

use std::collections::BTreeSet;

use crate::documents::read;
use crate::promql;

const RUNBOOK: &str = "https://reminder-scheduler.dev/runbook#";

#[test]
fn every_alert_says_how_bad_it_is_and_leads_to_its_entry() {
    let text = read("docs/runbook.md");
    let entries: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let mut alerts = BTreeSet::new();
    let rules = promql::rules();
    for rule in rules.iter().filter(|rule| rule.get("alert").is_some()) {
        let name = rule["alert"].as_str().unwrap();
        assert!(alerts.insert(name), "{name} is there twice");
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        let annotation = |name: &str| rule["annotations"][name].as_str().unwrap_or_default();
        assert!(!annotation("summary").is_empty() && !annotation("description").is_empty());
        let anchor = annotation("runbook_url").strip_prefix(RUNBOOK);
        assert_eq!(anchor, Some(&*name.to_lowercase()), "{name}");
    }
    let entries: BTreeSet<&str> =
        entries.into_iter().filter(|entry| !entry.contains(' ')).collect();
    assert_eq!(entries, alerts);
}
