//! The page of the documentation that shows the last full run: its tables between two marks, its plots
//! beside it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Suite;
use super::client::Protocol;
use super::growth::Level;
use super::plot::{Chart, Scale, Series};
use super::sheet;
use super::spread::Spread;
use super::subject::{Side, Work};
use crate::bench::samples::Summary;

const PAGE: &str = "performance.md";
const BEGIN: &str = "<!-- bench: begin -->\n";
const END: &str = "<!-- bench: end -->\n";

/// Puts a run into the page.
pub(super) fn write(docs: &Path, suite: &Suite, machine: &[(&'static str, String)]) -> Result<()> {
    let page = docs.join(PAGE);
    let text =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let mut section = String::new();
    // Writing to a string does not fail.
    for (name, value) in machine {
        let _ = writeln!(section, "- {name}: {value}");
    }
    section.push('\n');
    for (name, chart) in charts(suite) {
        let file = format!("performance-{name}.svg");
        fs::write(docs.join(&file), chart.svg())?;
        let _ = writeln!(section, "![{}]({file})\n", chart.title);
    }
    for sheet in sheet::of(suite) {
        section.push_str(&sheet.markdown());
    }
    fs::write(&page, replaced(&text, section.trim_end())?)?;
    println!("Wrote {} and the plots beside it.", page.display());
    Ok(())
}

fn replaced(text: &str, section: &str) -> Result<String> {
    let marks = || format!("{PAGE} has no `{}` … `{}`", BEGIN.trim(), END.trim());
    let (before, rest) = text.split_once(BEGIN).with_context(marks)?;
    let (_, after) = rest.split_once(END).with_context(marks)?;
    Ok(format!("{before}{BEGIN}{section}\n{END}{after}"))
}

fn charts(suite: &Suite) -> Vec<(&'static str, Chart)> {
    let charts = [
        ("throughput", throughput(suite)),
        ("latency", latency(suite)),
        ("lateness", lateness(suite)),
        ("pending-throughput", pending_throughput(suite)),
        ("pending-latency", pending_latency(suite)),
        ("scheduler-memory", scheduler_memory(suite)),
    ];
    let drawn = |(_, chart): &(&str, Chart)| chart.series.iter().any(|s| s.points.len() > 1);
    charts.into_iter().filter(drawn).collect()
}

const LINES: [(Side, Work); 4] = [
    (Side::Floor, Work::Far),
    (Side::Ours, Work::Far),
    (Side::Floor, Work::Near),
    (Side::Ours, Work::Near),
];

fn throughput(suite: &Suite) -> Chart {
    Chart {
        title: "Tasks scheduled a second, HTTP".into(),
        x: ("callers", Scale::Logarithmic),
        y: ("a second", Scale::Linear),
        series: by_callers(suite, |rates, _| Some(Spread::of(rates)?.median)),
    }
}

fn latency(suite: &Suite) -> Chart {
    Chart {
        title: "Latency of a command, p99, HTTP".into(),
        x: ("callers", Scale::Logarithmic),
        y: ("ms", Scale::Logarithmic),
        series: by_callers(suite, |_, latency| Some(latency?.p99_ms)),
    }
}

fn by_callers(
    suite: &Suite,
    figure: impl Fn(&[f64], Option<&Summary>) -> Option<f64>,
) -> Vec<Series> {
    let line = |(side, work): (Side, Work)| {
        let cells = suite.scheduling.cells.iter();
        let cells = cells
            .filter(|cell| (cell.side, cell.work, cell.protocol) == (side, work, Protocol::Http));
        let point = |cell: &super::schedule::Cell| {
            let callers = f64::from(u32::try_from(cell.concurrency).ok()?);
            Some((callers, figure(&cell.per_second, cell.latency.as_ref())?))
        };
        let name = format!("{}, {}", side.name(), work.name());
        Series { name, points: cells.filter_map(point).collect() }
    };
    LINES.into_iter().map(line).collect()
}

fn lateness(suite: &Suite) -> Chart {
    let line = |name: &str, side, figure: fn(&super::fire::Spaced) -> Option<f64>| {
        let spaced = suite.firing.spaced.iter().filter(|spaced| spaced.side == side);
        let points = spaced.filter_map(|spaced| Some((spaced.rate, figure(spaced)?)));
        Series { name: name.to_owned(), points: points.collect() }
    };
    Chart {
        title: "Lateness of firings against their rate".into(),
        x: ("firings a second", Scale::Linear),
        y: ("ms", Scale::Logarithmic),
        series: vec![
            line("floor, p50", Side::Floor, |spaced| Some(spaced.begun?.p50_ms)),
            line("ours, p50, to the turn", Side::Ours, |spaced| Some(spaced.begun?.p50_ms)),
            line("ours, p50, to a consumer", Side::Ours, |spaced| Some(spaced.consumed?.p50_ms)),
            line("floor, p99", Side::Floor, |spaced| Some(spaced.begun?.p99_ms)),
            line("ours, p99, to the turn", Side::Ours, |spaced| Some(spaced.begun?.p99_ms)),
            line("ours, p99, to a consumer", Side::Ours, |spaced| Some(spaced.consumed?.p99_ms)),
        ],
    }
}

fn pending_throughput(suite: &Suite) -> Chart {
    let rate = |rates: &[f64]| Some(Spread::of(rates)?.median);
    Chart {
        title: "Tasks scheduled a second, by the number of pending ones".into(),
        x: ("pending tasks", Scale::Logarithmic),
        y: ("a second", Scale::Linear),
        series: vec![
            by_pending(suite, "far", |level| rate(&level.far)),
            by_pending(suite, "near", |level| rate(&level.near)),
        ],
    }
}

fn pending_latency(suite: &Suite) -> Chart {
    Chart {
        title: "Latency and lateness, p99, by the number of pending tasks".into(),
        x: ("pending tasks", Scale::Logarithmic),
        y: ("ms", Scale::Logarithmic),
        series: vec![
            by_pending(suite, "a far command", |level| Some(level.far_latency?.p99_ms)),
            by_pending(suite, "lateness to the turn", |level| Some(level.lateness.begun?.p99_ms)),
            by_pending(suite, "lateness to a consumer", |level| {
                Some(level.lateness.consumed?.p99_ms)
            }),
        ],
    }
}

/// Both lines have one axis: pending tasks do not move it, near ones do.
#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn scheduler_memory(suite: &Suite) -> Chart {
    let near = suite.growth.registered.iter();
    let near = near.map(|at| (at.near.max(1) as f64, at.scheduler_mib)).collect();
    Chart {
        title: "Memory of the Dapr scheduler, by tasks beyond and within the horizon".into(),
        x: ("tasks", Scale::Logarithmic),
        y: ("MiB", Scale::Linear),
        series: vec![
            by_pending(suite, "beyond", |level| Some(level.scheduler_mib)),
            Series { name: "within, besides the most beyond".into(), points: near },
        ],
    }
}

#[expect(clippy::cast_precision_loss, reason = "some millions")]
fn by_pending(suite: &Suite, name: &str, figure: impl Fn(&Level) -> Option<f64>) -> Series {
    let point = |level: &Level| Some((level.pending as f64, figure(level)?));
    Series { name: name.to_owned(), points: suite.growth.levels.iter().filter_map(point).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_the_marks_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}b\n");
        let new = replaced(&text, "new").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}new\n{END}b\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert!(replaced("a", "new").is_err());
    }
}
