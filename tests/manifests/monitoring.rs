//! Scraping and alerts: they name ports, paths and metrics that there are.

use reminder_contract::names;
use reminder_scheduler::metrics::TABLE;

use crate::documents::{Document, document};

fn rules() -> Document {
    document("k8s/monitoring/prometheusrule.yaml")
}

/// The metrics that an expression names: words with our prefix.
fn named(expression: &str) -> Vec<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("reminder_")).collect()
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let rules = rules();
    let rules = rules.at("/spec/groups/0/rules").as_array().unwrap().clone();
    assert!(rules.len() >= 5);
    for rule in rules {
        let expression = rule["expr"].as_str().unwrap();
        let named = named(expression);
        assert!(!named.is_empty(), "{expression}");
        for name in named {
            // A histogram is scraped as several series.
            let parts = ["_bucket", "_count", "_sum"];
            let base = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
            let known = TABLE.iter().find(|(known, ..)| *known == base);
            let (_, kind, _) = known.unwrap_or_else(|| panic!("there is no metric {name}"));
            assert_eq!(base != name, *kind == "histogram", "{name}");
        }
        for text in ["summary", "description"] {
            assert!(rule["annotations"][text].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
}

#[test]
fn scrapes_reach_the_metrics_of_the_pods() {
    let monitor = document("k8s/monitoring/podmonitor.yaml");
    let deployment = document("k8s/base/deployment.yaml");
    let endpoint = monitor.at("/spec/podMetricsEndpoints/0");
    assert_eq!(endpoint["path"], names::METRICS_PATH);
    let container = "/spec/template/spec/containers/0";
    assert_eq!(&endpoint["port"], deployment.at(&format!("{container}/ports/0/name")));
    assert_eq!(
        monitor.at("/spec/selector/matchLabels"),
        deployment.at("/spec/selector/matchLabels")
    );
}
