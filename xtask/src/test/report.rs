//! Where the minutes go, and how many tests passed.

use std::time::Duration;

use super::parse::Counts;
use super::steps::Step;
use crate::ui::{self, Style, Table, paint};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Failed(String),
    /// Something it needs has failed, or there was an interruption.
    NotRun,
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) step: Step,
    pub(super) state: State,
    pub(super) took: Duration,
    pub(super) counts: Counts,
    pub(super) note: Option<String>,
}

/// Prints the table and, as the last line, the counts. Gives whether all is well.
pub(super) fn print(lines: &[Line], whole: Duration) -> bool {
    println!("\nWhere the minutes go:\n");
    let mut table = Table::new(&["step", "result", "time", "share", "passed", "failed", ""]);
    for line in lines {
        table.row(row(line, whole));
    }
    let share = String::new();
    let cells = ["in all".to_owned(), String::new(), ui::seconds(whole), share];
    table.row(cells.map(|cell| (cell, Some(Style::Strong))));
    table.print();
    println!();
    for line in lines {
        if let State::Failed(why) = &line.state {
            println!("{} {}: {why}", paint(Style::Bad, "failed"), line.step.name());
        }
    }
    let ignored = total(lines).ignored;
    if ignored > 0 {
        println!("{ignored} tests are ignored.");
    }
    println!("{}", closing(lines));
    is_good(lines)
}

fn row(line: &Line, whole: Duration) -> Vec<(String, Option<Style>)> {
    let (result, style) = match line.state {
        State::Good => ("ok", Style::Good),
        State::Failed(_) => ("FAILED", Style::Bad),
        State::NotRun => ("not run", Style::Quiet),
    };
    let number = |n: usize| if n == 0 { String::new() } else { n.to_string() };
    vec![
        (line.step.name().to_owned(), None),
        (result.to_owned(), Some(style)),
        (ui::seconds(line.took), None),
        (format!("{:>3.0} %", share(line.took, whole)), None),
        (number(line.counts.passed), None),
        (number(line.counts.failed), (line.counts.failed > 0).then_some(Style::Bad)),
        (line.note.clone().unwrap_or_default(), Some(Style::Quiet)),
    ]
}

fn share(part: Duration, whole: Duration) -> f64 {
    100.0 * part.as_secs_f64() / whole.as_secs_f64().max(f64::EPSILON)
}

fn total(lines: &[Line]) -> Counts {
    lines.iter().map(|line| line.counts).fold(Counts::default(), Counts::plus)
}

fn is_good(lines: &[Line]) -> bool {
    lines.iter().all(|line| line.state == State::Good)
}

/// The line that CI reads.
fn closing(lines: &[Line]) -> String {
    let Counts { passed, failed, .. } = total(lines);
    format!("{passed} passed, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: Step, state: State, passed: usize, failed: usize) -> Line {
        let counts = Counts { passed, failed, ignored: 0 };
        Line { step, state, took: Duration::from_secs(30), counts, note: None }
    }

    #[test]
    fn the_counts_are_those_of_all_steps() {
        let lines = [line(Step::Unit, State::Good, 40, 0), line(Step::E2e, State::Good, 2, 0)];
        assert_eq!(closing(&lines), "42 passed, 0 failed");
        assert!(is_good(&lines));
    }

    #[test]
    fn what_failed_or_never_ran_is_not_good() {
        let failed = State::Failed("x".into());
        for (state, closing_line) in
            [(failed, "41 passed, 1 failed"), (State::NotRun, "40 passed, 0 failed")]
        {
            let n = usize::from(state != State::NotRun);
            let lines = [line(Step::Unit, State::Good, 40, 0), line(Step::E2e, state, n, n)];
            assert_eq!(closing(&lines), closing_line);
            assert!(!is_good(&lines));
        }
    }

    #[test]
    fn shares_are_of_the_whole() {
        let share = share(Duration::from_secs(30), Duration::from_secs(120));
        assert!((share - 25.0).abs() < f64::EPSILON);
    }
}
