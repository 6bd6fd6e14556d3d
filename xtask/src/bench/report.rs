//! What a benchmark tells: a table for people, JSON for machines.

use anyhow::Result;
use serde::Serialize;

use super::machine::Machine;
use super::samples::Summary;
use super::suite::Suite;
use crate::ui::{Style, Table, paint};

/// One figure's distribution.
#[derive(Debug, Serialize)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) summary: Summary,
}

impl Measure {
    pub(super) fn new(name: impl Into<String>, summary: Summary) -> Self {
        Self { name: name.into(), summary }
    }
}

/// One thing that was done, and what it showed.
#[derive(Debug, Serialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// What was done, in words.
    pub(super) setup: String,
    pub(super) measures: Vec<Measure>,
    pub(super) notes: Vec<String>,
    /// What went wrong; with any of these the run fails.
    pub(super) errors: Vec<String>,
}

/// What a benchmark has found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) scenarios: Vec<Scenario>,
    pub(super) suite: Option<Suite>,
}

impl From<Scenario> for Found {
    fn from(scenario: Scenario) -> Self {
        Self { scenarios: vec![scenario], suite: None }
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) scenarios: Vec<Scenario>,
    /// Ours beside the floor.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) suite: Option<Suite>,
}

impl Report {
    /// Whether nothing went wrong.
    pub(super) fn is_good(&self) -> bool {
        self.scenarios.iter().all(|scenario| scenario.errors.is_empty())
    }

    /// Puts it into the documentation, if that is wanted and nothing went wrong.
    pub(super) fn write_docs(&self) -> Result<()> {
        match &self.suite {
            Some(suite) if self.is_good() => suite.write_docs(&self.machine.lines()),
            _ => Ok(()),
        }
    }

    /// For people.
    pub(super) fn print(&self) {
        println!("\n{}", paint(Style::Strong, "Set-up"));
        for (name, value) in self.machine.lines() {
            println!("  {} {value}", paint(Style::Quiet, format!("{name:<10}")));
        }
        for scenario in &self.scenarios {
            scenario.print();
        }
        if let Some(suite) = &self.suite {
            suite.print();
        }
        println!();
        let errors: usize = self.scenarios.iter().map(|scenario| scenario.errors.len()).sum();
        if errors == 0 {
            println!(
                "{}",
                paint(Style::Good, "No errors: every reminder fired once, in order, none early.")
            );
        } else {
            println!(
                "{}",
                paint(Style::Bad, format!("{errors} errors: the figures count for nothing."))
            );
        }
    }
}

impl Scenario {
    fn print(&self) {
        println!("\n{}  {}", paint(Style::Strong, &self.name), self.setup);
        let mut table =
            Table::new(&["  milliseconds", "n", "min", "p50", "p90", "p99", "max", "mean"]);
        if self.measures.is_empty() {
            table = Table::default();
        }
        for Measure { name, summary } in &self.measures {
            let figures = [
                summary.min_ms,
                summary.p50_ms,
                summary.p90_ms,
                summary.p99_ms,
                summary.max_ms,
                summary.mean_ms,
            ];
            let mut row = vec![(format!("  {name}"), None), (summary.count.to_string(), None)];
            row.extend(figures.map(|figure| (format!("{figure:.1}"), None)));
            table.row(row);
        }
        table.print();
        for note in &self.notes {
            println!("  {}", paint(Style::Quiet, note));
        }
        for error in &self.errors {
            println!("  {} {error}", paint(Style::Bad, "error:"));
        }
    }
}
