//! The figures as tables, for a terminal and for a page.

mod scale;

use std::collections::BTreeMap;

use super::Suite;
use super::calls::Kind;
use super::client::Protocol;
use super::fire::Spaced;
use super::schedule::{Cell, REFERENCE};
use super::spread::Spread;
use super::subject::{Side, Work};
use super::targets::Verdict;
use super::usage::Used;
use crate::bench::samples::Summary;
use crate::ui::{Style, Table, paint};

/// A table with its title.
pub(super) struct Sheet {
    pub(super) title: &'static str,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Sheet {
    fn new(title: &'static str, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { title, header: header.iter().map(|cell| (*cell).to_owned()).collect(), rows }
    }

    /// For a terminal.
    pub(super) fn print(&self) {
        println!("\n{}", paint(Style::Strong, self.title));
        let mut table = Table::new(&self.header.iter().map(String::as_str).collect::<Vec<_>>());
        for row in &self.rows {
            table.row(row.iter().map(|cell| {
                let style = match cell.as_str() {
                    "met" => Some(Style::Good),
                    "missed" => Some(Style::Bad),
                    _ => None,
                };
                (cell.clone(), style)
            }));
        }
        table.print();
    }

    /// For a page.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.header.len()];
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("**{}**\n\n{}{}{rows}\n", self.title, line(&self.header), line(&rule))
    }
}

/// All that there is to tell.
pub(super) fn of(suite: &Suite) -> Vec<Sheet> {
    let sheets = [
        targets(suite),
        ratios(suite),
        scheduling(suite),
        paced(suite),
        herds(suite),
        lateness(suite),
        loads(suite),
        scale::crews(suite),
        scale::growth(suite),
        scale::registered(suite),
        peers(suite),
        operations(suite),
        usage(suite),
    ];
    sheets.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn targets(suite: &Suite) -> Sheet {
    let rows = suite.targets.iter().map(|target| {
        let verdict = match target.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "missed",
            Verdict::NotMeasured => "not measured",
        };
        vec![target.name.clone(), target.wanted.clone(), target.found.clone(), verdict.to_owned()]
    });
    Sheet::new("Targets", &["target", "wanted", "found", "verdict"], rows.collect())
}

fn ratios(suite: &Suite) -> Sheet {
    let row = |kind: &str, ratios: &BTreeMap<&'static str, Spread>| {
        let row = |(name, ratio): (&&str, &Spread)| vec![format!("{kind}.{name}"), ratio.text(2)];
        ratios.iter().map(row).collect::<Vec<_>>()
    };
    let rows = [row("ratios", &suite.ratios), row("p99Ratios", &suite.p99_ratios)].concat();
    Sheet::new("Ours divided by the floor", &["ratio", "median (min–max)"], rows)
}

fn load(protocol: Protocol, concurrency: usize) -> String {
    let protocol = match protocol {
        Protocol::Http => "HTTP",
        Protocol::Grpc => "gRPC",
    };
    format!("{protocol}, {concurrency}")
}

fn scheduling(suite: &Suite) -> Sheet {
    let row = |cell: &Cell| {
        let rate = |rates: &[f64]| Spread::of(rates).map_or_else(String::new, |s| s.text(0));
        let mut row = vec![
            format!("{} {}", cell.side.name(), cell.work.name()),
            load(cell.protocol, cell.concurrency),
            rate(&cell.per_second),
            rate(&cell.answered_per_second),
        ];
        row.extend(summary(cell.latency.as_ref()));
        row
    };
    let header = [
        "scheduling",
        "callers",
        "a second",
        "answered a second",
        "p50, ms",
        "p99, ms",
        "p99.9, ms",
        "max, ms",
    ];
    let rows = suite.scheduling.cells.iter().map(row).collect();
    Sheet::new("Scheduling, closed loop", &header, rows)
}

fn paced(suite: &Suite) -> Sheet {
    let rows = suite.scheduling.paced.iter().map(|paced| {
        let name = format!("{} {}", paced.side.name(), paced.work.name());
        let mut row = vec![name, format!("{:.0}", paced.rate)];
        row.extend(summary(paced.latency.as_ref()));
        row.push(paced.repeated.to_string());
        row
    });
    let header =
        ["latency", "a second", "p50, ms", "p99, ms", "p99.9, ms", "max, ms", "refused at first"];
    Sheet::new("Latency of commands, open loop", &header, rows.collect())
}

fn herds(suite: &Suite) -> Sheet {
    let rows = suite.firing.herds.iter().map(|herd| {
        let what = match (herd.side, herd.work) {
            (Side::Ours, _) => "ours, until a consumer has the event",
            (Side::Floor, Work::Arm) => "floor, a firing that does nothing",
            (Side::Floor, _) => "floor, until the transaction is done",
        };
        let rate = |rates: &[f64]| Spread::of(rates).map_or_else(String::new, |s| s.text(0));
        vec![what.to_owned(), rate(&herd.per_second), rate(&herd.begun_per_second)]
    });
    let header = ["all due in one instant", "a second", "begun a second"];
    Sheet::new("Firing, as fast as it goes", &header, rows.collect())
}

fn lateness(suite: &Suite) -> Sheet {
    let row = |spaced: &Spaced| {
        let stages =
            [("turn", spaced.begun), ("broker", spaced.in_broker), ("consumer", spaced.consumed)];
        let row = |(stage, late): (&str, Option<Summary>)| {
            let name = format!("{}, to the {stage}", spaced.side.name());
            let load = format!("{:.0} for {:.0} s", spaced.rate, spaced.seconds);
            let begun = format!("{:.0}", spaced.begun_per_second);
            Some([vec![name, load, begun], summary(Some(&late?))].concat())
        };
        stages.into_iter().filter_map(row).collect::<Vec<_>>()
    };
    let rows = suite.firing.spaced.iter().chain(&suite.firing.half).flat_map(row).collect();
    let header = [
        "lateness",
        "due a second",
        "begun a second",
        "p50, ms",
        "p99, ms",
        "p99.9, ms",
        "max, ms",
    ];
    Sheet::new("Lateness of firings spread over a time", &header, rows)
}

