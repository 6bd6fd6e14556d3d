//! How far the clocks are apart. "Early" and "late" are by the clock of the service's host, so one that
//! is off makes reminders early or late by as much.

use super::finding::Finding;
use super::service;
use crate::read_model::DatabaseFacts;

/// Apart by more, in ms: reminders are noticeably off.
const WARN_MS: i64 = 500;
/// Apart by more, in ms: leases and graces do not mean what they say any more.
const FAIL_MS: i64 = 5_000;

/// Ours beside those of Postgres and of the sidecar.
pub(super) async fn look(http_port: u16, database: Option<&DatabaseFacts>) -> Finding {
    let sidecar = service::sidecar_clock(http_port).await.ok();
    // The least that it can be, whatever the time that the question took.
    let database = database.map(|facts| (facts.clock_ahead_ms, facts.clock_error_ms));
    verdict(sidecar, database)
}

fn verdict(sidecar: Option<(i64, i64)>, database: Option<(i64, i64)>) -> Finding {
    let mut seen = Vec::new();
    let mut worst = 0;
    if let Some((ahead, error)) = database {
        seen.push(format!("Postgres {ahead:+} ms (give or take {error})"));
        worst = worst.max(beyond(ahead - error, ahead + error));
    }
    if let Some((least, most)) = sidecar {
        seen.push(format!("the sidecar between {least:+} and {most:+} ms"));
        worst = worst.max(beyond(least, most));
    }
    if seen.is_empty() {
        return Finding::skipped("clocks", "needs Postgres or the sidecar");
    }
    let seen = format!("beside ours: {}", seen.join(", "));
    let advice = "Have NTP set the clocks of all hosts. A reminder is early or late by as much as the \
                  clock of its host is off.";
    match worst {
        FAIL_MS.. => Finding::fail("clocks", seen, advice),
        WARN_MS.. => Finding::warn("clocks", seen, advice),
        _ => Finding::ok("clocks", seen),
    }
}

/// How far a difference is from nothing at least, when it lies between two values.
fn beyond(least: i64, most: i64) -> i64 {
    least.max(-most).max(0)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_difference_counts_as_far_as_it_is_certain() {
        assert_eq!(beyond(-999, 3), 0);
        assert_eq!(beyond(400, 1_400), 400);
        assert_eq!(beyond(-3_000, -2_000), 2_000);
    }

    #[test]
    fn clocks_are_judged_by_the_worst_of_them() {
        let status = |sidecar, database| verdict(sidecar, database).status;
        assert_eq!(status(Some((-990, 12)), Some((3, 2))), Status::Ok);
        assert_eq!(status(None, Some((-700, 10))), Status::Warn);
        assert_eq!(status(None, Some((700, 300))), Status::Ok, "it may be less");
        assert_eq!(status(Some((6_000, 7_000)), Some((3, 2))), Status::Fail);
        assert_eq!(status(None, None), Status::Skipped);
    }
}
