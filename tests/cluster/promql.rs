//! What the alerts and the dashboard ask, and what they name, by Prometheus' own grammar.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use crate::documents::{document, read, root};
use crate::tools;

/// What Grafana puts in the place of its variables.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$namespace", "reminders")];

/// One expression, and where it stands.
pub(crate) struct Asked {
    pub(crate) place: String,
    pub(crate) expression: String,
    pub(crate) names: Names,
}

/// What it names.
#[derive(Clone, Deserialize)]
pub(crate) struct Names {
    errors: usize,
    pub(crate) selectors: Vec<Selector>,
    pub(crate) groups: Vec<String>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Selector {
    pub(crate) metric: String,
    pub(crate) matchers: Vec<Matcher>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) operator: String,
    pub(crate) value: String,
}

/// The rules of the alerts, each as it is written.
pub(crate) fn rules() -> Vec<Value> {
    let resource = document("k8s/monitoring/prometheusrule.yaml");
    let groups = resource.at("/spec/groups").as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// The panels of the dashboard that ask something.
pub(crate) fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&read("k8s/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.filter(|panel| panel["type"] != "row").cloned().collect()
}

/// All that is asked.
pub(crate) fn all() -> &'static [Asked] {
    static ALL: LazyLock<Vec<Asked>> = LazyLock::new(read_all);
    &ALL
}

fn read_all() -> Vec<Asked> {
    let mut asked: Vec<(String, String)> = Vec::new();
    for rule in rules() {
        let name = rule.get("alert").or(rule.get("record")).unwrap().as_str().unwrap().to_owned();
        asked.push((name, rule["expr"].as_str().unwrap().to_owned()));
    }
    for panel in panels() {
        for target in panel["targets"].as_array().unwrap() {
            let mut expression = target["expr"].as_str().unwrap().to_owned();
            for (variable, value) in VARIABLES {
                expression = expression.replace(variable, value);
            }
            asked.push((format!("panel {}", panel["title"]), expression));
        }
    }
    let expressions: Vec<&str> = asked.iter().map(|(_, expression)| &**expression).collect();
    let names = names(&expressions);
    let all = asked.into_iter().zip(names);
    all.map(|((place, expression), names)| Asked { place, expression, names }).collect()
}

fn names(expressions: &[&str]) -> Vec<Names> {
    let mut node = Command::new("node")
        .arg(root().join("tests/cluster/promql/names.mjs"))
        .arg(tools::grammar())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is there, as for other tests");
    let asked = serde_json::to_vec(expressions).unwrap();
    // Dropped at once, so that it sees the end.
    node.stdin.take().unwrap().write_all(&asked).unwrap();
    let answer = node.wait_with_output().unwrap();
    assert!(answer.status.success());
    serde_json::from_slice(&answer.stdout).unwrap()
}

#[test]
fn every_expression_is_promql() {
    assert!(all().len() > 50);
    for asked in all() {
        assert_eq!(asked.names.errors, 0, "{}: {}", asked.place, asked.expression);
        assert!(!asked.names.selectors.is_empty(), "{}", asked.place);
    }
    // A grammar that takes everything would be content, too.
    assert!(names(&["sum by ("])[0].errors > 0);
}

#[test]
fn units_are_those_of_what_is_shown() {
    for panel in panels() {
        let (title, unit) = (&panel["title"], panel["fieldConfig"]["defaults"]["unit"].as_str());
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap();
            let (is_rate, is_share) = (expression.contains("rate("), expression.contains(") / "));
            let quantile = expression.contains("histogram_quantile(");
            let named = |name: &str| expression.contains(name);
            let seconds = (named("_seconds") && !named("_seconds_count")) || named(":seconds");
            let expected = match () {
                () if is_share && unit == Some("percentunit") => "percentunit",
                () if quantile || (seconds && !is_rate) => "s",
                () if is_rate => "ops",
                () => "short",
            };
            assert_eq!(unit, Some(expected), "{title}: {expression}");
        }
    }
}

#[test]
fn panels_lie_side_by_side_and_say_what_they_show() {
    let mut taken = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in panels() {
        assert!(titles.insert(panel["title"].to_string()), "{} is there twice", panel["title"]);
        let description = panel["description"].as_str().unwrap();
        assert!(description.ends_with('.'), "{}", panel["title"]);
        let of = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(of("x") + of("w") <= 24);
        for x in of("x")..of("x") + of("w") {
            for y in of("y")..of("y") + of("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
}
