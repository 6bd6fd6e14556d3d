//! The tables about more: replicas, pending tasks, and tasks within the horizon.

use super::super::Suite;
use super::super::growth::Level;
use super::super::replicas::Crew;
use super::super::spread::Spread;
use super::Sheet;
use crate::bench::samples::Summary;

/// One, two and three replicas.
pub(super) fn crews(suite: &Suite) -> Sheet {
    let row = |crew: &Crew| {
        let rates = crew.rates().map(|rate| rate.map_or_else(String::new, |s| s.text(0)));
        let shares = crew.shares.iter().map(|share| format!("{:.0} %", share * 100.0));
        let mut row = vec![crew.replicas.to_string()];
        row.extend(rates);
        row.extend(crew.cpu_ms().map(|cpu| format!("{cpu:.2}")));
        row.push(shares.collect::<Vec<_>>().join(", "));
        row
    };
    let header = [
        "replicas",
        "far a second",
        "firings a second",
        "CPU of a far one, ms",
        "CPU of a firing, ms",
        "turns of each",
    ];
    Sheet::new("Replicas on the same machine", &header, suite.crews.iter().map(row).collect())
}

/// Few tasks pending, and very many.
pub(super) fn growth(suite: &Suite) -> Sheet {
    let rate = |rates: &[f64]| Spread::of(rates).map_or_else(String::new, |s| s.text(0));
    let row = |level: &Level| {
        let p99 =
            |late: Option<Summary>| late.map_or_else(String::new, |l| format!("{:.1}", l.p99_ms));
        vec![
            level.pending.to_string(),
            rate(&level.far),
            rate(&level.near),
            p99(level.far_latency),
            p99(level.lateness.begun),
            format!("{:.2}", level.ready_seconds),
            format!("{:.0}", level.rest_mib),
            format!("{:.2}", level.actor_kib),
            format!("{:.0}", level.scheduler_mib),
        ]
    };
    let header = [
        "pending",
        "far a second",
        "near a second",
        "far p99, ms",
        "lateness p99, ms",
        "ready, s",
        "app at rest, MiB",
        "warm actor, KiB",
        "scheduler, MiB",
    ];
    Sheet::new("With many tasks pending", &header, suite.growth.levels.iter().map(row).collect())
}

/// What the Dapr scheduler takes for tasks within the horizon.
pub(super) fn registered(suite: &Suite) -> Sheet {
    let registered = suite.growth.registered.iter();
    let rows = registered.map(|at| vec![at.near.to_string(), format!("{:.0}", at.scheduler_mib)]);
    let header = ["near tasks more", "Dapr scheduler, MiB"];
    Sheet::new("Tasks within the horizon, most pending", &header, rows.collect())
}
