//! Scraping: it reaches the port and the path that there are. What alerts and the dashboard name is checked
//! by tests/cluster, against a real scrape.

use reminder_contract::names;

use crate::documents::document;

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
