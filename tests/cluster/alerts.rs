//! The alerts by promtool: their syntax, and when they fire, on series that are played to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::command::succeed;
use crate::documents::{document, root};
use crate::promql;
use crate::tools;

const PROMTOOL_DEADLINE: Duration = Duration::from_secs(120);

/// The rules as Prometheus reads them: what the operator makes of the resource.
fn rule_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules");
    fs::create_dir_all(&folder).unwrap();
    let resource = document("k8s/monitoring/prometheusrule.yaml");
    let file = folder.join("rules.json");
    fs::write(&file, json!({ "groups": resource.at("/spec/groups") }).to_string()).unwrap();
    file
}

fn promtool(arguments: &[&str], files: &[&Path]) -> String {
    let mut promtool = Command::new(tools::promtool());
    promtool.args(arguments).args(files);
    succeed(&mut promtool, PROMTOOL_DEADLINE)
}

#[test]
fn prometheus_takes_the_rules_and_what_the_dashboard_asks() {
    let rules = rule_file();
    promtool(&["check", "rules"], &[&rules]);
    // A question of the dashboard is a rule that records its answer.
    let asked = promql::all().iter().filter(|asked| asked.place.starts_with("panel "));
    let rules: Vec<_> = asked
        .enumerate()
        .map(|(n, asked)| json!({ "record": format!("panel:{n}"), "expr": asked.expression }))
        .collect();
    let file = rule_file().with_file_name("dashboard.json");
    fs::write(&file, json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string())
        .unwrap();
    let said = promtool(&["check", "rules"], &[&file]);
    assert!(said.contains(&format!("{} rules found", rules.len())), "{said}");
}

#[test]
fn alerts_fire_when_they_should_and_not_before() {
    // The cases name the file of the rules as one beside them.
    let cases = rule_file().with_file_name("alerts.yaml");
    fs::copy(root().join("tests/cluster/alerts.yaml"), &cases).unwrap();
    let said = promtool(&["test", "rules"], &[&cases]);
    assert!(said.contains("SUCCESS"), "{said}");
    // Every alert is in some case that has it fire.
    let text = fs::read_to_string(&cases).unwrap();
    for rule in promql::rules() {
        if let Some(name) = rule.get("alert").and_then(|name| name.as_str()) {
            let fires = text.contains(&format!("alertname=\"{name}\""));
            assert!(fires, "no case has {name} fire");
        }
    }
}
