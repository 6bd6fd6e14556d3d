//! What a run tells: `report.md` and `lateness.svg` for people, `failures.txt` for whoever looks for a
//! bug, and a summary on the terminal.

mod kinds;
mod text;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use reminder_stack::Part;

use super::capacity::Capacity;
use super::heal::{HEAL_MAX_MS, Healing, healings};
use super::history::{Answer, History, Ms, clock};
use super::judge::{Judgement, Verdict, Violation, judge};
use super::numbers::{Numbers, numbers, percent};
use super::picture;
use super::run::{Outcome, Request};
use crate::bench::machine::Machine;
use crate::ui::{Style, Table};

/// Violations shown of each kind in the report; the rest is counted.
const SHOWN: usize = 10;

/// Tasks whose whole history is written out.
const TOLD_TASKS: usize = 50;

/// The file with the report, and those beside it.
const REPORT: &str = "report.md";
const PICTURE: &str = "lateness.svg";
const FAILURES: &str = "failures.txt";

/// On what it ran.
#[derive(Debug)]
pub(super) struct SetUp {
    pub(super) capacity: Capacity,
    pub(super) rate: f64,
    pub(super) held_back: usize,
    /// Parts that ended by themselves.
    pub(super) ended: Vec<(Ms, Part)>,
    pub(super) machine: Machine,
    pub(super) replicas: u32,
}

/// A run, judged.
pub(super) struct Report<'a> {
    request: &'a Request,
    history: &'a History,
    set_up: SetUp,
    judgement: Judgement,
    verdicts: Vec<Verdict>,
    healings: Vec<Healing>,
    numbers: Numbers,
}

impl<'a> Report<'a> {
    pub(super) fn new(request: &'a Request, history: &'a History, set_up: SetUp) -> Self {
        let judgement = judge(history);
        let healings = healings(history, &judgement);
        let mut verdicts = judgement.verdicts();
        verdicts.push(healing_verdict(history, &healings));
        let numbers = numbers(history, &judgement, &healings);
        Self { request, history, set_up, judgement, verdicts, healings, numbers }
    }

    pub(super) fn outcome(&self, folder: &Path) -> Outcome {
        let broken: Vec<String> = self
            .verdicts
            .iter()
            .filter(|verdict| !verdict.violations.is_empty())
            .map(|verdict| format!("{} {}", verdict.name, verdict.violations.len()))
            .collect();
        let failure = (!broken.is_empty()).then(|| broken.join(", "));
        Outcome { good: failure.is_none(), failure, report: folder.join(REPORT) }
    }

    /// Writes the files.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let picture = picture::draw(self.history, &self.judgement.firings, &self.healings);
        let mut files = vec![(REPORT, self.text()), (PICTURE, picture)];
        let failures = self.failures();
        // One of an earlier run would mislead.
        fs::remove_file(folder.join(FAILURES)).ok();
        if !failures.is_empty() {
            files.push((FAILURES, failures));
        }
        for (name, text) in files {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// For the terminal.
    pub(super) fn print(&self) {
        println!();
        let mut table = Table::new(&["verdict", "found", ""]);
        for verdict in &self.verdicts {
            let found = verdict.violations.len();
            let style = if found == 0 { Style::Good } else { Style::Bad };
            let first = verdict.violations.first();
            let first = first.map(|first| format!("{}: {}", first.task, first.what));
            let cells = [
                (verdict.name.to_owned(), None),
                (found.to_string(), Some(style)),
                (first.unwrap_or_default(), None),
            ];
            table.row(cells);
        }
        table.print();
        println!("\n{}", self.counts());
        for (name, summary) in &self.numbers.distributions {
            if let Some(summary) = summary {
                println!(
                    "{name}: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
                    summary.p50_ms, summary.p99_ms, summary.max_ms
                );
            }
        }
        let slowest = self.healings.iter().filter_map(Healing::after_back).max();
        println!("The slowest fault to heal took {} after its part was back.", span(slowest));
    }

    fn counts(&self) -> String {
        let Judgement { must, may, silent, coalesced, .. } = self.judgement;
        let Numbers { tasks, commands, attempts, repeated, refused, records, repeats, .. } =
            self.numbers;
        format!(
            "{tasks} tasks, {commands} commands in {attempts} attempts ({repeated} sent more than \
             once, {refused} refused with reason). {must} moments had to fire ({coalesced} of them \
             within a later one), {may} might, {silent} had to stay silent. {records} events read, \
             {repeats} of them again ({:.2} %).",
            percent(repeats, records)
        )
    }

    /// The whole history of the tasks that something is wrong with.
    fn failures(&self) -> String {
        let all = self.verdicts.iter().flat_map(|verdict| &verdict.violations);
        let tasks: BTreeSet<&str> = all.clone().map(|violation| &*violation.task).collect();
        let mut text = String::new();
        for task in tasks.into_iter().take(TOLD_TASKS) {
            let _ = writeln!(text, "== {task}");
            for violation in all.clone().filter(|violation| violation.task == task) {
                let _ = writeln!(text, "wrong: {}", violation.what);
            }
            for command in self.history.commands.get(task).into_iter().flatten() {
                let answer = match &command.answer {
                    None => "no answer".to_owned(),
                    Some((at, Answer::Accepted { version })) => {
                        format!("{} version {version}", clock(*at))
                    }
                    Some((at, Answer::Refused { status, detail })) => {
                        format!("{} refused: {status} {detail}", clock(*at))
                    }
                };
                let (sent, attempts) = (clock(command.sent), command.attempts);
                let _ = writeln!(text, "{sent} {} -> {answer} ({attempts} attempts)", command.ask);
            }
            let told = self.history.journal.told.get(task);
            for line in told.into_iter().flat_map(|told| &told.lines) {
                let _ = writeln!(text, "  {line}");
            }
            if let Some(view) = self.history.views.get(task) {
                let _ = writeln!(text, "{view:?}");
            }
        }
        text
    }
}

/// With the load below a third of the capacity, all is well soon after the last fault.
fn healing_verdict(history: &History, healings: &[Healing]) -> Verdict {
    let healed = |slot: &Healing| slot.after_back().is_some_and(|took| took <= HEAL_MAX_MS);
    let mut violations = Vec::new();
    if let Some(last) = healings.last().filter(|last| !healed(last)) {
        let what = format!("the last fault took {} to heal", span(last.after_back()));
        violations.push(Violation { task: "-".to_owned(), what });
    }
    for hurt in history.hurts.iter().filter(|hurt| hurt.ready.is_none()) {
        let what = format!("after `{}` the part never did its work again", hurt.label);
        violations.push(Violation { task: "-".to_owned(), what });
    }
    let rule = "within 60 s of when the last part that was hurt was back, all is well, and every part \
                does its work again";
    Verdict { name: "not healed", rule, violations }
}

/// A length of time for people.
#[expect(clippy::cast_precision_loss, reason = "hours of milliseconds")]
fn span(ms: Option<Ms>) -> String {
    match ms {
        None => "too long".to_owned(),
        Some(ms) if ms < 60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        Some(ms) => format!("{}:{:02} min", ms / 60_000, ms / 1_000 % 60),
    }
}
