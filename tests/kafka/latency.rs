//! What is measured of publishing, as Prometheus would scrape it.

use crate::suite::{EVENT_DEADLINE, Suite, test};
use reminder_contract::names::{METRICS_PATH, TASK_UPDATES};
use reminder_stack::probe;
use serde_json::json;

/// The metrics of all replicas, one text after the other.
async fn scrape(suite: &Suite) -> String {
    let mut text = String::new();
    for replica in suite.manifest.replicas.values() {
        text += &probe::get(replica.app_port, METRICS_PATH, &[]).await.unwrap().body;
    }
    text
}

/// The sum of a series over the replicas; 0 before it is there.
fn sum(text: &str, series: &str) -> f64 {
    let values = text.lines().filter_map(|line| line.strip_prefix(series));
    values.map(|value| value.trim().parse::<f64>().unwrap()).sum()
}

fn series(name: &str, part: &str) -> String {
    format!("{name}_{part}{{topic=\"{TASK_UPDATES}\"}} ")
}

#[test]
fn publish_latency_is_scraped_by_topic() {
    test(async |suite| {
        let events = series("reminder_publish_seconds", "count");
        let calls = series("reminder_publish_call_seconds", "count");
        let before = scrape(suite).await;
        let task = suite.unique("latency");
        for title in ["One", "Two", "Three"] {
            suite.put(1, &task, json!({ "title": title, "userId": "u@example.org" })).await;
        }
        let after = probe::until(EVENT_DEADLINE, || async {
            let text = scrape(suite).await;
            (sum(&text, &events) >= sum(&before, &events) + 3.0).then_some(text)
        });
        let after = after.await.expect("three events more are measured");
        // They are of one task, so they went out in three calls.
        assert!(sum(&after, &calls) >= sum(&before, &calls) + 3.0, "{after}");
        for name in ["reminder_publish_seconds", "reminder_publish_call_seconds"] {
            let took = sum(&after, &series(name, "sum"));
            assert!(took > 0.0, "{name} is nothing:\n{after}");
            let all = format!("{name}_bucket{{le=\"+Inf\",topic=\"{TASK_UPDATES}\"}} ");
            assert_eq!(sum(&after, &all).to_bits(), sum(&after, &series(name, "count")).to_bits());
        }
        // An event takes at least as long as the call that it went out with.
        let mean = |name| sum(&after, &series(name, "sum")) / sum(&after, &series(name, "count"));
        println!(
            "from commit to acknowledgement {:.1} ms, a call {:.1} ms, in the mean",
            1e3 * mean("reminder_publish_seconds"),
            1e3 * mean("reminder_publish_call_seconds"),
        );
    });
}