fn loads(suite: &Suite) -> Sheet {
    let rows = suite.loads.iter().map(|load| {
        let row = vec![load.name.to_owned(), format!("{:.0}", load.per_second)];
        [row, summary(load.latency.as_ref())].concat()
    });
    let header = ["load", "a second", "p50, ms", "p99, ms", "p99.9, ms", "max, ms"];
    Sheet::new("Other loads, ours, 64 callers over HTTP", &header, rows.collect())
}

/// Ours first, where it is measured as the peers are, and where its events are delivered as well.
fn peers(suite: &Suite) -> Sheet {
    let header = [
        "peer",
        "scheduled a second, 64 at once",
        "p99, ms",
        "herd, firings a second",
        "lateness at 500/s p50, ms",
        "p99, ms",
        "memory, MiB",
        "what it keeps, and what a firing does",
    ];
    let Some(peers) = &suite.peers else { return Sheet::new("Peers", &header, Vec::new()) };
    let row = |peer: &super::peers::Peer| {
        let (version, figures) = peer.figures()?;
        let mut row = vec![format!("{} {version}", peer.name)];
        row.extend(figures.map(|figure| figure.text(0)));
        row.push(peer.keeps.to_owned());
        Some(row)
    };
    let mut rows = our_rows(suite, &peers.ours);
    rows.extend(peers.measured.iter().filter_map(row));
    let note = |note: &String| [vec![note.clone()], vec![String::new(); header.len() - 1]].concat();
    rows.extend(peers.notes.iter().map(note));
    Sheet::new("Peers", &header, rows)
}

fn our_rows(suite: &Suite, spaced: &[Spaced]) -> Vec<Vec<String>> {
    let Some(cell) = suite.scheduling.cell(Side::Ours, Work::Near, REFERENCE) else {
        return Vec::new();
    };
    let text = |values: &[f64]| Spread::of(values).map_or_else(String::new, |s| s.text(0));
    let herd = suite.firing.herds.iter().find(|herd| herd.side == Side::Ours);
    let row = |name: &str, rate: Vec<f64>, herd: &[f64], late: fn(&Spaced) -> Option<Summary>| {
        let of = |figure: fn(Summary) -> f64| {
            text(&spaced.iter().filter_map(late).map(figure).collect::<Vec<_>>())
        };
        let p99 = cell.latency.map_or_else(String::new, |late| format!("{:.0}", late.p99_ms));
        let keeps = "a row in Postgres, committed with sync; keyed by task; three events of a firing in Kafka";
        let (p50, late_p99) = (of(|late| late.p50_ms), of(|late| late.p99_ms));
        let memory = cell.used.iter().map(|used| used.memory_mib).sum::<f64>();
        vec![
            name.to_owned(),
            text(&rate),
            p99,
            text(herd),
            p50,
            late_p99,
            format!("{memory:.0}"),
            keeps.to_owned(),
        ]
    };
    let (begun, done) =
        herd.map_or((&[][..], &[][..]), |herd| (&herd.begun_per_second[..], &herd.per_second[..]));
    vec![
        row("ours, start of the turn", cell.answered_per_second.clone(), begun, |s| s.begun),
        row("ours, events delivered", cell.per_second.clone(), done, |s| s.consumed),
    ]
}

fn operations(suite: &Suite) -> Sheet {
    let rows = suite.operations.iter().map(|operation| {
        let calls = Kind::ALL.map(|kind| operation.calls.get(&kind).copied().unwrap_or(0.0));
        let mut row = vec![operation.name.to_owned()];
        row.extend(calls.map(|calls| format!("{calls:.2}")));
        row
    });
    let mut header = vec!["operation"];
    header.extend(Kind::ALL.map(Kind::name));
    Sheet::new("Calls to the sidecar for each operation", &header, rows.collect())
}

fn usage(suite: &Suite) -> Sheet {
    let scheduling = suite.scheduling.cells.iter();
    let scheduling = scheduling
        .filter(|cell| (cell.protocol, cell.concurrency) == REFERENCE)
        .map(|cell| (format!("{} {}", cell.side.name(), cell.work.name()), &cell.used));
    let herds = suite.firing.herds.iter().map(|herd| {
        let what = if herd.work == Work::Arm { "no-op firing" } else { "firing" };
        (format!("{} {what}", herd.side.name()), &herd.used)
    });
    let rows = scheduling.chain(herds).flat_map(|(name, used)| {
        let row = move |used: &Used| {
            vec![
                name.clone(),
                used.part.to_owned(),
                format!("{:.2}", used.cpu_ms),
                format!("{:.0}", used.written_bytes),
                format!("{:.0}", used.memory_mib),
            ]
        };
        used.iter().map(row).collect::<Vec<_>>()
    });
    let header = ["for each", "process", "CPU, ms", "written, bytes", "memory then, MiB"];
    Sheet::new("What each process takes", &header, rows.collect())
}

fn summary(of: Option<&Summary>) -> Vec<String> {
    let Some(summary) = of else { return vec![String::new(); 4] };
    [summary.p50_ms, summary.p99_ms, summary.p999_ms, summary.max_ms]
        .map(|ms| format!("{ms:.1}"))
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_a_table_in_markdown() {
        let sheet = Sheet::new("Title", &["a", "b"], vec![vec!["1".into(), "2".into()]]);
        assert_eq!(sheet.markdown(), "**Title**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n");
    }
}
