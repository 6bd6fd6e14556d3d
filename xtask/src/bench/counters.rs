//! What the service counted of itself, from `/metrics`.

use anyhow::{Context, Result};
use reminder_stack::{Manifest, probe};

/// The families that tell how a load was taken.
const TOLD: [&str; 7] = [
    "reminder_wakes_total",
    "reminder_overloads_total",
    "reminder_commits_total",
    "reminder_turns_doubtful_total",
    "reminder_publish_failures_total",
    "reminder_audit_found_total",
    "reminder_audit_rounds_total",
];

/// Those that are not zero.
pub(super) async fn notes(manifest: &Manifest) -> Result<Vec<String>> {
    let port = manifest.replica(1)?.app_port;
    let answer = probe::get(port, "/metrics", &[]).await.context("the service tells no metrics")?;
    Ok(lines(&answer.body))
}

fn lines(text: &str) -> Vec<String> {
    let told = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        TOLD.contains(&name) && !line.ends_with(" 0")
    };
    text.lines().filter(told).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_zero_or_of_no_interest_is_left_out() {
        let text = "# TYPE reminder_wakes counter\nreminder_wakes_total{outcome=\"answered\"} 7\n\
                    reminder_wakes_total{outcome=\"overloaded\"} 0\nreminder_commits_total{outcome=\"fenced\"} 2\n\
                    process_things 3\n";
        assert_eq!(
            lines(text),
            [
                "reminder_wakes_total{outcome=\"answered\"} 7",
                "reminder_commits_total{outcome=\"fenced\"} 2"
            ]
        );
    }
}
